"""Rows between SQL and models, as the models declare them, so that a new column cannot be forgotten."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from django.db import connection
from django.db.models import AutoField, Field, JSONField, Model

Row = TypeVar("Row", bound=Model)
Names = tuple[str, ...]


def columns(model: type[Model], table: str, only: Names = ()) -> str:
    """Return the columns of `model`, or those of the fields `only`, as SQL that selects them from `table`, in the order
    of `load`."""
    return ", ".join(f'{table}."{field.column}"' for field in _fields(model, only))


def written(model: type[Model]) -> str:
    """Return the columns that an INSERT gives: all but a number that the database counts."""
    return ", ".join(f'"{field.column}"' for field in _fields(model) if not isinstance(field, AutoField))


def named(model: type[Model]) -> str:
    """Return what stands for the values of `written` in a statement that `dump` gives them to, by name."""
    return ", ".join(f"%({field.column})s" for field in _fields(model) if not isinstance(field, AutoField))


def load(model: type[Row], values: Sequence[Any], only: Names = ()) -> Row:
    """Return the row that `columns` selected; fields that it left out are fetched where somebody reads them."""
    names, is_json = _shape(model, only)
    parsed = [json.loads(value) if json_ and value else value for value, json_ in zip(values, is_json, strict=True)]
    return model.from_db(connection.alias, names, parsed)


def dump(row: Model) -> dict[str, Any]:
    """Return a row by column, for jsonb_populate_record, which gives each value its column's type."""
    return {str(field.column): getattr(row, field.attname) for field in _fields(type(row))}


def to_json(rows: dict[str, Any] | list[dict[str, Any]]) -> str:
    """Return what `dump` made as JSON."""
    return msgspec.json.encode(rows).decode()


def _fields(model: type[Model], only: Names = ()) -> Sequence["Field[Any, Any]"]:
    return [field for field in model._meta.concrete_fields if not only or field.attname in only]


@cache
def _shape(model: type[Model], only: Names) -> tuple[list[str], list[bool]]:
    fields = _fields(model, only)
    return [field.attname for field in fields], [isinstance(field, JSONField) for field in fields]
