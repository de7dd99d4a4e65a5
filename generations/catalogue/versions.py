"""Which declaration of an image model it is: clients that pin a version find it for as long as it is the same."""

import hashlib
import json
from functools import cache

from generations.catalogue import schema
from generations.catalogue.model import ImageModel

_WORDS = frozenset({"title", "description", "examples", "x-order", "x-advanced"})
"""What of a parameter is said to people: it may change under a version."""


@cache
def version(model: ImageModel) -> str:
    """Return 64 hexadecimal digits that change when what the model accepts, or fills in, changes."""
    declared = schema.input_schema(model)
    accepts = {name: _rules(each) for name, each in declared["properties"].items()}
    said = json.dumps([model.slug, declared["required"], accepts], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _rules(parameter: schema.Schema) -> schema.Schema:
    return {name: rule for name, rule in parameter.items() if name not in _WORDS}
