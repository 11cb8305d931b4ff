"""`g6 runbook`: the names of alerts, and a page as it was written."""

from pathlib import Path

import pytest

from g6 import cli
from g6.alerting import ALERTS, runbooks
from g6.errors import ConfigError


def test_without_a_name_it_lists_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["runbook"]) == 0
    assert capsys.readouterr().out.splitlines() == list(ALERTS)


def test_it_prints_the_page(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    assert cli.main(["runbook", "G6DiskLow"]) == 0
    assert capsys.readouterr().out == (project / "alerts" / "runbooks" / "G6DiskLow.md").read_text()


def test_a_wrong_name_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["runbook", "G6DiskLo"]) == 2
    assert "the nearest is G6DiskLow" in capsys.readouterr().err


def test_an_installation_has_the_pages_in_a_package_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A name of its own: an editable installation finds the clone's pages under the real one.
    (tmp_path / "installed_pages").mkdir()
    (tmp_path / "installed_pages" / "G6Down.md").write_text("installed", "utf-8")
    monkeypatch.setattr(runbooks, "PROJECT", tmp_path)
    monkeypatch.setattr(runbooks, "PACKAGE", "installed_pages")
    monkeypatch.syspath_prepend(tmp_path)
    assert runbooks.runbook("G6Down") == "installed"
    with pytest.raises(ConfigError, match="install G6 again"):
        runbooks.runbook("G6DiskLow")


def test_only_the_name_of_an_alert_becomes_a_path() -> None:
    for name in ("../alertmanager", "G6Nothing", ""):
        with pytest.raises(KeyError):
            runbooks.runbook(name)
