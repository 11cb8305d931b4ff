"""A process that is started while the broker is away counts what the day's minutes wanted before it as lost."""

from pathlib import Path

from kite_world import kite_world


def test_an_outage_costs_as_much_over_a_restart_as_without(tmp_path: Path) -> None:
    with kite_world(tmp_path, "2026-11-20T10:00") as world:
        world.run(2)
        world.stop_server()
        world.run(2)
        after = world.told.pages["end"]
        assert [str(report).partition(":")[0] for report in world.told.reports] == ["ok", "ok", "failed", "failed"]
    for index in ("NIFTY", "SENSEX"):
        assert after[f'g6_legs_received_total{{index="{index}"}}'] == 0
        assert after[f'g6_legs_expected_total{{index="{index}"}}'] == 2 * 22
