"""The image models: one declaration each gives every door its validation, schema, form, price and docs."""

from collections.abc import Mapping
from types import MappingProxyType

from generations.catalogue import wording
from generations.catalogue.bg_replace import BG_REPLACE
from generations.catalogue.inpaint_auto import INPAINT_AUTO, resolve_preprocessor
from generations.catalogue.model import ImageModel
from generations.catalogue.parameters import Kind, Parameter
from generations.catalogue.sd15_inpainting import SD15_INPAINTING
from generations.catalogue.sdxl_inpaint import SDXL_INPAINT
from generations.catalogue.validation import FieldError, Input, InvalidInput, unknown_names, validate
from generations.catalogue.versions import version

__all__ = [
    "MODELS",
    "FieldError",
    "ImageModel",
    "Input",
    "InvalidInput",
    "Kind",
    "Parameter",
    "UnknownModel",
    "get",
    "of_version",
    "resolve_preprocessor",
    "unknown_names",
    "validate",
    "version",
]

MODELS: Mapping[str, ImageModel] = MappingProxyType(
    {model.slug: model for model in (BG_REPLACE, INPAINT_AUTO, SDXL_INPAINT, SD15_INPAINTING)}
)

_BY_VERSION: Mapping[str, ImageModel] = MappingProxyType({version(model): model for model in MODELS.values()})


class UnknownModel(LookupError):
    """No image model has this slug."""


def get(slug: str) -> ImageModel:
    """Return the model. Raises `UnknownModel`, whose message lists what there is."""
    try:
        return MODELS[slug]
    except KeyError:
        raise UnknownModel(f"no image model {wording.shown(slug)}; there are {', '.join(MODELS)}") from None


def of_version(text: str) -> ImageModel | None:
    """Return the model whose `version` this is, None where no model is declared like that any more."""
    return _BY_VERSION.get(text)
