"""Subscriptions: whatever is wanted, dropped and connected in whatever order, the broker is told exactly that."""

from hypothesis import given
from hypothesis import strategies as st

from g6.providers.kite_stream.subscriptions import Subscriptions

CONNECTIONS, ROOM = 3, 4
WANTED = st.lists(st.integers(1, 20), unique=True, max_size=20)
STEPS = st.lists(
    st.one_of(
        WANTED.map(lambda tokens: ("follow", tokens)),
        st.integers(1, CONNECTIONS).map(lambda number: ("reconnect", number)),
        st.lists(st.integers(1, 20)).map(lambda tokens: ("ask_again", tokens)),
    ),
    max_size=12,
)


class Broker:
    """What the broker knows of each connection: it forgets all with the connection."""

    def __init__(self) -> None:
        self.knows: dict[int, set[int]] = {number: set() for number in range(1, CONNECTIONS + 1)}

    def hear(self, number: int, change) -> None:
        for token in change.unsubscribe:
            self.knows[number].remove(token)
        for token in change.subscribe:
            assert token not in self.knows[number]
            self.knows[number].add(token)
            assert len(self.knows[number]) <= ROOM


def play(steps):
    subscriptions, broker, wanted = Subscriptions(CONNECTIONS, ROOM), Broker(), []
    for what, value in steps:
        if what == "follow":
            wanted = value
            left_over = subscriptions.follow(value)
            assert len(left_over) == max(0, len(value) - CONNECTIONS * ROOM)
        elif what == "reconnect":
            broker.knows[value] = set()
            subscriptions.opened(value)
        else:
            subscriptions.ask_again(value)
        for number in broker.knows:
            broker.hear(number, subscriptions.take_change(number))
        yield wanted, broker.knows, subscriptions


@given(STEPS)
def test_the_broker_always_knows_what_is_wanted_once_and_nothing_else(steps):
    for wanted, knows, _subscriptions in play(steps):
        told = sorted(token for tokens in knows.values() for token in tokens)
        assert len(told) == len(set(told)) == min(len(wanted), CONNECTIONS * ROOM)
        assert set(told) <= set(wanted)


@given(STEPS, WANTED)
def test_an_instrument_stays_on_its_connection_while_it_is_wanted(steps, more):
    *_, (_, knows, subscriptions) = play([("follow", more[:3]), *steps])
    before = {token: number for number, tokens in knows.items() for token in tokens}
    subscriptions.follow([*before, *(token for token in more if token not in before)])
    for token, number in before.items():
        assert token in subscriptions.carried_by(number)


@given(WANTED.filter(bool))
def test_what_is_wanted_first_finds_room_first(tokens):
    subscriptions = Subscriptions(1, ROOM)
    assert list(subscriptions.follow(tokens)) == tokens[ROOM:]


def test_nothing_is_told_twice_and_what_is_in_doubt_is_told_anew():
    subscriptions = Subscriptions(1, ROOM)
    subscriptions.follow([1, 2])
    subscriptions.take_change(1)
    assert not subscriptions.take_change(1)
    subscriptions.ask_again([2, 3])
    change = subscriptions.take_change(1)
    assert (change.unsubscribe, change.subscribe) == ((2,), (2,))
