"""The file that is shipped and written changes nothing, and shows every key as it is."""

import re
from pathlib import Path

from g6.settings import load, schema
from g6.settings.template import template


def uncommented(text: str) -> str:
    """A line that has a name right after its # is a key; words have a blank between."""
    return re.sub(r"^( *)#(?=\w)", r"\1", text, flags=re.MULTILINE)


def test_the_shipped_file_is_what_is_written_today(project: Path) -> None:
    assert (project / "config" / "g6.yaml").read_text("utf-8") == template()


def test_the_written_file_changes_nothing_for_any_provider(tmp_path: Path) -> None:
    (tmp_path / "g6.yaml").write_text(template(), "utf-8")
    (tmp_path / "empty.yaml").write_text("", "utf-8")
    for arguments in ({}, {"providers.order": "replay", "providers.replay.source": "recordings"}):
        with_file = load(arguments, {}, tmp_path, "g6.yaml")
        without = load(arguments, {}, tmp_path, "empty.yaml")
        assert with_file.values == without.values
        assert with_file.origins == without.origins


def test_uncommenting_every_key_gives_every_key_its_default(tmp_path: Path) -> None:
    (tmp_path / "g6.yaml").write_text(uncommented(template()), "utf-8")
    settings = load({}, {}, tmp_path, "g6.yaml")
    assert settings.values == schema.defaults() | {"storage.data_dir": "data/live"}
    assert all(origin.startswith("g6.yaml:") for origin in settings.origins.values())


def test_every_key_stands_below_its_explanation() -> None:
    text = " ".join(line.strip(" #") for line in template().splitlines())
    assert all(node["description"] in text for node in schema.leaves().values())


def test_no_line_is_wider_than_a_wide_terminal() -> None:
    assert max(map(len, template().splitlines())) <= 120
