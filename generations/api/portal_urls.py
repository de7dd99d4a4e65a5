"""The addresses of the portal's resources."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
