"""`g6 check` as a person calls it, and a desk whose provider lists what a test wants."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from g6.checks.desk import Desk
from g6.cli import check
from g6.cli.surroundings import Surroundings
from g6.clock import VirtualClock
from g6.market.indices import IndexDefinition
from g6.market.schedule import SessionSchedule
from g6.model.contracts import EMPTY_CONTRACTS, ContractTable
from g6.model.provider_report import CallNames, DumpReport, ProviderReport
from g6.model.quotes import Quotes, Spot
from g6.resilience.deadline import Deadline
from g6.settings import load
from g6.wiring.sources import Source, load_market

Checked = tuple[int, str]


@dataclass
class Lister:
    """A provider that lists these contracts, out of this dump, and quotes nothing."""

    listed: ContractTable
    dump: DumpReport | None = None
    name: str = "kite"

    def contracts(self, indices: Sequence[IndexDefinition], at: datetime) -> ContractTable:
        return self.listed.take(np.isin(self.listed.index, [index.name for index in indices]))

    def spots(self, indices: Sequence[IndexDefinition], at: datetime) -> Mapping[str, Spot]:
        return {}

    def quotes(self, contracts: ContractTable, at: datetime) -> Quotes:
        return Quotes(at, np.zeros(len(contracts), bool))

    def report(self) -> ProviderReport:
        return ProviderReport(self.name, dump=self.dump)


def ist(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+05:30")


@pytest.fixture
def desk_of(tmp_path: Path) -> Callable[..., Desk]:
    """A desk at an instant whose one provider lists `listed`: `desk_of(table, "2026-08-18T10:00", dump)`."""

    def make(
        listed: ContractTable = EMPTY_CONTRACTS, at: str = "2026-08-18T10:00", dump: DumpReport | None = None,
        names: Sequence[str] = ("NIFTY",), **changes: str,
    ) -> Desk:  # fmt: skip
        settings = load({key.replace("__", "."): value for key, value in changes.items()}, {}, tmp_path)
        market, clock = load_market(settings), VirtualClock(ist(at), float("inf"))
        source = Source(
            providers=(Lister(listed, dump),), market="live", clock=clock,
            schedule=SessionSchedule(market.calendar, ("NSE",), 60), names=tuple(names), said="a test's list",
            deadline=Deadline(clock, float("inf")), calls=CallNames(),
        )  # fmt: skip
        return Desk(settings, market, source)

    return make


@pytest.fixture
def checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Checked]:
    """Run `g6 check` in the test's folder, with nothing of ours in the environment; returns exit code and output."""

    def run(*arguments: str, **environ: str) -> Checked:
        capsys.readouterr()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("G6_", "KITE_"))}
        code = check.main(arguments, Surroundings(clean | environ, tmp_path))
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def checked_json(checked: Callable[..., Checked]) -> Callable[..., tuple[int, dict[str, Any]]]:
    """The same, in the form for machines."""

    def run(*arguments: str, **environ: str) -> tuple[int, dict[str, Any]]:
        code, out = checked(*arguments, "--json", **environ)
        return code, json.loads(out)

    return run
