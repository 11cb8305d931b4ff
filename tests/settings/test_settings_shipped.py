"""Shipped files are found in a clone and in an installation, and only our own are."""

import sys
from pathlib import Path

import pytest

from g6.errors import ConfigError
from g6.settings import shipped

MODULE = sys.modules["g6.settings.shipped"]


def test_in_a_clone_the_files_beside_the_package_are_taken(project: Path) -> None:
    assert shipped("g6.schema.json") == project / "config" / "g6.schema.json"


def test_a_file_that_nobody_ships_is_a_broken_installation() -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml: this file comes with G6 and is missing"):
        shipped("nothing.yaml")


def test_an_installation_has_them_in_a_package_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "g6_config").mkdir()
    (tmp_path / "g6_config" / "g6.yaml").write_text("", "utf-8")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "g6.yaml").write_text("another program's", "utf-8")
    monkeypatch.setattr(MODULE, "PROJECT", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert shipped("g6.yaml") == tmp_path / "g6_config" / "g6.yaml"
