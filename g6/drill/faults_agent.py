"""Faults of the agent and of what it lives on."""

import resource
import time
from collections.abc import Mapping
from typing import Any

from g6.drill.fault import Fault
from g6.drill.world import World

STARTS = 4
SMALLEST_LIMIT_BYTES = 67_108_864


def _kill(world: World) -> None:
    world.agent.kill()


def _start(world: World) -> None:
    world.agent.start()


def _bend(world: World) -> None:
    world.bend()


def _straighten(world: World) -> None:
    world.straighten()


def _short_of_memory(world: World) -> None:
    world.agent.restart({"governor.limit_bytes": str(SMALLEST_LIMIT_BYTES)})


def _restart(world: World) -> None:
    world.agent.restart()


def _few_descriptors(world: World) -> None:
    open_files = int(world.agent.metric("process_open_fds"))
    _, hard = resource.prlimit(world.agent.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(world.agent.pid, resource.RLIMIT_NOFILE, (open_files + open_files // 8, hard))


def _all_descriptors(world: World) -> None:
    _, hard = resource.prlimit(world.agent.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(world.agent.pid, resource.RLIMIT_NOFILE, (hard, hard))


def _again_and_again(world: World) -> None:
    for _ in range(STARTS):
        world.agent.kill()
        world.agent.start()
        time.sleep(1.0)


def _nothing(_world: World) -> None:
    """Do nothing: it ends by itself, or there was nothing."""


def _no_prometheus(world: World) -> None:
    world.prometheus.stop()


def _calendar_ends(world: World) -> None:
    world.agent.restart({"market.calendar_override_file": str(world.calendar(10))})


def _calendar_goes_on(world: World) -> None:
    world.agent.restart({"market.calendar_override_file": str(world.calendar(400))})


def _bent(says: str, name: str, **more: Any) -> Fault:
    return Fault(says, _bend, _straighten, bend=name, **more)


AGENT: Mapping[str, Fault] = {
    "none": Fault(
        "nothing; then Prometheus is gone, and the receiver hears of it", _nothing, _no_prometheus, calm=1, always=True
    ),
    "agent_killed": Fault("g6 is ended by kill -9, and started again", _kill, _start),
    "agent_restarting": Fault("g6 is ended by kill -9 four times", _again_and_again, _nothing, heals=40),
    "loop_hangs": _bent("the loop does not come to the next minute", "loop_hangs"),
    "cycles_overrun": _bent("quotes take longer than a minute to come", "cycles_overrun", heals=40),
    "memory_short": Fault("g6 may have 64 MB", _short_of_memory, _restart, fires=30),
    "memory_flapping": _bent(
        "ballast comes and goes, and with it the memory level", "memory_flapping", fires=60, heals=60,
        settings={"governor.limit_bytes": "480000000"}, pace=2,
    ),
    "descriptors_short": Fault(
        "g6 may open few files more than it has open", _few_descriptors, _all_descriptors, linux=True
    ),
    "part_fails": _bent("a background part raises, and raises again", "part_fails"),
    "collector_raises": _bent("a collector of metrics raises at each scrape", "collector_raises"),
    "too_many_series": _bent("a label has a thousand values", "too_many_series"),
    "check_breaks": _bent("a health check raises", "check_breaks"),
    "clock_stepped": _bent("the clock jumps by ten minutes", "clock_stepped"),
    "calendar_short": Fault(
        "the session calendar ends in ten days", _calendar_ends, _calendar_goes_on, by_the_calendar=True, fires=30,
        settings={"market.calendar_override_file": "{calendar}"},
    ),
}  # fmt: skip
