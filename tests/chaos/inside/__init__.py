"""A round, in a process with Django's settings of its own."""

import django

django.setup()
