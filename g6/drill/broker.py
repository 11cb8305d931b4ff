"""The broker of a drill, as a program: the simulated Kite on a clock of its own, told what to do line by line.

Each line of the standard input is an order in JSON, each answered by one line: `{"faults": [...]}` puts these entries
of a fault plan in force, `{"login": "simulated"}` gives a token, `{"end": "simulated"}` kills it, `{"shift": 20}` moves
the clock by so many of its seconds. It ends with its input.
"""

import json
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from g6.clock import VirtualClock
from g6.settings import load
from g6.simulator.kite_server.faults import FaultPlan
from g6.simulator.kite_server.server import KiteServer
from g6.simulator.market import SimulatedMarket
from g6.wiring.sources import load_market


class MovableClock(VirtualClock):
    """A clock that somebody moves while it runs."""

    moved = timedelta()

    def now(self) -> datetime:
        """Return the instant, as far away from the right one as it was moved."""
        return super().now() + self.moved


class ChangingPlan(FaultPlan):
    """A plan whose faults are replaced while it is in force."""

    def put(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Put these in force instead of all others. Raises ConfigError."""
        self.faults = FaultPlan.parse({"faults": list(entries)}).faults
        self._struck.clear()


def main(argv: Sequence[str]) -> int:
    """Serve from an instant on at a speed, on a port, in the sessions of a calendar with this override."""
    at, speed, port, override = argv
    settings = load({"market.calendar_override_file": override}, {}, Path.cwd())
    market, clock, plan = load_market(settings), MovableClock(datetime.fromisoformat(at), float(speed)), ChangingPlan()
    simulated = SimulatedMarket(6, market.indices, market.calendar, around=market.surroundings)
    with KiteServer(simulated, clock, faults=plan, port=int(port)) as server:
        orders: Mapping[str, Callable[[Any], object]] = {
            "faults": plan.put,
            "login": server.issue_token,
            "end": server.kill_token,
            "shift": lambda seconds: setattr(clock, "moved", timedelta(seconds=seconds)),
            "now": lambda _: clock.now().isoformat(),
        }
        _say({"port": server.port})
        for line in sys.stdin:
            ((word, value),) = json.loads(line).items()
            _say({"done": word, "answer": orders[word](value)})
    return 0


def _say(document: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    threading.current_thread().name = "orders"
    sys.exit(main(sys.argv[1:]))
