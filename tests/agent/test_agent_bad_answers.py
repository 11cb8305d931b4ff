"""Bad answers: one leg, expiry, index or minute costs itself, and everything else is collected and stored."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from urllib.request import urlopen

import numpy as np
import pytest
from agent_process import rows_of, tree_of
from bent_agent import DAY, INDICES, Bent, agent_on, minutes, overview, run_bent, two_indices

from g6.analytics import Enricher
from g6.errors import AuthError, BadResponse, TransientError
from g6.model.contracts import FUTURE, ContractTable
from g6.model.quotes import Quotes, Spot
from g6.providers.facade import Facade
from g6.unified_main import FAILED, Agent
from g6.wiring import PROVIDERS, wire
from g6.wiring.sources import Run, load_market


def spot_of(index, level):
    """NIFTY's spot is this; None: it did not answer at all."""

    def bend(spots, _at):
        told = {} if level is None else {index: Spot(level, spots[index].quoted_at)}
        return {name: spot for name, spot in spots.items() if name != index} | told

    return bend


def raising(error):
    def bend(*_):
        raise error

    return bend


def nearest_nifty(contracts):
    """Which rows are options of NIFTY's nearest expiry."""
    options = (contracts.index == "NIFTY") & (contracts.kind != FUTURE)
    return options & (contracts.expiry == contracts.expiry[options].min())


# One index, expiry or leg costs itself.


@pytest.mark.parametrize("level", [np.nan, np.inf, 0.0, -5.0, None])
def test_an_index_without_a_usable_spot_costs_itself_alone(settings_for, tmp_path, level):
    code, report = run_bent(two_indices(settings_for), spots=spot_of("NIFTY", level))
    assert (code, report.status) == (0, "partial")
    assert "NIFTY refused: its spot" in str(report)
    assert "SENSEX 3 expiries, 186/186 quotes" in str(report)
    assert [row["collected_mask"] for row in overview(tmp_path, "NIFTY")] == ["0", "0"]
    assert all(row["collected_mask"] == row["expected_mask"] == "15" for row in overview(tmp_path, "SENSEX"))


def test_an_index_that_the_provider_does_not_know_costs_itself_alone(settings_for, tmp_path):
    code, report = run_bent(two_indices(settings_for), contracts=lambda listed, _: listed.take(listed.index != "NIFTY"))
    assert (code, report.status) == (0, "partial")
    assert "NIFTY refused: the provider lists no contracts of it" in str(report)
    assert len(overview(tmp_path, "SENSEX")) == len(overview(tmp_path, "NIFTY")) == 2


@pytest.mark.parametrize("error", [TransientError("gone"), ValueError("of no shape")])
def test_a_provider_that_breaks_at_the_start_costs_the_panel_its_expiries_alone(settings_for, capsys, error):
    settings, run = two_indices(settings_for), Run(None, once=False)
    source = PROVIDERS["simulated"](settings, load_market(settings), run)
    broken = Bent(source.providers[0], contracts=raising(error))
    with wire(settings, run, replace(source, providers=(broken,))) as parts:
        assert Agent(parts).loop(1) == FAILED
    assert "failed: " in capsys.readouterr().out


def test_an_expiry_without_contracts_costs_itself_alone(settings_for, tmp_path):
    def bend(listed, _at):
        nearest = nearest_nifty(listed)
        # One strike keeps the expiry listed, but no strike of it has both legs.
        nearest[np.flatnonzero(nearest)[0]] = False
        return listed.take(~nearest)

    code, report = run_bent(two_indices(settings_for), contracts=bend)
    assert (code, report.status) == (0, "partial")
    assert "NIFTY 2026-11-23 refused: no option contracts are listed" in str(report)
    files = tmp_path / "data" / "csv" / "NIFTY"
    assert not (files / "this_week").exists()
    assert len(rows_of(files / "next_week" / "atm" / f"{DAY}.csv")) == 2
    # The bits of this_week (1) and this_month (4) are missing.
    assert {(row["expected_mask"], row["collected_mask"]) for row in overview(tmp_path, "NIFTY")} == {("15", "10")}


def test_an_index_of_which_half_the_legs_are_absent_costs_itself_alone(settings_for, tmp_path):
    def bend(quotes, contracts, _at):
        here = ~((contracts.index == "NIFTY") & (np.arange(len(contracts)) % 2 == 0))
        prices = {name: np.where(here, getattr(quotes, name), np.nan) for name in ("last", "bid", "ask", "oi")}
        return replace(quotes, answered=quotes.answered & here, **prices)

    code, report = run_bent(two_indices(settings_for), quotes=bend)
    assert (code, report.status) == (0, "partial")
    assert "NIFTY 2026-11-23 refused: 31 of 62 legs answered, 80% are needed" in str(report)
    assert all(row["collected_mask"] == "15" for row in overview(tmp_path, "SENSEX"))


@pytest.mark.parametrize("price", [np.inf, -1.0, 1e300])
def test_a_leg_of_nonsense_costs_that_leg_alone(settings_for, tmp_path, price):
    def bend(quotes, contracts, _at):
        leg = np.flatnonzero(contracts.index == "NIFTY")[0]
        columns = {name: getattr(quotes, name).copy() for name in ("last", "bid", "ask", "average_price", "oi")}
        for values in columns.values():
            values[leg] = price
        return replace(quotes, **columns)

    assert run_bent(two_indices(settings_for), quotes=bend)[0] == 0
    assert run_bent(two_indices(settings_for, "clean"))[0] == 0
    mine, clean = tree_of(tmp_path / "data"), tree_of(tmp_path / "clean")
    assert mine.keys() == clean.keys()
    changed = {name for name in mine if mine[name] != clean[name] and "overview" not in name}
    # Its own strike's file; an expiry with two codes is stored under both.
    assert len({Path(name).parts[3] for name in changed}) == 1
    assert all(name.startswith("csv/NIFTY/this_") for name in changed)


@pytest.mark.parametrize("strike", [np.nan, 0.0])
def test_a_contract_with_an_impossible_strike_costs_that_leg_alone(settings_for, strike):
    def bend(listed, _at):
        strikes = listed.strike.copy()
        strikes[np.flatnonzero(nearest_nifty(listed))[0]] = strike
        return ContractTable(**{f: getattr(listed, f) for f in listed.__slots__} | {"strike": strikes})

    code, report = run_bent(two_indices(settings_for), contracts=bend)
    assert (code, report.status) == (0, "ok")


# A whole minute that fails: told, journalled with its reason, and the next one goes on.


@pytest.mark.parametrize(
    ("call", "error", "code", "said"),
    [
        ("quotes", TransientError("the vendor did not answer in 5 s"), 3, "the vendor did not answer in 5 s"),
        ("spots", BadResponse("not JSON"), 3, "not JSON"),
        ("contracts", AuthError("the token has expired; log in again"), 4, "log in again"),
        ("quotes", KeyError("last_price"), 3, "KeyError: 'last_price'"),
    ],
)
def test_a_provider_that_fails_once_costs_that_minute_alone(settings_for, tmp_path, capsys, call, error, code, said):
    def once(answer, *asked):
        if asked[-1].minute == 1:
            raise error
        return answer

    assert run_bent(two_indices(settings_for), 3, **{call: once})[0] == code
    told = capsys.readouterr().out.splitlines()[-3:]
    assert [line.split("  ")[1].split(":")[0] for line in told] == ["ok", "failed", "ok"]
    assert said in told[1]
    for index in INDICES:
        rows = overview(tmp_path, index)
        assert minutes(rows) == ["10:00", "10:01", "10:02"]
        assert [row["collected_mask"] for row in rows] == ["15", "0", "15"]


@pytest.mark.parametrize(
    "answer",
    [
        lambda quotes: Quotes(quotes.at, np.zeros(3, dtype=bool)),
        lambda quotes: None,
        lambda quotes: replace(quotes, at=quotes.at.replace(tzinfo=None)),
        lambda quotes: replace(quotes, last=np.full(len(quotes), "x", dtype=object)),
    ],
    ids=["too short", "nothing", "no time zone", "words"],
)
def test_an_answer_of_another_shape_costs_that_minute_alone(settings_for, tmp_path, answer):
    def once(quotes, _contracts, at):
        return answer(quotes) if at.minute == 0 else quotes

    code, report = run_bent(two_indices(settings_for), quotes=once)
    assert (code, report.status) == (3, "ok")
    assert [row["collected_mask"] for row in overview(tmp_path, "NIFTY")] == ["0", "15"]


def test_a_vendors_message_stays_one_line_without_control_characters(settings_for, capsys):
    run_bent(two_indices(settings_for), 1, quotes=raising(BadResponse("<html>\r\n\x1b[31mBad\tgateway\n</html>")))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith(DAY)]
    assert line.isprintable()
    assert "gateway" in line


def test_what_cannot_be_valued_is_stored_as_collected(settings_for, tmp_path):
    def fails_on_nifty(chain, _conventions):
        if chain.index == "NIFTY":
            raise ZeroDivisionError
        return chain

    code, report = run_bent(
        two_indices(settings_for), change=lambda parts: {
            "enrichers": (Enricher("failing", fails_on_nifty, may_be_shed=True), *parts.enrichers)
        },
    )  # fmt: skip
    assert code == 3
    assert "3 chains could not be valued and are stored as collected" in str(report)
    assert report.received == 372
    assert all(row["collected_mask"] == "15" for row in overview(tmp_path, "NIFTY"))
    assert len(rows_of(tmp_path / "data" / "csv" / "SENSEX" / "this_week" / "atm" / f"{DAY}.csv")) == 2


def test_an_overrun_is_counted_and_the_minute_that_it_ends_in_is_kept(settings_for, tmp_path):
    settings = two_indices(settings_for)
    with agent_on(settings) as (_, parts):

        def slow(quotes, _contracts, at):
            if at.minute == 1:
                parts.clock.wait_until(at + timedelta(seconds=150), Event())
            return quotes

        bent = replace(parts, provider=Facade(Bent(parts.provider, quotes=slow)))
        assert Agent(bent).loop(4) == 0
        page = urlopen(f"{parts.observation.url}/metrics", timeout=10).read().decode()
    assert minutes(overview(tmp_path, "NIFTY")) == ["10:00", "10:01", "10:03", "10:04"]
    (counted,) = [
        line for line in page.splitlines() if line.startswith("g6_cycles_skipped_total") and "overrun" in line
    ]
    assert counted.split()[1] == "1.0"


def test_whoever_breaks_on_being_told_stops_neither_the_minutes_nor_the_pages(settings_for, tmp_path):
    class Broken:
        """Fails at whatever it is asked to do."""

        def __getattr__(self, name):
            raise RuntimeError(name)

    def break_all(parts):
        broken = {name: Broken() for name in ("observer", "options_page", "state", "view")}
        return {"observation": replace(parts.observation, **broken)}

    with agent_on(two_indices(settings_for), break_all) as (agent, parts):
        assert agent.loop(3) == 0
        for page in ("/metrics", "/metrics/options", "/healthz", "/readyz", "/"):
            assert urlopen(f"{parts.observation.url}{page}", timeout=10).status == 200, page
    assert minutes(overview(tmp_path, "NIFTY")) == ["10:00", "10:01", "10:02"]
