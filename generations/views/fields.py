"""The playground's form: the catalogue's rows with the studio's templates and pictures, in the order they are shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from generations import routing
from generations.catalogue import FieldError, ImageModel, forms
from generations.views.sources import Picture

TEMPLATES: Mapping[str, str] = {
    widget: f"studio/fields/{widget}.html"
    for widget in ("image", "textarea", "text", "number", "range", "select", "checkbox")
}


@dataclass(frozen=True, slots=True)
class Field:
    """A row, the template that draws it, and for an image the picture that it holds already."""

    row: forms.Row
    template: str
    picture: Picture | None = None
    is_mask: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """pictures: the image inputs. words: prompts. settings: what is in view. advanced: what is folded away."""

    pictures: tuple[Field, ...]
    words: tuple[Field, ...]
    settings: tuple[Field, ...]
    advanced: tuple[Field, ...]

    @property
    def all(self) -> tuple[Field, ...]:
        return self.pictures + self.words + self.settings + self.advanced

    @property
    def has_advanced_error(self) -> bool:
        return any(field.row.error for field in self.advanced)


def build(
    model: ImageModel,
    values: Mapping[str, Any],
    *,
    pictures: Mapping[str, Picture] | None = None,
    errors: Iterable[FieldError] = (),
) -> Fields:
    """Return the form of a model, filled with `values` (a query string, what was sent, an earlier run)."""
    held = pictures or {}
    rows = list(forms.rows(model, values, errors))
    if model.mask_name not in model.required_names:
        rows.append(
            _promise(
                "lock",
                "Keep the product’s pixels",
                "Pastes the product’s own pixels back over the result. With a mask this is always done.",
                values,
            )
        )
    if routing.has_fallback(model.slug):
        rows.append(
            _promise(
                "allow_fallback",
                "Let another engine stand in",
                "Where the first engine fails, one that does not read the prompt makes the picture; the run says so.",
                values,
                default=True,
            )
        )
    fields = [
        Field(row, TEMPLATES[row.widget], held.get(row.name), is_mask=row.name == model.mask_name) for row in rows
    ]
    images = tuple(field for field in fields if field.row.widget == "image")
    words = tuple(field for field in fields if field.row.widget == "textarea")
    rest = [field for field in fields if field not in images and field not in words]
    return Fields(
        images,
        words,
        tuple(field for field in rest if not field.row.advanced),
        tuple(field for field in rest if field.row.advanced),
    )


def _promise(name: str, label: str, help_: str, values: Mapping[str, Any], *, default: bool = False) -> forms.Row:
    """A switch that is no parameter of a model, but a promise of ours."""
    return forms.Row(
        name=name,
        label=label,
        widget="checkbox",
        help=help_,
        value=str(values.get(name, default)).lower() == "true",
        default=default,
        required=False,
        choices=(),
        minimum=None,
        maximum=None,
        step=None,
        max_length=None,
        placeholder="",
        affects_price=False,
        advanced=False,
        error="",
    )
