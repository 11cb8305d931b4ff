"""Behind the broker, another recorder's journals answer for the very minutes that it recorded, and never silently."""

from pathlib import Path

import pytest
from kite_world import kite_world

DOWN = [{"name": "the broker is down", "on": "quote", "do": "status", "status": 503, "from": "10:02", "until": "10:04"}]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The data directory of another G6, which recorded from 10:00 to 10:02 and then no more."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    with kite_world(folder, "2026-11-20T10:00") as world:
        world.run(3)
    return folder / "data"


def test_a_minute_that_another_recorder_has_is_taken_from_it_and_says_so(tmp_path: Path, elsewhere: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    settings = {
        "providers.order": "kite,replay", "providers.replay.source": str(elsewhere),
        "providers.patience.breaker_open_seconds": "30",
    }  # fmt: skip
    with kite_world(here, "2026-11-20T10:00", DOWN, settings) as world:
        world.run(6)
        told, stored, page = world.sentences(), world.stored(), world.told.pages["end"]
        assert world.wrong_numbers() == []
    assert "replay instead of kite: kite.quote: the broker's server failed (HTTP 503)" in told["10:02"]
    assert stored["10:02"] == {"NIFTY": (22, 22), "SENSEX": (22, 22)}
    assert told["10:03"].startswith("failed: ")
    assert "no cycle of 2026-11-20 10:03 is in the journal" in told["10:03"]
    assert stored["10:03"] == {"NIFTY": (0, 0), "SENSEX": (0, 0)}
    assert told["10:04"].startswith("ok: ")
    assert page['g6_provider_failovers_total{provider="replay"}'] == 1
    assert page['g6_provider_active{provider="kite"}'] == 1
