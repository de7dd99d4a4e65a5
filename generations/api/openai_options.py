"""The fields of an image edit that are OpenAI's own and no parameter of ours: read, honoured, left alone or refused.

| field              | what is done                                                                            |
|--------------------|-----------------------------------------------------------------------------------------|
| n                  | it is `samples`                                                                         |
| size               | "WxH" where the model has a size to choose; else the image's own size, "auto" or nothing |
| output_format      | png (without loss, the default), jpeg or webp                                           |
| output_compression | the quality of jpeg and webp from 0 to 100; not of png, nor behind a link               |
| response_format    | b64_json (the default) or url, a link that ends                                         |
| stream             | false; pictures come whole                                                              |
| partial_images     | 0, for the same reason                                                                  |
| background         | auto or opaque, left alone: pictures come opaque; `background` of the answer says so     |
| quality, input_fidelity, moderation, user, safety_identifier | left alone                                    |

What is left alone changes nothing, and is named in the answer's header x-ignored-parameters. Anything else (markup,
svg, frame_count …) is refused, as every name is that the image model does not know.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from generations.catalogue import FieldError, InvalidInput, Kind, Parameter, parsing, wording

FORMATS: Mapping[str, str] = MappingProxyType({"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"})
_SIZE = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})", re.ASCII)


def _choice(name: str, says: str, *choices: str, default: str | None = None, **more: Any) -> Parameter:
    return Parameter(name=name, kind=Kind.CHOICE, title=name, help=says, choices=choices, default=default, **more)


SIZE = Parameter(
    name="size", kind=Kind.TEXT, title="size", max_length=20, help='"auto", or width and height as "512x512".'
)
COMPRESSION = Parameter(
    name="output_compression",
    kind=Kind.INTEGER,
    title="output_compression",
    help="The quality of jpeg and webp.",
    minimum=0,
    maximum=100,
)
FORMAT = _choice("output_format", "What the pictures come as.", *FORMATS, default="png")
ANSWER = _choice("response_format", "The pictures themselves, or links.", "b64_json", "url", default="b64_json")
STREAM = Parameter(
    name="stream", kind=Kind.BOOLEAN, title="stream", help="Only false: pictures come whole.", default=False
)
PARTIAL = Parameter(
    name="partial_images",
    kind=Kind.INTEGER,
    title="partial_images",
    help="Only 0: pictures come whole.",
    minimum=0,
    maximum=0,
)
HONOURED = (SIZE, FORMAT, COMPRESSION, ANSWER, STREAM, PARTIAL)

_ALONE = "Changes nothing."
IGNORED = (
    _choice("background", "Pictures come opaque.", "auto", "opaque"),
    _choice("quality", _ALONE, "auto", "low", "medium", "high", "standard", "hd", "xhigh", "max"),
    _choice("input_fidelity", _ALONE, "high", "low"),
    _choice("moderation", _ALONE, "auto", "low"),
    Parameter(name="user", kind=Kind.TEXT, title="user", help=_ALONE, max_length=1000),
    Parameter(name="safety_identifier", kind=Kind.TEXT, title="safety_identifier", help=_ALONE, max_length=1000),
)
OPTIONS: Mapping[str, Parameter] = MappingProxyType({option.name: option for option in (*HONOURED, *IGNORED)})


@dataclass(frozen=True, slots=True)
class Options:
    """content_type, quality: of the pictures; quality None for the usual one. as_links: the answer has links.

    size: what was asked for, None where the model decides. ignored: fields that were given and changed nothing.
    """

    content_type: str
    quality: int | None
    as_links: bool
    size: tuple[int, int] | None
    ignored: tuple[str, ...]


def refused(field: str, given: object, message: str) -> InvalidInput:
    """Return what says that one field is wrong."""
    return InvalidInput((FieldError(field, "" if given is None else wording.shown(given), message),))


def take(values: dict[str, Any]) -> Options:
    """Take OpenAI's own fields out of a request's values. Raises InvalidInput with all that are wrong."""
    given = {name: values.pop(name) for name in OPTIONS if name in values}
    said, errors = {option.name: option.default for option in HONOURED}, []
    for name, value in given.items():
        try:
            said |= {} if value in (None, "") else {name: _read(OPTIONS[name], value)}
        except parsing.Refused as error:
            errors.append(FieldError(name, wording.shown(value), str(error)))
    errors += _at_odds(said)
    if errors:
        raise InvalidInput(tuple(errors))
    compression = said["output_compression"]
    return Options(
        content_type=FORMATS[str(said["output_format"])],
        quality=None if compression is None or said["output_format"] == "png" else int(compression),
        as_links=said["response_format"] == "url",
        size=_size(said["size"]),
        ignored=tuple(option.name for option in IGNORED if said.get(option.name, "auto") != "auto"),
    )


def _read(option: Parameter, value: object) -> Any:
    found = parsing.parse(option, value)
    if option is STREAM and found:
        raise parsing.Refused("stream must be false: pictures come whole here, not in parts; got true")
    if option is SIZE and found != "auto" and not _SIZE.fullmatch(found):
        raise parsing.Refused(f'size must be "auto" or width and height such as "512x512"; got {wording.shown(found)}')
    return found


def _at_odds(said: Mapping[str, Any]) -> list[FieldError]:
    """Return what is wrong with a quality: OpenAI too takes 100 for png, which loses nothing, and no other."""
    compression, form = said["output_compression"], said["output_format"]
    if compression is None:
        return []
    if form == "png" and compression != 100:
        message = f"output_compression must be 100 for output_format png, which loses nothing; got {compression}"
    elif form != "png" and said["response_format"] == "url":
        message = "output_compression goes with response_format b64_json; a link shows the usual quality"
    else:
        return []
    return [FieldError("output_compression", str(compression), message)]


def _size(said: object) -> tuple[int, int] | None:
    found = _SIZE.fullmatch(str(said))
    return (int(found[1]), int(found[2])) if found else None
