"""Variables: every key by its long name, some by short ones, and no typing error unnoticed."""

from pathlib import Path

import pytest

from g6.errors import ConfigError
from g6.settings import load, schema
from g6.settings.environment import IGNORED, SHORT_NAMES, variables_of
from g6.settings.wording import written


def value(key: str, cwd: Path, **environ: str) -> object:
    return load({}, environ, cwd).values[key]


@pytest.mark.parametrize("key", schema.leaves())
def test_every_key_can_be_set_by_its_variable(key: str, tmp_path: Path) -> None:
    node = schema.leaves()[key]
    example = node["examples"][-1]
    beside = {"providers.order": {"G6_PROVIDERS__REPLAY__SOURCE": "recordings"}}.get(key, {})
    name = variables_of(key)[-1]
    settings = load({}, {name: written(example), **beside}, tmp_path)
    assert settings.values[key] == example
    assert settings.origins[key] == f"environment {name}"


@pytest.mark.parametrize("name", SHORT_NAMES)
def test_every_short_name_sets_a_key_that_exists(name: str) -> None:
    assert SHORT_NAMES[name] in schema.leaves()


def test_short_names_set_their_keys(tmp_path: Path) -> None:
    environ = {
        "G6_DATA_DIR": "mine", "G6_PORT": "0", "G6_PROVIDER": "simulated", "G6_INDICES": "NIFTY, SENSEX",
        "G6_INTERVAL": "5", "G6_CONCISE_LOGS": "1", "G6_LOG_LEVEL": "debug",
    }  # fmt: skip
    settings = load({}, environ, tmp_path)
    assert settings.storage.data_dir == tmp_path / "mine"
    assert settings.metrics.port == 0
    assert settings.collection.indices == ("NIFTY", "SENSEX")
    assert settings.collection.interval_seconds == 5
    assert settings.console.concise is True
    assert settings.logging.level == "DEBUG"


@pytest.mark.parametrize("text", ["NIFTY,SENSEX", "NIFTY SENSEX", " nifty , sensex ", "[NIFTY, SENSEX]"])
def test_a_list_may_be_written_with_commas_blanks_or_brackets(text: str, tmp_path: Path) -> None:
    assert value("collection.indices", tmp_path, G6_INDICES=text) == ["NIFTY", "SENSEX"]


@pytest.mark.parametrize(("text", "meant"), [("1", True), ("0", False), ("yes", True), ("OFF", False), ("True", True)])
def test_a_switch_understands_the_usual_words(text: str, meant: bool, tmp_path: Path) -> None:
    assert value("greeks.enabled", tmp_path, G6_GREEKS__ENABLED=text) is meant


@pytest.mark.parametrize(
    ("environ", "meant"),
    [
        ({"G6_FORCE_ASCII": "1"}, True),
        ({"G6_FORCE_UNICODE": "1"}, False),
        ({"G6_FORCE_ASCII": "0"}, None),
        ({"G6_FORCE_UNICODE": "0"}, None),
        ({"G6_FORCE_ASCII": "1", "G6_FORCE_UNICODE": "0"}, True),
        ({"G6_FORCE_ASCII": "0", "G6_FORCE_UNICODE": "1"}, False),
    ],
)
def test_the_two_console_switches_are_one_key(environ: dict[str, str], meant: bool | None, tmp_path: Path) -> None:
    assert load({}, environ, tmp_path).console.force_ascii is meant


def test_both_console_switches_on_contradict_each_other(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="contradicts G6_FORCE_ASCII"):
        load({}, {"G6_FORCE_ASCII": "1", "G6_FORCE_UNICODE": "1"}, tmp_path)


@pytest.mark.parametrize("text", ["maybe", "[1]", "{a: 1}"])
def test_a_console_switch_that_is_neither_on_nor_off_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"console\.force_ascii"):
        load({}, {"G6_FORCE_ASCII": text}, tmp_path)


def test_a_short_and_a_long_name_may_agree_but_not_differ(tmp_path: Path) -> None:
    assert value("metrics.port", tmp_path, G6_PORT="7", G6_METRICS__PORT="7") == 7
    with pytest.raises(ConfigError, match=r"environment G6_PORT: metrics\.port: 8 contradicts G6_METRICS__PORT=7"):
        load({}, {"G6_PORT": "8", "G6_METRICS__PORT": "7"}, tmp_path)


def test_a_variable_that_is_empty_is_not_set(tmp_path: Path) -> None:
    assert load({}, {"G6_PORT": "", "G6_DATA_DIR": " ", "G6_CONFIG": ""}, tmp_path).metrics.port == 9108


def test_an_unknown_variable_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        load({}, {"G6_METRICS__PROT": "1", "G6_INTERVALL": "5"}, tmp_path)
    assert str(told.value).splitlines() == [
        "environment G6_INTERVALL: unknown variable (value 5); the nearest known variable is G6_INTERVAL",
        "environment G6_METRICS__PROT: unknown variable (value 1); the nearest known variable is G6_METRICS__PORT",
    ]


def test_the_value_of_an_unknown_variable_that_may_be_a_secret_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        load({}, {"G6_KITE_API_KEY": "hunter2", "G6_ACCESS_TOKEN": "hunter2"}, tmp_path)
    assert "hunter2" not in str(told.value)


def test_variables_of_older_systems_are_named_in_one_warning_and_ignored(tmp_path: Path) -> None:
    settings = load({}, dict.fromkeys(IGNORED, "1"), tmp_path)
    (warning,) = settings.warnings
    assert all(name in warning for name in IGNORED)
    assert load({}, {}, tmp_path).warnings == ()


def test_variables_of_others_are_not_looked_at(tmp_path: Path) -> None:
    load({}, {"PATH": "/bin", "KITE_API_KEY": "x", "g6_port": "x", "G6": "x"}, tmp_path)


def test_one_index_can_be_switched_off_by_a_variable(tmp_path: Path) -> None:
    settings = load({}, {"G6_INDEX_PARAMS__BANKEX__ENABLE": "0"}, tmp_path)
    assert "BANKEX" not in settings.enabled_indices
