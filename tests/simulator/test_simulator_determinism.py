"""The market is a pure function of seed, instant and contract: history, order, company and process play no part."""

import hashlib
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from g6.model.contracts import ContractTable
from g6.model.quotes import QUOTE_COLUMNS, Quotes
from g6.simulator.hashing import derive, mix, text_key, text_keys
from g6.simulator.market import SimulatedMarket

DAY = date(2026, 11, 20)


def chain(market: SimulatedMarket, index: str = "NIFTY", day: date = DAY) -> ContractTable:
    return market.contracts(index, day)


def assert_same(left: Quotes, right: Quotes) -> None:
    assert np.array_equal(left.answered, right.answered)
    for name in QUOTE_COLUMNS:
        assert np.array_equal(getattr(left, name), getattr(right, name), equal_nan=True), name


def test_the_order_of_questions_changes_nothing(indices, calendar, moment):
    instants = [moment(f"2026-11-{day}T{clock}") for day in (19, 20) for clock in ("09:15", "12:00:07", "15:39")]
    forwards, backwards = (SimulatedMarket(5, indices, calendar) for _ in range(2))
    asked = {at: forwards.quotes(chain(forwards, day=at.date()), at) for at in instants}
    for at in reversed(instants):
        backwards.spot("SENSEX", at)
        assert_same(asked[at], backwards.quotes(chain(backwards, day=at.date()), at))


def test_a_contract_is_quoted_alike_alone_and_in_any_company(market, moment):
    at, everyone = moment("2026-11-20T11:11:11"), chain(market)
    whole = market.quotes(everyone, at)
    some = np.random.default_rng(1).permutation(len(everyone))[:50]
    part = market.quotes(everyone.take(some), at)
    for name in QUOTE_COLUMNS:
        assert np.array_equal(getattr(whole, name)[some], getattr(part, name), equal_nan=True), name


def test_leaving_out_an_index_changes_no_other(market, indices, calendar, moment):
    at = moment("2026-11-20T14:00")
    alone = SimulatedMarket(market.seed, {"BANKNIFTY": indices["BANKNIFTY"]}, calendar)
    both = chain(market, "BANKNIFTY"), chain(alone, "BANKNIFTY")
    assert both[0].symbol.tolist() == both[1].symbol.tolist()
    assert_same(market.quotes(both[0], at), alone.quotes(both[1], at))
    assert market.spot("BANKNIFTY", at) == alone.spot("BANKNIFTY", at)


def test_the_width_of_text_columns_does_not_matter(market, moment):
    table, at = chain(market), moment("2026-11-20T14:00")
    wide = ContractTable.concatenate([table])
    assert wide.index.dtype != table.index.dtype
    assert_same(market.quotes(table, at), market.quotes(wide, at))


def test_another_seed_is_another_market(market, indices, calendar, moment):
    at = moment("2026-11-20T10:00")
    other = SimulatedMarket(market.seed + 1, indices, calendar)
    assert market.spot("NIFTY", at) != other.spot("NIFTY", at)


QUOTES_IN_A_FRESH_PROCESS = """
import hashlib, sys
from datetime import datetime
from pathlib import Path
from g6.market.indices import load_indices
from g6.market.sessions import SessionCalendar
from g6.simulator.market import SimulatedMarket
config = Path(sys.argv[1]) / "config"
market = SimulatedMarket(5, load_indices(config / "indices.yaml"), SessionCalendar.load(config / "calendar.yaml"))
at = datetime.fromisoformat("2026-11-20T10:00:03+05:30")
quotes = market.quotes(market.contracts("FINNIFTY", at.date()), at)
print(hashlib.sha256(quotes.last.tobytes() + quotes.oi.tobytes() + quotes.bid.tobytes()).hexdigest())
"""


def test_a_fresh_process_with_another_hash_seed_gives_the_same_bytes(project: Path, indices, calendar, moment):
    at = moment("2026-11-20T10:00:03")
    here = SimulatedMarket(5, indices, calendar)
    here.quotes(chain(here), at - timedelta(days=2))
    quotes = here.quotes(chain(here, "FINNIFTY"), at)
    expected = hashlib.sha256(quotes.last.tobytes() + quotes.oi.tobytes() + quotes.bid.tobytes()).hexdigest()
    command = [sys.executable, "-c", QUOTES_IN_A_FRESH_PROCESS, str(project)]
    told = subprocess.run(command, env={"PYTHONHASHSEED": "77"}, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == expected


def test_splitmix64_gives_its_published_numbers():
    # The first outputs for seed 1234567, as listed with the reference implementation at Rosetta Code.
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert derive(1234567, np.arange(4)).tolist() == expected


def test_mixing_loses_nothing():
    assert len(np.unique(mix(np.arange(100_000, dtype=np.uint64)))) == 100_000


@pytest.mark.parametrize("pair", [("NIFTY", "NIFTYNXT50"), ("AB", "BA"), ("CE", "PE"), ("", "A")])
def test_different_texts_have_different_keys(pair):
    assert text_key(pair[0]) != text_key(pair[1])
    assert text_keys(np.array(pair)).tolist() == [text_key(pair[0]), text_key(pair[1])]
