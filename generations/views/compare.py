"""Two to four pictures side by side, with the parameters that differ."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.credits import format_credits
from accounts.views import session
from generations import access, catalogue
from generations.models import Output
from generations.templatetags import studio
from generations.views import gallery, presentation

FEWEST, MOST = 2, 4
NONE = "–"


@dataclass(frozen=True, slots=True)
class Difference:
    """A parameter, and its value for each of the pictures."""

    label: str
    values: Sequence[str]


@require_safe
@session.team_required
def index(request: HttpRequest) -> HttpResponse:
    """Show the pictures that `ids` names, with commas between them; else say how to choose some."""
    actor = session.current(request)
    wanted = _ids(request.GET.get("ids", ""))
    if not FEWEST <= len(wanted) <= MOST:
        return render(request, "studio/compare.html", {"most": MOST})
    outputs = access.outputs(actor, wanted)
    context = {
        "pictures": [(output, gallery.tile(actor, output.generation, output)) for output in outputs],
        "differences": differences(outputs),
    }
    return render(request, "studio/compare.html", context)


def _ids(given: str) -> list[uuid.UUID]:
    """Return the ids, each once; none where something else is among them."""
    try:
        return list(dict.fromkeys(uuid.UUID(each) for each in given[:400].split(",") if each))
    except ValueError:
        return []


def differences(outputs: Sequence[Output]) -> list[Difference]:
    """Return what is not the same for all of the outputs, whose generations and their users are loaded."""
    columns = [_facts(output) for output in outputs]
    labels = dict.fromkeys(label for column in columns for label in column)
    rows = [Difference(label, [column.get(label, NONE) for column in columns]) for label in labels]
    return [row for row in rows if len(set(row.values)) > 1]


def _facts(output: Output) -> Mapping[str, str]:
    row = output.generation
    model = catalogue.get(row.model)
    asked: dict[str, Any] = {each.label: each.value for each in presentation.parameters(model, row)}
    asked.pop(model.by_name["seed"].title, None)  # the one that was used is told below
    return {
        "Model": model.title,
        **{label: studio.text(value) or NONE for label, value in asked.items()},
        "Seed used": str(output.seed),
        "Size": f"{output.width} × {output.height} px",
        "Engine": row.engine or NONE,
        "Time": studio.seconds(row.seconds),
        "Credits": NONE if row.cost is None else format_credits(row.cost),
        "Pixels kept": presentation.fidelity_words(row, output) or NONE,
        "By": str(row.user or NONE),
        "Made": f"{row.created_at:%Y-%m-%d %H:%M} UTC",
    }
