"""Every kind of mistake in a file, one folder each: `config.yaml` or `config.json`, and the lines it must give."""

from pathlib import Path

import pytest

from g6.errors import ConfigError
from g6.settings import load

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mistake_is_told_in_the_expected_lines(case: Path) -> None:
    (file,) = case.glob("config.*")
    with pytest.raises(ConfigError) as told:
        load({}, {}, case, file.name)
    assert str(told.value).splitlines() == (case / "expected.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_line_shows_what_may_be_a_secret(case: Path) -> None:
    (file,) = case.glob("config.*")
    with pytest.raises(ConfigError) as told:
        load({}, {}, case, file.name)
    assert "hunter2" not in str(told.value)
