"""Answers as CSV, which a spreadsheet opens without running anything of it."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request

from generations.api import filters

CONTENT_TYPE = "text/csv"
PARAMETERS: Mapping[str, filters.Parse] = {"format": filters.one_of(["json", "csv"])}
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell begins with that a spreadsheet takes for a formula; full-width forms count in some."""


class _Line:
    """A file that hands out what is written to it."""

    def write(self, line: str) -> str:
        return line


def is_asked(request: Request, values: Mapping[str, Any]) -> bool:
    """Return whether the answer is to be CSV: by ?format, else by Accept, where CSV stands before JSON."""
    if "format" in values:
        return bool(values["format"] == "csv")
    accepted = [each.partition(";")[0].strip().lower() for each in request.headers.get("accept", "").split(",")]
    return CONTENT_TYPE in accepted and "application/json" not in accepted[: accepted.index(CONTENT_TYPE)]


def answer(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponseBase:
    """Return rows as a file of that name, written while it is sent. Numbers stay numbers; text is never a formula."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingHttpResponse(_lines(head, rows), content_type=f"{CONTENT_TYPE}; charset=utf-8", headers=disposition)


def _lines(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield str(writer.writerow(head))
    for row in rows:
        yield str(writer.writerow([_cell(value) for value in row]))


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value
