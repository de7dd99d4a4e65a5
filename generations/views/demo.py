"""One click to a first picture: our perfume bottle on our beach."""

from pathlib import Path

from django.contrib import messages
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.access import Right
from accounts.credits import format_credits
from accounts.ledger import InsufficientCredits, OverBudget
from accounts.views import session
from generations import routing, submission
from generations.models.generation import Door

PROMPT = "a perfume bottle on a sandy beach, calm sea behind it, clear morning light"
PICTURES = {"image": "demo/perfume.jpg", "ref_image": "demo/beach.jpg"}


@require_POST
@session.requires(Right.GENERATE)
def perfume(request: HttpRequest) -> HttpResponse:
    """Run a background replacement on the demo pictures, and go to the run's page."""
    raw: dict[str, object] = {name: _bytes(path) for name, path in PICTURES.items()}
    actor = session.current(request)
    try:
        made = submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw={**raw, "prompt": PROMPT})
    except InsufficientCredits as error:
        words = f"{format_credits(error.available)} available, up to {format_credits(error.required)} needed"
        messages.error(request, f"The team has too few credits for this: {words}.")
        return redirect("gallery")
    except OverBudget as error:
        messages.error(request, f"Over budget: {error}.")
        return redirect("gallery")
    except routing.NoEngine as error:
        messages.error(request, str(error))
        return redirect("gallery")
    except submission.TooManyJobs:
        messages.error(request, "The team has as many runs in progress as are allowed. Wait for one to end.")
        return redirect("gallery")
    return redirect("run", made.generation.id)


def _bytes(path: str) -> bytes:
    found = finders.find(path)
    if not isinstance(found, str):
        raise FileNotFoundError(f"static/{path} is missing")
    return Path(found).read_bytes()
