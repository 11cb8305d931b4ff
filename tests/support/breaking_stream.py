"""An agent on the broker's stream whose thread breaks after a minute. Prints a JSON object of what was told.

A process of its own: the reactor under the stream cannot be started twice.
"""

import json
import sys
import time
from pathlib import Path

from breaking_parts import BreakingParts
from kite_world import kite_world

NAME, SPEED = "kite_stream", 10.0  # a minute in six seconds
BREAKS_AFTER, BACK_AFTER, MINUTES = "10:01", "10:02", 5
STALL_SECONDS = 3  # after it nobody may take the board for the market any more
SETTINGS = {"providers.order": "kite-stream", "providers.kite_stream.stall_seconds": str(STALL_SECONDS)}


def main() -> None:
    fault, folder = sys.argv[1:]
    supervisor = BreakingParts(NAME, fault)
    with kite_world(Path(folder), "2026-11-20T10:00", (), SETTINGS, speed=SPEED, supervisor=supervisor) as world:

        def breaks() -> None:
            supervisor.break_it()
            time.sleep(1.2 * STALL_SECONDS)

        world.told.after[BREAKS_AFTER] = [breaks]
        world.told.after[BACK_AFTER] = [lambda: supervisor.pass_seconds(3)]
        world.run(MINUTES)
        supervisor.let_go()
        parts = {part.name: [part.state, part.restarts] for part in world.told.reports[-1].parts}
        seen = {"sentences": world.sentences(), "wrong": world.wrong_numbers(), "part": parts.get(NAME)}
        seen["providers"] = {f"{report.minute:%H:%M}": report.provider for report in world.told.reports}
        print(json.dumps(seen))


if __name__ == "__main__":
    main()
