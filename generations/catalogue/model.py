"""An image model: its parameters, its published time and price, and what grows them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from generations.catalogue.parameters import Parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageModel:
    """One entry of the catalogue.

    typical_seconds and typical_price (millionths of a credit) are the published figures for the defaults.
    published: the day since which it is in the catalogue. size_from: the parameters that say the output's width and
    height; empty where it keeps the input's size.
    """

    slug: str
    title: str
    summary: str
    description: str
    typical_seconds: float
    typical_price: int
    parameters: tuple[Parameter, ...]
    published: date
    size_from: tuple[str, ...] = ()
    by_name: Mapping[str, Parameter] = field(init=False, repr=False, hash=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {parameter.name: parameter for parameter in self.parameters})

    @property
    def image_names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters if parameter.is_image)

    @property
    def required_names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters if parameter.required)

    @property
    def price_names(self) -> tuple[str, ...]:
        """Return the parameters that move time and price."""
        return tuple(parameter.name for parameter in self.parameters if parameter.affects_price)

    @property
    def mask_name(self) -> str | None:
        """Return the image parameter whose white says what to repaint, if the model has one."""
        return "mask" if "mask" in self.image_names else None

    @property
    def default_steps(self) -> int:
        return int(self.by_name["num_inference_steps"].default or 0)

    @property
    def defaults(self) -> dict[str, Any]:
        """Return every parameter that has a default, as `Input.params` would hold it."""
        return {p.name: p.default for p in self.parameters if p.default is not None}

    @property
    def example(self) -> dict[str, str]:
        """Return what a person might type, by parameter: placeholders and documentation use it."""
        return {parameter.name: parameter.example for parameter in self.parameters if parameter.example}

    @property
    def typical(self) -> str:
        """Return the published figures in words: "8.95 s and 0.01 credits"."""
        credits = f"{self.typical_price / 1_000_000:.6f}".rstrip("0").rstrip(".")
        return f"{self.typical_seconds:g} s and {credits} credits"

    def scale(self, params: Mapping[str, Any]) -> float:
        """Return how much more than typical `params` ask for: samples × steps ÷ default (× pixels ÷ 512²)."""
        return float(self._ratio(params))

    def seconds(self, params: Mapping[str, Any]) -> float:
        """Return the published time, scaled."""
        return self.typical_seconds * self.scale(params)

    def price(self, params: Mapping[str, Any]) -> int:
        """Return the published price, scaled, in millionths of a credit, rounded up."""
        return -int(-self.typical_price * self._ratio(params) // 1)

    def output_size(self, params: Mapping[str, Any], width: int, height: int) -> tuple[int, int]:
        """Return width and height of the result for an (oriented) input of width × height, in pixels."""
        if not self.size_from:
            return width, height
        named = {**self.defaults, **params}
        first, second = self.size_from
        return int(named[first]), int(named[second])

    def _ratio(self, params: Mapping[str, Any]) -> Fraction:
        ratio = Fraction(1)
        for name in self.price_names:
            default = self.by_name[name].default
            ratio *= Fraction(params.get(name, default)) / Fraction(default or 1)
        return ratio
