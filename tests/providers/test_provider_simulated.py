"""The simulated market behind the provider's protocol."""

import dataclasses
from datetime import datetime

import numpy as np
import pytest

from g6.market.indices import load_indices
from g6.market.sessions import SessionCalendar
from g6.model.contracts import EMPTY_CONTRACTS, ContractTable
from g6.providers.base import Provider
from g6.providers.simulated import SimulatedProvider
from g6.simulator.market import SimulatedMarket

AT = datetime.fromisoformat("2026-11-20T10:00+05:30")


@pytest.fixture(scope="module")
def definitions(project):
    return load_indices(project / "config" / "indices.yaml")


@pytest.fixture(scope="module")
def provider(project, definitions) -> Provider:
    calendar = SessionCalendar.load(project / "config" / "calendar.yaml")
    return SimulatedProvider(SimulatedMarket(seed=1, indices=definitions, calendar=calendar))


def test_it_answers_for_every_index_it_was_made_for(provider, definitions):
    asked = list(definitions.values())
    contracts, spots = provider.contracts(asked, AT), provider.spots(asked, AT)
    assert set(contracts.index) == set(spots) == set(definitions)
    assert all(spot.last > 0 and spot.quoted_at == AT for spot in spots.values())
    assert provider.quotes(contracts, AT).answered.mean() > 0.98


def test_an_index_it_was_not_made_for_has_no_rows_and_no_spot(provider, definitions):
    stranger = dataclasses.replace(definitions["NIFTY"], name="NASDAQ")
    assert len(provider.contracts([stranger], AT)) == 0
    assert provider.spots([stranger, definitions["SENSEX"]], AT).keys() == {"SENSEX"}


def test_rows_come_back_in_the_order_they_were_asked_for(provider, definitions):
    both = provider.contracts([definitions["SENSEX"], definitions["NIFTY"]], AT)
    backwards = both.take(np.arange(len(both))[::-1])
    assert np.array_equal(provider.quotes(both, AT).bid[::-1], provider.quotes(backwards, AT).bid, equal_nan=True)


def test_contracts_that_are_not_listed_do_not_answer_and_harm_no_other(provider, definitions):
    listed = provider.contracts([definitions["NIFTY"]], AT).take(np.arange(5, 25))
    unlisted = dataclasses.replace(listed, strike=listed.strike + 7)
    elsewhere = dataclasses.replace(listed, exchange=np.full(len(listed), "BFO"))
    quotes = provider.quotes(ContractTable.concatenate([unlisted, listed, elsewhere]), AT)
    alone = provider.quotes(listed, AT)
    assert not quotes.answered[:20].any()
    assert not quotes.answered[40:].any()
    assert np.array_equal(quotes.ask[20:40], alone.ask, equal_nan=True)


def test_asking_for_nothing_gives_nothing(provider):
    assert len(provider.quotes(EMPTY_CONTRACTS, AT)) == 0
    assert len(provider.contracts([], AT)) == 0
    assert provider.spots([], AT) == {}


def test_contracts_follow_the_day_in_ist(provider, definitions):
    tuesday_evening = datetime.fromisoformat("2026-12-01T20:00+00:00")  # Wednesday in India
    expiries = provider.contracts([definitions["NIFTY"]], tuesday_evening).option_expiries()
    assert expiries[0].isoformat() == "2026-12-08"
