"""The real agent, all of its real parts, with one thing in it that goes wrong while a file is there.

`python -m g6.drill.bent_agent FAULT FILE [--set KEY=VALUE ...]`: for what no surroundings of an agent can bring about.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from g6.drill.bends import BENDS, Switch
from g6.settings import load
from g6.unified_main import Agent
from g6.wiring import PROVIDERS, wire
from g6.wiring.sources import Run, load_market


def main(argv: Sequence[str]) -> int:
    """Run the agent with this fault in it."""
    name, file, *options = argv
    given = dict(word.split("=", 1) for word in options if word != "--set")
    settings = load(given, {}, Path.cwd())
    run, market = Run(None, once=False), load_market(settings)
    bend, switch = BENDS[name], Switch(Path(file))
    source = bend.of_source(PROVIDERS[settings.providers.order[0]](settings, market, run), market, switch)
    with wire(settings, run, source) as parts:
        bend.of_parts(parts, switch)
        agent = Agent(parts)
        with agent.signals():
            return agent.loop(None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
