"""The mask of a picture's subject, for the mask editor."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from accounts.access import Right
from accounts.views import session
from generations import inputs, subjects
from generations.catalogue import InvalidInput
from generations.views import sources


@require_POST
@session.requires(Right.GENERATE)
def mask(request: HttpRequest) -> HttpResponse:
    """Answer with the mask of the picture that was sent (`image`), or that the studio has (`image_source`).

    What is wrong is said in words, as plain text.
    """
    actor = session.current(request)
    try:
        given = sources.given(request, actor, "image")
        if given is None:
            return _refuse("Add the image first.", 422)
        image = inputs.load(actor.team_id, {"image": given})["image"]
        found = subjects.mask(image, actor.user_id)
    except FileNotFoundError:
        return _refuse("The file of this picture is lost. Choose another.", 422)
    except InvalidInput as error:
        return _refuse(str(error), 422)
    except subjects.NotFound as error:
        words = str(error)
        return _refuse(words[:1].upper() + words[1:], 422)
    except subjects.Busy as error:
        answer = _refuse(f"{error} Try again in {error.after} seconds.", 429)
        answer["Retry-After"] = str(error.after)
        return answer
    return HttpResponse(found, content_type="image/png", headers={"Cache-Control": "private, no-store"})


def _refuse(words: str, status: int) -> HttpResponse:
    return HttpResponse(words, content_type="text/plain; charset=utf-8", status=status)
