"""Which layer wins, where each value is said to come from, and what becomes of it."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from g6.errors import ConfigError
from g6.settings import Argument, Depth, Settings, load

KEY = "collection.strikes_itm"
REPLAY = "providers:\n  order: [replay]\n  replay: {source: recordings}\n"


def loaded(cwd: Path, text: str = "", arguments: dict[str, str] | None = None, **environ: str) -> Settings:
    (cwd / "config").mkdir(exist_ok=True)
    (cwd / "config" / "g6.yaml").write_text(text, "utf-8")
    return load(arguments or {}, environ, cwd)


def of(settings: Settings, key: str = KEY) -> tuple[object, str]:
    return settings.values[key], settings.origins[key]


def test_without_any_layer_the_default_holds(tmp_path: Path) -> None:
    assert of(loaded(tmp_path)) == (15, "default")


def test_a_providers_default_beats_the_default(tmp_path: Path) -> None:
    assert of(loaded(tmp_path, REPLAY)) == ("all", "provider replay")


def test_the_file_beats_the_providers_default_and_names_its_line(tmp_path: Path) -> None:
    text = REPLAY + "collection:\n\n  strikes_itm: 7\n"
    assert of(loaded(tmp_path, text)) == (7, "config/g6.yaml:6")


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "collection: {strikes_itm: 7}\n", G6_COLLECTION__STRIKES_ITM="8")
    assert of(settings) == (8, "environment G6_COLLECTION__STRIKES_ITM")


def test_an_argument_beats_the_environment_and_names_its_flag(tmp_path: Path) -> None:
    environ = {"G6_COLLECTION__STRIKES_ITM": "8", "G6_PORT": "1"}
    settings = load({KEY: "9", "metrics.port": Argument("2", "--port")}, environ, tmp_path)
    assert of(settings) == (9, "--set")
    assert of(settings, "metrics.port") == (2, "--port")


def test_the_provider_that_decides_may_come_from_any_layer(tmp_path: Path) -> None:
    source = {"providers.replay.source": "recordings"}
    by_file = loaded(tmp_path, REPLAY)
    by_variable = loaded(tmp_path, "", source, G6_PROVIDER="replay")
    by_flag = loaded(tmp_path, "", {**source, "providers.order": "replay"})
    for settings in (by_file, by_variable, by_flag):
        assert of(settings, "storage.data_dir") == ("data/replay", "provider replay")
        assert math.isinf(settings.clock.speed)
        assert settings.collection.strikes_otm is None


def test_simulated_quotes_have_a_folder_of_their_own(tmp_path: Path) -> None:
    simulated = loaded(tmp_path).storage.data_dir
    replayed = loaded(tmp_path, REPLAY).storage.data_dir
    assert simulated == tmp_path / "data" / "simulated"
    assert replayed == tmp_path / "data" / "replay"


def test_a_stronger_layer_replaces_a_list_and_leaves_the_section_beside_it(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "collection: {indices: [NIFTY, SENSEX], strikes_otm: 3}\n", G6_INDICES="BANKEX")
    assert settings.collection.indices == ("BANKEX",)
    assert settings.collection.strikes_otm == 3


def test_the_file_is_that_of_the_flag_then_of_the_variable_then_the_usual_one(tmp_path: Path) -> None:
    for name, port in {"a.yaml": 1, "b.yaml": 2}.items():
        (tmp_path / name).write_text(f"metrics: {{port: {port}}}\n", "utf-8")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "g6.yaml").write_text("metrics: {port: 3}\n", "utf-8")
    environ = {"G6_CONFIG": "b.yaml"}
    assert of(load({}, environ, tmp_path, "a.yaml"), "metrics.port") == (1, "a.yaml:1")
    assert of(load({}, environ, tmp_path), "metrics.port") == (2, "b.yaml:1")
    assert of(load({}, {}, tmp_path), "metrics.port") == (3, "config/g6.yaml:1")


def test_without_a_file_here_the_shipped_one_is_read(tmp_path: Path, project: Path) -> None:
    assert load({}, {}, tmp_path).file == project / "config" / "g6.yaml"


def test_json_is_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "g6.json").write_text('{\n\t"metrics": {"port": 5, "host": "::1"},\n\t"market": null\n}\n', "utf-8")
    settings = load({}, {}, tmp_path, "g6.json")
    assert (settings.metrics.port, settings.metrics.host) == (5, "::1")


def test_problems_of_all_layers_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "g6.yaml").write_text("metrics: {port: x}\n", "utf-8")
    with pytest.raises(ConfigError) as told:
        load({"clock.speed": Argument("slow", "--speed")}, {"G6_INTERVAL": "0"}, tmp_path, "g6.yaml")
    places = [line.split(": ")[0] for line in str(told.value).splitlines()]
    assert places == ["g6.yaml:1", "environment G6_INTERVAL", "--speed"]


def test_paths_start_at_the_working_directory_unless_absolute(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "", {"storage.data_dir": "mine", "logging.file": "/var/log/g6.log"})
    assert settings.storage.data_dir == tmp_path / "mine"
    assert settings.logging.file == Path("/var/log/g6.log")
    assert settings.market.calendar_file is None


def test_an_instant_is_the_same_instant_in_ist(tmp_path: Path) -> None:
    for text in ("2026-11-20T10:00+05:30", "2026-11-20T04:30Z", "2026-11-20T04:30:00.0+00:00"):
        at = loaded(tmp_path, f"clock: {{at: {text}}}\n").clock.at
        assert at == datetime(2026, 11, 20, 4, 30, tzinfo=UTC)
        assert at.tzname() == "IST"


def test_a_whole_number_written_as_a_fraction_is_an_int(tmp_path: Path) -> None:
    interval = loaded(tmp_path, "collection: {interval_seconds: 30.0}\n").collection.interval_seconds
    assert (interval, type(interval)) == (30, int)


def test_a_name_or_path_that_looks_like_a_number_stays_a_text(tmp_path: Path) -> None:
    assert loaded(tmp_path, "", {"storage.data_dir": "2026"}).storage.data_dir == tmp_path / "2026"


def test_yaml_does_not_take_times_and_leading_zeros_for_numbers(tmp_path: Path) -> None:
    for text in ("010", "1:00", "0x10", '"1000"'):
        with pytest.raises(ConfigError, match=r"metrics\.port"):
            loaded(tmp_path, f"metrics:\n  port: {text}\n")
    assert loaded(tmp_path, "metrics:\n  port: 1_000\n").metrics.port == 1000


def test_a_remote_address_is_taken_when_it_is_said_to_be_meant(tmp_path: Path) -> None:
    assert loaded(tmp_path, "metrics: {host: 0.0.0.0, allow_remote: true}\n").metrics.host == "0.0.0.0"
    assert loaded(tmp_path, "metrics: {host: localhost}\n").metrics.host == "localhost"
    with pytest.raises(ConfigError, match="allow_remote"):
        loaded(tmp_path, "metrics: {host: example.org}\n")


def test_an_index_without_params_has_the_collections_depth(tmp_path: Path) -> None:
    plan = loaded(tmp_path, "collection: {strikes_itm: 3, strikes_otm: all, expiries: [this_month]}\n")
    assert plan.index_plan("NIFTY") == {"this_month": Depth(3, None)}


def test_the_nearest_word_on_depth_wins(tmp_path: Path) -> None:
    text = """
collection: {strikes_itm: 3, strikes_otm: 4}
index_params:
  NIFTY:
    expiries: [next_month, this_week]
    strikes_itm: 10
    by_expiry:
      this_week: {strikes_otm: all}
      this_month: {strikes_otm: 1}
"""
    settings = loaded(tmp_path, text, {"index_params.NIFTY.by_expiry.next_month.strikes_itm": "0"})
    assert list(settings.index_plan("NIFTY").items()) == [("next_month", Depth(0, 4)), ("this_week", Depth(10, None))]
    assert settings.index_plan("SENSEX")["this_week"] == Depth(3, 4)


def test_an_index_switched_off_is_left_out_and_the_order_kept(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "index_params:\n  BANKNIFTY: {enable: false}\n  SENSEX: {enable: true}\n")
    assert settings.enabled_indices == ("NIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX", "BANKEX")


def test_index_params_may_be_given_as_one_mapping(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "", {"index_params": "{NIFTY: {strikes_itm: 2}}"})
    assert of(settings, "index_params.NIFTY.strikes_itm") == (2, "--set")


def test_a_section_with_every_line_commented_out_is_no_mistake(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "storage:\n  csv:\n  journal:\nindex_params:\n  NIFTY:\n")
    assert set(settings.origins.values()) == {"default", "provider simulated"}


def test_what_is_loaded_cannot_be_changed(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    with pytest.raises(AttributeError):
        settings.metrics.port = 1  # type: ignore[misc]  # that it is refused is the point
    with pytest.raises(TypeError):
        settings.values["metrics.port"] = 1  # type: ignore[index]  # that it is refused is the point


@pytest.mark.parametrize(("interval", "changes"), [("60", None), ("300", None), ("1071", None), ("1072", 20),
                                                   ("3600", 6)])  # fmt: skip
def test_an_interval_at_which_nothing_out_of_the_ordinary_can_be_found_is_told(
    tmp_path: Path, interval: str, changes: int | None
) -> None:
    """A session of 375 minutes has its cycles every so many seconds; 20 changes come before the first judgement."""
    told = loaded(tmp_path, arguments={"collection.interval_seconds": interval}).warnings
    if changes is None:
        assert told == ()
        return
    (line,) = told
    assert f"a session has {changes} changes at {interval} seconds" in line
    off = {"collection.interval_seconds": interval, "anomalies.enabled": "false"}
    assert loaded(tmp_path, arguments=off).warnings == ()
