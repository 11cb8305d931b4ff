"""The score: its formula, that more damage never raises it, and that only a faultless day has 100."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g6.verification.result import Comparison
from g6.verification.score import WEIGHTS, parts_of, score_of

shares = st.floats(0, 1)
share_sets = st.fixed_dictionaries({"collected": shares}, optional=dict.fromkeys(WEIGHTS, shares))


@given(share_sets)
def test_a_score_lies_between_0_and_100_and_is_100_only_when_every_share_is_1(given_shares):
    score = score_of(parts_of(given_shares), faultless=True)
    assert 0 <= score <= 100
    assert (score == 100) == all(share == 1 for share in given_shares.values())


@given(share_sets, share_sets)
def test_lower_shares_never_score_higher(one, other):
    low = {name: min(one[name], other.get(name, 1.0)) for name in one}
    assert score_of(parts_of(low), faultless=True) <= score_of(parts_of(one), faultless=True)


def test_a_fault_that_costs_nothing_still_keeps_a_day_from_100():
    assert score_of(parts_of({"collected": 1.0}), faultless=False) == 99.99


@pytest.mark.parametrize(
    ("given_shares", "score"),
    [
        ({"collected": 1.0}, 100.0),
        ({"collected": 0.5}, 50.0),
        ({"collected": 1.0, "csv": 0.0}, 60.0),
        ({"collected": 0.5, "csv": 0.5, "outliers": 0.5}, 36.0),
        ({"collected": 1.0, "masters": 0.0, "influx": 0.0}, 81.0),
        ({"collected": 1.0, "csv": 0.999999}, 99.99),
        ({"collected": 0.95}, 95.0),
    ],
)
def test_the_formula_by_hand(given_shares, score):
    assert score_of(parts_of(given_shares), faultless=True) == score


def test_losing_a_wrong_minute_gains_less_than_the_minute_was_worth():
    # The argument of `score`: what a lost minute can give back in every store together is below what it takes.
    assert sum(weight / (1 - weight) for name, weight in WEIGHTS.items() if name != "outliers") < 1


def test_each_lost_minute_lowers_the_score_by_its_share(day):
    scores = [day.verify().score]
    for number in (3, 17, 0, 19, 8):
        day.forget(number)
        scores.append(day.verify().score)
    assert scores == [100.0, 95.0, 90.0, 85.0, 80.0, 75.0]


def spoil_minute(day, dice):
    with day.journal() as tables:
        rows = [row[0] for row in tables.execute("SELECT minute FROM cycles WHERE crc > 0")]
        if rows:
            tables.execute("UPDATE cycles SET crc = 0 WHERE minute = ?", (dice.choice(rows),))


def forget_minute(day, dice):
    day.forget(dice.randrange(20))


def lose_file(day, dice):
    if files := day.files():
        dice.choice(files).unlink()


def cut_file(day, dice):
    if files := [file for file in day.files() if file.stat().st_size > 2000]:
        file = dice.choice(files)
        data = file.read_bytes()
        file.write_bytes(data[: dice.randrange(len(data) * 3 // 4, len(data))])


def change_cell(day, dice):
    if files := [file for file in day.files() if file.read_bytes().count(b"\n") > 3]:
        file = dice.choice(files)
        lines = file.read_bytes().split(b"\n")
        row = dice.randrange(1, len(lines) - 1)
        lines[row] += b"7"
        file.write_bytes(b"\n".join(lines))


def repeat_row(day, dice):
    if files := [file for file in day.files() if file.read_bytes().count(b"\n") > 3]:
        file = dice.choice(files)
        lines = file.read_bytes().split(b"\n")
        lines.insert(-1, lines[dice.randrange(1, len(lines) - 1)])
        file.write_bytes(b"\n".join(lines))


DAMAGES = (spoil_minute, forget_minute, lose_file, cut_file, change_cell, repeat_row)


@pytest.mark.parametrize("seed", range(4))
def test_more_damage_never_raises_the_score(day, seed):
    dice = random.Random(seed)
    before = day.verify().score
    assert before == 100.0
    for _ in range(14):
        damage = dice.choice(DAMAGES)
        damage(day, dice)
        after = day.verify().score
        assert after <= before, damage.__name__
        before = after
    assert before < 100.0


def test_losing_a_minute_of_outliers_does_not_pay(day):
    def absurd(snapshot):
        def of(chain):
            return replace(chain, iv=chain.iv * 9, oi=chain.oi * 0, volume=chain.volume * 0)

        indices = [replace(index, chains=tuple(map(of, index.chains))) for index in snapshot.indices]
        return replace(snapshot, indices=tuple(indices))

    scores = [day.verify().score]
    day.rewrite(absurd, 9)
    scores.append(day.verify().score)
    day.forget(9)
    scores.append(day.verify().score)
    # Every leg of a minute is wrong: a fifth of what it is worth, and a little for legs that were first met in it.
    assert scores == [100.0, pytest.approx(99.0, abs=0.3), 95.0]


@pytest.mark.parametrize(("differing", "score"), [(0, 100.0), (1, 99.9), (50, 95.0), (100, 90.0), (1000, 90.0)])
def test_a_store_costs_as_much_as_differs(day, differing, score):
    assert day.verify(stores={"influx": lambda *_: Comparison(100, differing, ("x",))}).score == score


def test_backfilled_minutes_are_counted_apart_and_are_worth_half(day):
    day.rewrite(lambda snapshot: replace(snapshot, backfilled=True), 5, 6)
    verification = day.verify()
    assert (verification.collected_minutes, verification.backfilled_minutes) == (20, 2)
    assert {count.backfilled_minutes for count in verification.expiries} == {2}
    assert (verification.score, verification.gaps) == (95.0, ())
    assert not verification.whole
