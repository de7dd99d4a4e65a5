"""No index is kept twice: a foreign key's own costs a write for each row, and one that begins with it does its work."""

import pytest
from django.apps import apps
from django.db.models import ForeignKey, Model, UniqueConstraint


@pytest.mark.parametrize(
    "model", list(apps.get_app_config("generations").get_models()), ids=lambda model: model.__name__
)
def test_a_foreign_key_that_begins_another_index_has_none_of_its_own(model: type[Model]) -> None:
    whole = [index for index in model._meta.indexes if not index.condition]
    unique = [each for each in model._meta.constraints if isinstance(each, UniqueConstraint) and not each.condition]
    first = {each.fields[0] for each in (*whole, *unique)}
    keys = [
        field
        for field in model._meta.fields
        if isinstance(field, ForeignKey) and field.deconstruct()[3].get("db_index", True)
    ]
    assert not {field.name for field in keys} & first
