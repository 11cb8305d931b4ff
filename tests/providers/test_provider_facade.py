"""Nothing of a vendor gets past the facade but answers and the five errors."""

from datetime import datetime

import numpy as np
import pytest

from g6.clock import IST
from g6.errors import AuthError, BadResponse, TransientError
from g6.model.contracts import EMPTY_CONTRACTS
from g6.model.quotes import Quotes
from g6.providers.facade import Facade

AT = datetime(2026, 11, 20, 10, 0, tzinfo=IST)


class Vendor:
    name = "vendor"

    def __init__(self, answer):
        self.answer = answer

    def contracts(self, indices, at):
        return self.spots(indices, at)

    def spots(self, indices, at):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def quotes(self, contracts, at):
        return self.spots((), at)


@pytest.mark.parametrize("error", [KeyError("timestamp"), TypeError("no error_type"), UnboundLocalError("tick")])
def test_what_a_vendor_raises_becomes_a_bad_response_with_its_cause(error):
    for ask in ("contracts", "spots", "quotes"):
        with pytest.raises(BadResponse, match=type(error).__name__) as raised:
            getattr(Facade(Vendor(error)), ask)([] if ask != "quotes" else EMPTY_CONTRACTS, AT)
        assert raised.value.__cause__ is error


@pytest.mark.parametrize("error", [AuthError("log in"), TransientError("later", 2.0), BadResponse("half a body")])
def test_what_says_what_to_do_passes_as_it_is(error):
    with pytest.raises(type(error)) as raised:
        Facade(Vendor(error)).spots([], AT)
    assert raised.value is error


def test_an_interrupt_is_not_an_answer():
    with pytest.raises(KeyboardInterrupt):
        Facade(Vendor(KeyboardInterrupt())).spots([], AT)


def test_quotes_of_another_length_are_refused():
    short = Quotes(at=AT, answered=np.ones(3, dtype=bool))
    with pytest.raises(BadResponse, match="3 quotes for 0 contracts"):
        Facade(Vendor(short)).quotes(EMPTY_CONTRACTS, AT)
