"""Collections: the list of them, and what goes into one and out of it."""

import uuid
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import Actor, Right
from accounts.views import session
from generations import access, collections, queries
from generations.models import Collection, Visibility
from generations.views import gallery_acts

LIMIT = 60


class CollectionForm(forms.Form):
    """A collection's name, and who sees it."""

    name = forms.CharField(
        max_length=80,
        error_messages={"required": "Give it a name.", "max_length": "A name has at most 80 characters."},
    )
    visibility = forms.ChoiceField(choices=Visibility.choices, initial=Visibility.PRIVATE)

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if not name.isprintable():
            raise forms.ValidationError("A name has printable characters only.")
        return name

    def said(self) -> str:
        """Return what is wrong, in one line."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)


@dataclass(frozen=True, slots=True)
class Card:
    """A collection in the list."""

    collection: Collection
    covers: list[uuid.UUID]
    items: int
    is_own: bool
    may_arrange: bool


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@session.team_required
def index(request: HttpRequest) -> HttpResponse:
    """List the collections that the reader sees; POST makes one, with `run` (several, or none) in it."""
    if request.method != "POST":
        return _page(request, CollectionForm())
    actor = session.require(request, Right.CURATE)
    form = CollectionForm(request.POST)
    if not form.is_valid():
        if gallery_acts.is_script(request):
            return JsonResponse({"error": form.said()}, status=422)
        return _page(request, form, status=422)
    runs = gallery_acts.ids(request, "run", gallery_acts.MOST) if "run" in request.POST else []
    access.generations(actor, runs)
    made = collections.create(actor, form.cleaned_data["name"], form.cleaned_data["visibility"])
    added = collections.add(made, runs) if runs else 0
    if gallery_acts.is_script(request):
        return JsonResponse(_told(made) | {"added": added}, status=201)
    messages.success(request, f"“{made.name}” is made. Choose pictures in the gallery to put them in.")
    return redirect("collections")


@require_POST
@session.requires(Right.CURATE)
def change(request: HttpRequest, collection_id: uuid.UUID) -> HttpResponse:
    """Rename a collection, and say who sees it."""
    actor = session.current(request)
    found = _arranged(actor, collection_id)
    form = CollectionForm({"visibility": found.visibility, **request.POST.dict()})
    if not form.is_valid():
        messages.error(request, form.said())
        return redirect("collections")
    if form.cleaned_data["visibility"] != found.visibility and found.owner_id != actor.user_id:
        raise PermissionDenied("Only its owner can say who sees a collection.")
    found.name, found.visibility = form.cleaned_data["name"], form.cleaned_data["visibility"]
    found.save(update_fields=["name", "visibility"])
    messages.success(request, f"“{found.name}” is changed.")
    return redirect("collections")


@require_POST
@session.requires(Right.CURATE)
def delete(request: HttpRequest, collection_id: uuid.UUID) -> HttpResponse:
    """Delete a collection; the pictures stay."""
    found = _arranged(session.current(request), collection_id)
    found.delete()
    messages.success(request, f"“{found.name}” is deleted. Its pictures are still in the gallery.")
    return redirect("collections")


@require_POST
@session.requires(Right.CURATE)
def add(request: HttpRequest, collection_id: uuid.UUID) -> HttpResponse:
    """Put runs in: `run` (several)."""
    found = access.collection(session.current(request), collection_id)
    try:
        added = collections.add(found, gallery_acts.ids(request, "run", gallery_acts.MOST))
    except collections.NotThere:
        raise Http404("Some of these are not there; they may have been removed.") from None
    return gallery_acts.answered(request, _told(found) | {"added": added})


@require_POST
@session.requires(Right.CURATE)
def take_out(request: HttpRequest, collection_id: uuid.UUID) -> HttpResponse:
    """Take runs out: `run` (several)."""
    found = access.collection(session.current(request), collection_id)
    taken = collections.take_out(found, gallery_acts.ids(request, "run", gallery_acts.MOST))
    return gallery_acts.answered(request, _told(found) | {"removed": taken})


def _told(collection: Collection) -> dict[str, object]:
    return {
        "id": str(collection.id),
        "name": collection.name,
        "url": f"{reverse('gallery')}?collection={collection.id}",
        "add": reverse("collection-add", args=[collection.id]),
        "remove": reverse("collection-remove", args=[collection.id]),
    }


def _arranged(actor: Actor, collection_id: uuid.UUID) -> Collection:
    found = access.collection(actor, collection_id)
    if not access.may_arrange(actor, found):
        raise PermissionDenied("Only its owner, or an admin of the team, can rename or delete a collection.")
    return found


def _page(request: HttpRequest, form: CollectionForm, *, status: int = 200) -> HttpResponse:
    actor = session.current(request)
    page = queries.page(access.collections(actor).select_related("owner"), request.GET.get("before", ""), LIMIT)
    shown = collections.shown([row.id for row in page.rows])
    cards = [
        Card(
            row,
            shown[row.id].covers,
            shown[row.id].items,
            row.owner_id == actor.user_id,
            access.may_arrange(actor, row),
        )
        for row in page.rows
    ]
    context = {
        "cards": cards,
        "next": page.next,
        "form": form,
        "visibilities": Visibility.choices,
        "may_curate": actor.may(Right.CURATE),
    }
    return render(request, "studio/collections.html", context, status=status)
