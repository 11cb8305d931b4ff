"""The schema is the one source: it is valid, complete, and the dataclasses follow it."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from jsonschema import Draft202012Validator

from g6.settings import Settings, schema
from g6.settings.checks import looks_secret, validator

LEAVES = schema.leaves()
ABOUT_THE_LOADING = {"values", "origins", "file", "warnings", "constituents_files"}


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for below in node.values():
            yield from nodes(below)
    elif isinstance(node, list):
        for below in node:
            yield from nodes(below)


def fields(cls: Any, prefix: str = "") -> Iterator[str]:
    for name, hint in get_type_hints(cls).items():
        if dataclasses.is_dataclass(hint):
            yield from fields(hint, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_the_schema_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(schema.document())


def test_every_section_refuses_what_it_does_not_know() -> None:
    sections = [node for node in nodes(schema.document()) if node.get("type") == "object" and "properties" in node]
    assert sections
    assert all(node["additionalProperties"] is False for node in sections)


def test_every_number_has_both_bounds_so_that_infinity_is_refused() -> None:
    numbers = [node for node in nodes(schema.document()) if node.get("type") in ("integer", "number")]
    assert numbers
    for node in numbers:
        assert "maximum" in node
        assert ("minimum" in node) != ("exclusiveMinimum" in node)


@pytest.mark.parametrize("key", LEAVES)
def test_every_key_is_explained_and_its_default_and_examples_are_possible(key: str) -> None:
    node = LEAVES[key]
    check = validator(node)
    assert node["description"].endswith((".", "null."))
    assert node["examples"]
    for value in [node["default"], *node["examples"], *node.get("x-provider-defaults", {}).values()]:
        assert check.is_valid(value)


def test_the_example_of_index_params_is_possible() -> None:
    section = schema.find("index_params")
    assert section is not None
    assert all(validator(section).is_valid(example) for example in section["examples"])


def test_provider_defaults_are_for_known_providers() -> None:
    providers = set(LEAVES["providers.order"]["items"]["enum"])
    assert all(set(node.get("x-provider-defaults", {})) <= providers for node in LEAVES.values())


def test_no_key_looks_like_a_secret() -> None:
    assert not [key for key in LEAVES if looks_secret(key)]


def test_help_can_be_shown_on_a_terminal_that_knows_ascii_alone() -> None:
    assert json.dumps(schema.document(), ensure_ascii=False).isascii()


def test_the_dataclasses_have_the_schemas_keys_and_no_others() -> None:
    typed = set(fields(Settings)) - ABOUT_THE_LOADING
    assert typed == set(LEAVES)


def test_the_expiry_codes_are_those_of_the_stored_data(project: Path) -> None:
    from g6.model.chain import EXPIRY_CODES

    definitions = json.loads((project / "config" / "g6.schema.json").read_text("utf-8"))["$defs"]
    assert tuple(definitions["expiry_code"]["enum"]) == EXPIRY_CODES
    assert tuple(definitions["index_params"]["properties"]["by_expiry"]["properties"]) == EXPIRY_CODES
