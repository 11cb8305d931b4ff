"""A minute's instruments go out in as few quote requests as the limits on count and on the address's length allow."""

from itertools import pairwise

import requests
from hypothesis import given
from hypothesis import strategies as st

from g6.providers.kite.batches import batches, query_bytes

KEYS = st.lists(st.text("ABCXYZ0123456789&-:. ", min_size=1, max_size=40), max_size=80)


def encoded_bytes(keys) -> int:
    """How long the query is that the client's own HTTP library makes of these keys."""
    url = requests.Request("GET", "http://h/quote", params={"i": list(keys)}).prepare().url
    return len(url) - len("http://h/quote")


@given(KEYS, st.integers(1, 400), st.integers(1, 20))
def test_every_key_goes_out_once_in_order_and_within_both_limits(keys, max_bytes, max_count):
    made = list(batches(keys, max_bytes, max_count))
    assert [key for batch in made for key in batch] == keys
    for batch in made:
        assert 1 <= len(batch) <= max_count
        assert len(batch) == 1 or encoded_bytes(batch) <= max_bytes


@given(KEYS, st.integers(1, 400), st.integers(1, 20))
def test_no_batch_had_room_for_the_next_key(keys, max_bytes, max_count):
    made = list(batches(keys, max_bytes, max_count))
    for batch, following in pairwise(made):
        assert len(batch) == max_count or encoded_bytes([*batch, following[0]]) > max_bytes


@given(st.text("ABC09&-: ", min_size=1))
def test_a_key_costs_what_the_client_makes_of_it(key):
    # One key has a question mark before it where all others have an ampersand.
    assert query_bytes(key) == encoded_bytes([key])


def test_five_hundred_long_symbols_stay_below_what_the_front_end_takes():
    keys = [f"NFO:MIDCPNIFTY26NOV{strike}CE" for strike in range(10000, 10500)]
    made = list(batches(keys))
    assert len(made) == 2
    assert max(encoded_bytes(batch) for batch in made) < 12_500
