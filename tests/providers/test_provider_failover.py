"""The facade asks the best provider that answers, says who that was and why, and goes back by itself."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.clock import IST
from g6.errors import AuthError, BadResponse, ConfigError, TransientError
from g6.model.contracts import EMPTY_CONTRACTS
from g6.model.provider_report import ProviderReport
from g6.model.quotes import Quotes
from g6.providers.facade import Facade

AT = datetime(2026, 11, 20, 10, 0, tzinfo=IST)


class Vendor:
    """Answers, or raises what it was told to for one kind of question."""

    def __init__(self, name, **errors):
        self.name, self.errors, self.asked = name, errors, []

    def contracts(self, indices, at):
        return self._answer("contracts", EMPTY_CONTRACTS)

    def spots(self, indices, at):
        return self._answer("spots", {})

    def quotes(self, contracts, at):
        return self._answer("quotes", Quotes(at=at, answered=np.ones(0, dtype=bool)))

    def report(self):
        return ProviderReport(self.name)

    def _answer(self, kind, value):
        self.asked.append(kind)
        if kind in self.errors:
            raise self.errors[kind]
        return value


def minute(facade):
    facade.begin_minute()
    try:
        facade.contracts([], AT)
        facade.spots([], AT)
        facade.quotes(EMPTY_CONTRACTS, AT)
    finally:
        facade.last = facade.report()
    return facade.last


def test_the_first_that_answers_serves_the_rest_of_the_minute():
    stream, rest = Vendor("kite-stream", spots=TransientError("no connection")), Vendor("kite")
    report = minute(Facade(stream, rest))
    assert (stream.asked, rest.asked) == (["contracts", "spots"], ["spots", "quotes"])
    assert (report.active, report.preferred, report.reason) == ("kite", "kite-stream", "no connection")
    assert report.sentences == ("kite instead of kite-stream: no connection",)


def test_every_minute_begins_with_the_best_and_says_when_it_answers_again():
    stream, rest = Vendor("kite-stream", spots=TransientError("no connection")), Vendor("kite")
    facade = Facade(stream, rest)
    assert minute(facade).before == "kite-stream"
    assert minute(facade).before == ""
    stream.errors.clear()
    healed = minute(facade)
    assert (healed.active, healed.before, healed.sentences) == (
        "kite-stream", "kite", ("kite-stream answers again, after kite",),
    )  # fmt: skip
    assert minute(facade).sentences == ()


@pytest.mark.parametrize("error", [AuthError("log in"), TransientError("later"), BadResponse("half"), KeyError("x")])
def test_whatever_it_raises_the_next_one_is_asked(error):
    assert minute(Facade(Vendor("kite", quotes=error), Vendor("kite-second"))).active == "kite-second"


def test_a_mistake_in_the_settings_is_not_covered_up():
    with pytest.raises(ConfigError):
        minute(Facade(Vendor("kite", spots=ConfigError("no such folder")), Vendor("kite-second")))


def test_when_none_answers_the_best_ones_error_says_all_reasons():
    facade = Facade(Vendor("kite", spots=AuthError("log in")), Vendor("kite-second", spots=TransientError("refused")))
    with pytest.raises(AuthError, match=r"^kite: log in; kite-second: refused$"):
        minute(facade)
    assert facade.name == facade.last.active == "kite"
    assert facade.last.sentences == ()


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=20))
def test_the_answer_is_always_of_the_best_that_is_well(minutes):
    vendors = [Vendor(name) for name in ("kite-stream", "kite", "kite-second")]
    facade, before = Facade(*vendors), "kite-stream"
    for well in minutes:
        for vendor, fine in zip(vendors, well, strict=True):
            vendor.errors = {} if fine else {"quotes": TransientError("down")}
        expected = next((v.name for v, fine in zip(vendors, well, strict=True) if fine), None)
        if expected is None:
            with pytest.raises(TransientError):
                minute(facade)
            before = "kite-stream"
            continue
        report = minute(facade)
        assert report.active == expected
        assert report.before == ("" if expected == before else before)
        assert bool(report.reason) == (not well[0])
        before = expected
