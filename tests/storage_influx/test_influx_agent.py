"""The agent's own minutes in a real VictoriaMetrics: every measurement is there."""

from pathlib import Path

from victoria_metrics import VictoriaMetrics

from g6.settings import load
from g6.unified_main import run

MEASUREMENTS = {
    "option_data", "options_overview", "index_overview", "weekday_master_updates", "monitor_status", "pipeline_tick",
    "broker_health", "influx_write_stats",
}  # fmt: skip


def measurements_in(victoria: VictoriaMetrics) -> set[str]:
    """The names before the fields'."""
    names = {series["metric"]["__name__"] for series in victoria.series('{__name__!=""}')}
    return {known for known in MEASUREMENTS for name in names if name.startswith(f"{known}_")} | {
        name for name in names if not name.startswith(tuple(f"{known}_" for known in MEASUREMENTS))
    }


def test_every_measurement_is_there_after_the_agents_minutes(victoria: VictoriaMetrics, tmp_path: Path) -> None:
    arguments = {
        "collection.indices": "NIFTY", "collection.strikes_itm": "2", "collection.strikes_otm": "2",
        "clock.at": "2026-11-20T10:00+05:30", "clock.speed": "max", "storage.data_dir": str(tmp_path / "data"),
        "storage.influx.enabled": "true", "storage.influx.url": victoria.url, "metrics.enabled": "false",
        "console.concise": "true", "logging.level": "ERROR",
    }  # fmt: skip
    assert run(load(arguments, {}, tmp_path), cycles=3) == 0
    assert measurements_in(victoria) == MEASUREMENTS
