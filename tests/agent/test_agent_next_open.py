"""The page says when a session opens next, on the machine's clock, whatever clock the minutes follow."""

import time

import pytest
from bent_agent import DAY, agent_on

HOUR = 3600.0


@pytest.mark.parametrize(
    ("at", "speed", "hours"),
    [
        (f"{DAY}T07:15", "1", 2.0),
        (f"{DAY}T07:15", "60", 2.0 / 60),
        (f"{DAY}T10:15", "1", 71.0),  # a Friday: the next one is on Monday
        (f"{DAY}T16:15", "1", 65.0),
    ],
)
def test_the_next_open_is_as_far_away_as_the_calendar_says(settings_for, at: str, speed: str, hours: float) -> None:
    settings = settings_for(clock__at=f"{at}+05:30", clock__speed=speed, collection__indices="NIFTY,SENSEX")
    with agent_on(settings) as (_, parts):
        page = parts.observation.exposition.page()[0].decode()
    lines = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    left = float(lines["g6_market_next_open_timestamp_seconds"]) - time.time()
    assert left == pytest.approx(hours * HOUR, abs=30)
