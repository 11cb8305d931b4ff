"""Files as texts: whatever is in them, the answer is settings or a `ConfigError`, and keys keep their lines."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g6.errors import ConfigError
from g6.settings import load, schema
from g6.settings.checks import problems_of
from g6.settings.document import MAXIMUM_BYTES, assigned, parse
from g6.settings.layers import without_empty_sections

# What JSON can hold and YAML can too: no control characters, nothing outside the first plane (escaped in two halves).
PRINTABLE = st.characters(max_codepoint=0xD7FF, exclude_categories=("Cc", "Cs"))
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(PRINTABLE)
)
# YAML takes keys of up to 1024 characters, escapes counted.
NAMES = st.text(PRINTABLE, max_size=40)
VALUES = st.recursive(SCALARS, lambda below: st.lists(below) | st.dictionaries(NAMES, below), max_leaves=8)
SECTIONS = sorted({key.rpartition(".")[0] for key in schema.leaves()} | {"", "index_params", "index_params.NIFTY"})


@given(st.dictionaries(NAMES, VALUES))
@settings(max_examples=100, deadline=None)
def test_json_is_read_as_a_json_parser_reads_it(values: dict[str, Any]) -> None:
    document = parse(json.dumps(values), "f")
    assert document.problems == ()
    assert document.values == values


@given(st.sampled_from(SECTIONS), st.text(min_size=1, max_size=20), VALUES)
@settings(max_examples=200, deadline=None)
def test_an_unknown_key_never_passes(section: str, name: str, value: Any) -> None:
    node = schema.find(section) if section else schema.document()
    assert node is not None
    if schema.child(node, name) is not None:
        return
    values: Any = {name: value}
    for part in reversed(section.split(".") if section else []):
        values = {part: values}
    (problem, *_) = problems_of(without_empty_sections(parse(json.dumps(values), "f")))
    assert "\n" not in problem


@given(st.sampled_from(sorted(schema.leaves())), VALUES)
@settings(max_examples=200, deadline=None)
def test_a_value_passes_or_its_key_is_named_in_one_line(key: str, value: Any) -> None:
    document = parse(json.dumps(assigned(key, value)), "f")
    for problem in problems_of(document):
        assert problem.startswith("f:1: ")
        assert key in problem
        assert "\n" not in problem


@given(st.binary(max_size=200) | st.text(alphabet="{}[]:-# \n\"'&*!|>ab1.", max_size=60).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_a_document_or_problems(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(raw)
    with contextlib.suppress(ConfigError):
        load({}, {}, file.parent, file)


@pytest.mark.parametrize("text", ["", "# only words\n", "---\n", "{}", "\ufeffmetrics:\n"])
def test_a_file_that_says_nothing_changes_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "g6.yaml").write_text(text, "utf-8")
    assert load({}, {}, tmp_path, "g6.yaml").values == load({}, {}, tmp_path).values


def test_a_file_above_the_limit_is_refused_and_one_at_the_limit_is_read(tmp_path: Path) -> None:
    file = tmp_path / "g6.yaml"
    file.write_bytes(b"#" * MAXIMUM_BYTES)
    load({}, {}, tmp_path, file)
    file.write_bytes(b"#" * (MAXIMUM_BYTES + 1))
    with pytest.raises(ConfigError, match=r"g6\.yaml: is larger than 1048576 bytes"):
        load({}, {}, tmp_path, file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^nowhere\.yaml: cannot be read: No such file"):
        load({}, {}, tmp_path, "nowhere.yaml")


def test_a_folder_or_a_pipe_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(ConfigError, match=f"^{name}: is not a file"):
            load({}, {}, tmp_path, name)


def test_deep_nesting_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "g6.yaml").write_text("[" * 100_000, "utf-8")
    with pytest.raises(ConfigError, match="nested too deeply"):
        load({}, {}, tmp_path, "g6.yaml")


def test_a_number_of_many_digits_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "g6.yaml").write_text(f"metrics: {{port: {'9' * 10_000}}}", "utf-8")
    with pytest.raises(ConfigError) as told:
        load({}, {}, tmp_path, "g6.yaml")
    assert len(str(told.value)) < 200


def test_every_key_and_item_has_its_line() -> None:
    document = parse("a:\n  b: 1\n\n  c:\n    - x\n    - y\n", "f")
    assert document.origin(("a", "b")) == "f:2"
    assert document.origin(("a", "c", 1)) == "f:6"
    assert document.origin(("a", "c", 1, "beyond")) == "f:6"
