"""The agent of real parts, on a simulated market whose answers are bent on the way."""

from contextlib import contextmanager
from dataclasses import replace

from agent_process import rows_of

from g6.providers.facade import Facade
from g6.resilience.supervisor import Supervisor
from g6.unified_main import Agent
from g6.wiring import PROVIDERS, wire
from g6.wiring.sources import Run, load_market

DAY = "2026-11-20"
INDICES = ("NIFTY", "SENSEX")
PLAIN = ("--port", "0", "--concise", "--speed", "max", "--indices", *INDICES, "--data-dir", "data")


def straight(answer, *_asked):
    return answer


class Bent:
    """The simulated market, with each of its answers changed on the way by a function of one's own."""

    name = "bent"

    def __init__(self, provider, *, contracts=straight, spots=straight, quotes=straight):
        self._provider = provider
        self._contracts, self._spots, self._quotes = contracts, spots, quotes

    def contracts(self, indices, at):
        return self._contracts(self._provider.contracts(indices, at), at)

    def spots(self, indices, at):
        return self._spots(dict(self._provider.spots(indices, at)), at)

    def quotes(self, contracts, at):
        return self._quotes(self._provider.quotes(contracts, at), contracts, at)


@contextmanager
def agent_on(settings, change=lambda parts: {}, supervisor=None, **bends):
    """An agent of real parts on a bent provider; `change` gives further parts to replace."""
    run = Run(None, once=False, supervisor=supervisor or Supervisor())
    source = PROVIDERS["simulated"](settings, load_market(settings), run)
    with wire(settings, run) as parts:
        bent = replace(parts, provider=Facade(Bent(source.providers[0], **bends)))
        bent = replace(bent, **change(bent))
        yield Agent(bent), bent


def two_indices(settings_for, data="data", **changes):
    return settings_for(data, **{"clock__at": f"{DAY}T10:00+05:30", "collection__indices": "NIFTY,SENSEX"} | changes)


def run_bent(settings, cycles=2, change=lambda parts: {}, **bends):
    """Run these minutes; return the exit code and the last report."""
    with agent_on(settings, change, **bends) as (agent, parts):
        return agent.loop(cycles), parts.observation.state.report


def overview(root, index, day=DAY):
    return rows_of(root / "data" / "csv" / index / "overview" / f"{day}.csv")


def minutes(rows):
    return [row["ts"][11:16] for row in rows]
