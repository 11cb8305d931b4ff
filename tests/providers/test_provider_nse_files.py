"""NSE's own files, as a recording: units, the exchange's numbers kept, and what happens to malformed ones."""

import gzip
import json
import logging
from datetime import datetime

import numpy as np
import pytest

from g6.clock import IST
from g6.errors import BadResponse, ConfigError
from g6.market.indices import load_indices
from g6.market.sessions import SessionCalendar
from g6.model.contracts import FUTURE
from g6.providers.nse_files import NseRecording
from g6.providers.replay import ReplayProvider

CLOSE = datetime(2025, 12, 5, 15, 30, tzinfo=IST)


@pytest.fixture(scope="module")
def calendar(project):
    return SessionCalendar.load(project / "config" / "calendar.yaml")


@pytest.fixture(scope="module")
def definitions(project):
    return load_indices(project / "config" / "indices.yaml")


@pytest.fixture(scope="module")
def recording(market_data, definitions, calendar):
    return NseRecording(market_data / "nse_option_chain", definitions, calendar)


def document(market_data, name):
    with gzip.open(market_data / "nse_option_chain" / name) as file:
        return json.load(file)


def test_every_file_is_a_minute(recording):
    minutes = recording.minutes()
    assert len(minutes) == 17
    assert minutes[0] == datetime(2025, 10, 21, 14, 25, tzinfo=IST)
    assert minutes[-1] == CLOSE
    assert list(recording.indices()) == ["NIFTY"]
    assert recording.unreadable == []


def test_open_interest_comes_in_units_of_each_expirys_own_lot(recording, market_data):
    minute = recording.load(CLOSE)
    lots = dict(zip(minute.contracts.expiry.astype(str).tolist(), minute.contracts.lot.tolist(), strict=True))
    # 75 until the December 2025 expiries, 65 from January 2026 (NSE/FAOP/70616).
    assert lots["2025-12-09"] == 75
    assert lots["2026-01-27"] == 65
    totals = document(market_data, "NIFTY_20251205_153000.json.gz")["filtered"]
    near = minute.contracts.expiry == np.datetime64("2025-12-09")
    for side in ("CE", "PE"):
        own = near & (minute.contracts.kind == side)
        assert np.nansum(minute.quotes.oi[own]) == totals[side]["totOI"] * 75
        assert np.nansum(minute.quotes.volume[own]) == totals[side]["totVol"] * 75


def test_monthly_futures_name_the_monthly_expiries_and_have_no_price(recording):
    minute = recording.load(CLOSE)
    futures = minute.contracts.kind == FUTURE
    assert minute.contracts.expiry[futures].astype(str).tolist() == ["2025-12-30", "2026-01-27", "2026-02-24"]
    assert not minute.quotes.answered[futures].any()


def test_prices_of_zero_are_no_prices(recording):
    minute = recording.load(CLOSE)
    for name in ("last", "bid", "ask", "broker_iv"):
        values = getattr(minute.quotes, name)
        assert np.isnan(values).any()
        assert not (values == 0).any()


def test_the_totals_of_the_whole_book_are_not_taken_for_its_five_levels(recording):
    quotes = recording.load(CLOSE).quotes
    assert np.isfinite(quotes.bid_quantity).any()
    assert np.isnan(quotes.bid_depth).all()
    assert np.isnan(quotes.ask_depth).all()


def test_a_malformed_file_costs_its_own_minute_and_is_named(market_data, definitions, calendar, tmp_path, caplog):
    whole = document(market_data, "NIFTY_20251205_153000.json.gz")
    (tmp_path / "a_truncated.json").write_text(json.dumps(whole)[:5000])
    (tmp_path / "b_other.json").write_text('{"hello": []}')
    (tmp_path / "c_broken.json.gz").write_bytes(b"\x1f\x8b nothing of the kind")
    (tmp_path / "d_unknown.json").write_text(json.dumps(whole).replace('"underlying": "NIFTY"', '"underlying": "X9"'))
    (tmp_path / "e_good.json").write_text(json.dumps(whole))
    with caplog.at_level(logging.WARNING):
        recording = NseRecording(tmp_path, definitions, calendar)
    assert recording.minutes() == [CLOSE]
    assert len(recording.unreadable) == 4
    for name in ("a_truncated.json", "b_other.json", "c_broken.json.gz", "d_unknown.json"):
        assert sum(name in line for line in recording.unreadable) == 1


def test_a_malformed_leg_costs_that_leg_only(market_data, definitions, calendar, tmp_path):
    whole = document(market_data, "NIFTY_20251205_153000.json.gz")
    whole["records"]["data"][3]["strikePrice"] = "n/a"
    whole["records"]["data"].append("not a row")
    first = whole["records"]["data"][5]
    side = "CE" if "CE" in first else "PE"
    first[side]["lastPrice"] = "—"
    (tmp_path / "chain.json").write_text(json.dumps(whole))
    damaged = NseRecording(tmp_path, definitions, calendar).load(CLOSE)
    intact = NseRecording(market_data / "nse_option_chain", definitions, calendar).load(CLOSE)
    lost = len(intact.contracts) - len(damaged.contracts)
    assert lost == sum(kind in document(market_data, "NIFTY_20251205_153000.json.gz")["records"]["data"][3]
                       for kind in ("CE", "PE"))  # fmt: skip


@pytest.mark.parametrize("content", [None, "empty"])
def test_a_source_with_nothing_to_replay_is_refused_in_one_line(definitions, calendar, tmp_path, content):
    folder = tmp_path / "source"
    if content == "empty":
        folder.mkdir()
    with pytest.raises(ConfigError) as raised:
        NseRecording(folder, definitions, calendar)
    assert str(folder) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_provider_answers_only_for_what_was_recorded(recording, definitions):
    provider = ReplayProvider(recording)
    wanted = [definitions["NIFTY"], definitions["SENSEX"]]
    contracts = provider.contracts(wanted, CLOSE)
    assert set(contracts.index.tolist()) == {"NIFTY"}
    assert set(provider.spots(wanted, CLOSE)) == {"NIFTY"}
    some = contracts.take(np.array([700, 3, 41]))
    quotes = provider.quotes(some, CLOSE)
    whole = provider.quotes(contracts, CLOSE)
    assert np.array_equal(quotes.last, whole.last[[700, 3, 41]], equal_nan=True)
    with pytest.raises(BadResponse):
        provider.spots(wanted, datetime(2025, 12, 5, 15, 31, tzinfo=IST))
