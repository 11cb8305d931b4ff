"""Between the minutes nothing is asked, and the status says all the same that a token ended or a person logged in."""

from pathlib import Path

import pytest
from kite_world import World, kite_world


def problems(world: World) -> set[str]:
    """What `g6 status` would tell of after its next look."""
    health = world.told.observation.health  # type: ignore[attr-defined]
    health.look()
    return {problem.id for problem in health.problems}


@pytest.mark.long
def test_a_login_before_the_open_ends_the_problem_at_once(tmp_path: Path) -> None:
    found: list[set[str]] = []
    with kite_world(tmp_path, "2026-11-19T15:38") as world:

        def look() -> None:
            found.append(problems(world))

        world.told.after["probe 08:45"] = [look, world.log_in, look]
        world.told.after["09:15"] = [look]
        world.run(4)
        before, after, open_ = found
        (token,) = world.told.observation.health.document().provider.tokens  # type: ignore[attr-defined]
    assert "token_dead" in before
    assert not {"token_dead", "provider_trouble"} & (after | open_)
    assert (token.account, token.state, token.reason) == ("kite", "valid", "")


@pytest.mark.long
def test_a_token_that_ends_in_the_night_is_dead_before_anybody_asks(tmp_path: Path) -> None:
    found: list[set[str]] = []
    with kite_world(tmp_path, "2026-11-19T15:38") as world:
        world.told.after["15:39"] = [lambda: found.append(problems(world))]
        closed = world.told.probed
        world.told.probed = lambda market: (found.append(problems(world)), closed(market))  # type: ignore[method-assign]
        world.run(3)
    evening, *_, morning = found  # the morning's is seen before the probe is told of
    assert "token_dead" not in evening
    assert "token_dead" in morning
