"""What a person sets is what the database's client gets, and what is missing is said before anything starts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from g6.errors import ConfigError
from g6.settings import Settings, load
from g6.wiring.influx import influx_options, master_updates


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    def make(**influx: Any) -> Settings:
        return load({f"storage.influx.{key}": str(value) for key, value in influx.items()}, {}, tmp_path)

    return make


def test_every_setting_reaches_the_client(settings: Callable[..., Settings], tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-")
    given = {
        "url": "https://db:8086", "org": "desk", "bucket": "options", "batch_lines": 700, "batch_bytes": 250_000,
        "compress": False, "ca_file": tmp_path / "ca.pem", "timeout_seconds": 3.5, "maximum_wait_seconds": 90,
        "unconfirmed_seconds": 12,
    }  # fmt: skip
    written = {**given, "compress": "false"}
    options = influx_options(settings(**written), {"INFLUXDB_TOKEN": "canary"})
    assert {key: getattr(options, key) for key in given} == {**given, "ca_file": str(tmp_path / "ca.pem")}
    assert options.token == "canary"
    assert "canary" not in repr(options)


def test_the_defaults_are_those_of_the_client(settings: Callable[..., Settings]) -> None:
    options = influx_options(settings(), {})
    assert (options.batch_lines, options.batch_bytes) == (5_000, 1_000_000)
    assert (options.compress, options.ca_file, options.maximum_wait_seconds) == (True, None, 30)


def test_the_environment_stands_in_for_what_is_not_set(settings: Callable[..., Settings]) -> None:
    environ = {"INFLUXDB_URL": "http://other:1", "INFLUXDB_ORG": "theirs", "INFLUXDB_BUCKET": "b"}
    options = influx_options(settings(org="ours"), environ)
    assert (options.url, options.org, options.bucket) == ("http://other:1", "ours", "b")


def test_certificates_that_are_not_there_are_named(settings: Callable[..., Settings], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"storage\.influx\.ca_file: there is no file .*absent\.pem"):
        influx_options(settings(ca_file=tmp_path / "absent.pem"), {})


def test_without_masters_no_points_of_them_are_made(tmp_path: Path) -> None:
    without = load({"storage.masters.enabled": "false"}, {}, tmp_path)
    assert master_updates(without, tmp_path, "last") is None
    assert master_updates(load({}, {}, tmp_path), tmp_path, "last") is not None
