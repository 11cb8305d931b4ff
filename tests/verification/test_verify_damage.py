"""Each kind of damage to a recorded day is named, it alone, with its place and its minutes, and costs points."""

from dataclasses import replace

import numpy as np
import pytest

from g6.errors import TransientError
from g6.model.contracts import CALL
from g6.verification.result import Comparison

LAST_EXPIRY = "SENSEX 2026-12-31"


def kinds(verification):
    return sorted({finding.kind for finding in verification.findings})


def gaps(verification):
    """Index, expiry, first and last minute, how many, and why."""
    return [
        (gap.index, gap.expiry, f"{gap.first:%H:%M}", f"{gap.last:%H:%M}", gap.minutes, gap.reason)
        for gap in verification.gaps
    ]


def only(verification, kind):
    """The one finding, which is of this kind."""
    assert gaps(verification) == []
    assert kinds(verification) == [kind]
    assert verification.score < 100
    return verification.findings


# A whole day.


def test_a_whole_day_scores_100_and_nothing_is_named(day):
    verification = day.verify()
    assert (verification.score, verification.whole) == (100.0, True)
    assert (verification.gaps, verification.findings, verification.notes) == ((), (), ())
    assert (verification.expected_minutes, verification.collected_minutes) == (20, 20)
    # Two indices of three expiries, seven strikes with a call and a put each, twenty minutes.
    assert [
        (c.expected_minutes, c.collected_minutes, c.expected_legs, c.received_legs) for c in verification.expiries
    ] == ([(20, 20, 280, 280)] * 6)


# Minutes.


def test_minutes_that_the_journal_lost_are_named_and_their_rows_in_the_files_are_not_held_against_these(day):
    day.forget(4, 5, 6, 11)
    verification = day.verify()
    assert kinds(verification) == []
    assert sorted(gaps(verification)) == sorted(
        (index, "", first, last, minutes, "only_in_csv")
        for index in ("NIFTY", "SENSEX")
        for first, last, minutes in (("10:04", "10:06", 3), ("10:11", "10:11", 1))
    )
    assert verification.score == 100 * 16 / 20


def test_minutes_that_no_store_has_are_named(day):
    day.forget(4, 5)
    day.deliver_again()
    verification = day.verify()
    assert {gap[2:] for gap in gaps(verification)} == {("10:04", "10:05", 2, "not_recorded")}
    assert (verification.score, kinds(verification)) == (90.0, [])


def test_a_record_whose_checksum_fails_is_named(day):
    day.spoil(7)
    verification = day.verify()
    assert gaps(verification) == [(index, "", "10:07", "10:07", 1, "damaged") for index in ("NIFTY", "SENSEX")]
    assert (verification.score, kinds(verification)) == (95.0, [])


def test_a_day_without_a_journal_scores_0(day):
    (day.root / "journal" / "2026-11-20.sqlite3").unlink()
    verification = day.verify()
    assert (verification.score, verification.collected_minutes, verification.expected_minutes) == (0.0, 0, 20)
    assert {gap[5] for gap in gaps(verification)} == {"only_in_csv"}


@pytest.mark.parametrize("content", [b"nonsense" * 1000, b"SQLite format 3\0" + b"\x55" * 20000])
def test_a_journal_that_is_none_any_more_is_named(day, content):
    (day.root / "journal" / "2026-11-20.sqlite3").write_bytes(content)
    verification = day.verify()
    assert (verification.score, kinds(verification)) == (0.0, ["journal_damaged"])


def test_a_day_cut_short_lacks_its_end(record):
    verification = record(minutes=12).verify()
    assert gaps(verification) == [(i, "", "10:12", "10:19", 8, "not_recorded") for i in ("NIFTY", "SENSEX")]
    assert verification.score == 60.0


def test_while_the_session_runs_only_what_is_due_is_judged(record, at):
    recorded = record(minutes=12)
    running = recorded.verify(now=at(13))
    assert (running.until, running.score, running.expected_minutes) == (at(11), 100.0, 12)
    assert recorded.verify(now=at(16)).score < 100


# Refusals: the journal's own reasons.


def test_an_index_without_a_level_is_named_with_the_reason_of_its_minutes(record, at):
    def bend(spots, now):
        lost = at(3) <= now < at(6)
        return {name: spot for name, spot in spots.items() if not (lost and name == "NIFTY")}

    verification = record(spots=bend).verify()
    assert gaps(verification) == [("NIFTY", "", "10:03", "10:05", 3, "no_spot")]
    assert kinds(verification) == []
    # Three of the forty minutes of the two indices.
    assert verification.score == 92.5
    assert {(c.index, c.expected_minutes, c.collected_minutes) for c in verification.expiries} == {
        ("NIFTY", 20, 17), ("SENSEX", 20, 20)
    }  # fmt: skip


def far_calls(contracts):
    """NIFTY's calls of its last collected expiry."""
    last = contracts.expiry == contracts.expiry[(contracts.index == "NIFTY") & (contracts.kind == CALL)].max()
    return (contracts.index == "NIFTY") & last & (contracts.kind == "CE")


def silent(answer, rows):
    """The answer without these rows."""
    columns = {f: np.where(rows, np.nan, getattr(answer, f)) for f in ("last", "bid", "ask", "oi", "volume")}
    return replace(answer, answered=answer.answered & ~rows, **columns)


def test_a_refused_expiry_is_named_and_costs_its_share_of_the_index(record, at):
    def bend(answer, contracts, now):
        return silent(answer, far_calls(contracts)) if at(3) <= now < at(5) else answer

    verification = record(quotes=bend).verify()
    assert gaps(verification) == [("NIFTY", "2026-12-29", "10:03", "10:04", 2, "coverage")]
    assert "7 of 14 legs answered" in verification.gaps[0].detail
    assert kinds(verification) == []
    assert verification.score == pytest.approx(100 * (1 - 2 / 3 / 40), abs=0.01)


def test_absent_legs_are_counted(record, at):
    def bend(answer, contracts, now):
        rows = far_calls(contracts)
        rows[np.flatnonzero(rows)[1:]] = False
        return silent(answer, rows) if at(3) <= now < at(6) else answer

    (finding,) = only(record(quotes=bend).verify(), "absent_legs")
    assert (finding.place, finding.count, finding.first, finding.last) == ("NIFTY 2026-12-29", 3, at(3), at(5))


def test_a_minute_in_which_nothing_answered_says_so(record, at):
    def bend(answer, _contracts, now):
        if now == at(8):
            raise TransientError("nobody is there")
        return answer

    verification = record(quotes=bend).verify()
    assert gaps(verification) == [(i, "", "10:08", "10:08", 1, "unreachable") for i in ("NIFTY", "SENSEX")]
    assert "nobody is there" in str(verification)


def test_an_index_that_was_not_asked_for_all_day_long_is_named(day):
    def without_sensex(snapshot):
        return replace(snapshot, indices=snapshot.indices[:1])

    day.rewrite(without_sensex, 2)
    verification = day.verify()
    assert gaps(verification) == [("SENSEX", "", "10:02", "10:02", 1, "not_asked")]
    assert kinds(verification) == []


def test_an_expiry_that_vanished_without_a_word_is_named(day):
    def without_last(snapshot):
        nifty, sensex = snapshot.indices
        return replace(snapshot, indices=(nifty, replace(sensex, chains=sensex.chains[:-1])))

    day.rewrite(without_last, 2)
    verification = day.verify()
    assert gaps(verification) == [("SENSEX", "2026-12-31", "10:02", "10:02", 1, "unexplained")]
    assert kinds(verification) == []


# Outliers.


def with_column(name, change, row=3):
    """A minute in which one leg of SENSEX's last expiry has another value."""

    def bend(snapshot):
        nifty, sensex = snapshot.indices
        *others, chain = sensex.chains
        values = getattr(chain, name).copy()
        values[row] = change(values[row])
        bent = replace(chain, **{name: values})
        return replace(snapshot, indices=(nifty, replace(sensex, chains=(*others, bent))))

    return bend


def otm_row(day, number):
    """The row of the last expiry's highest call, which is out of the money."""
    chain = day.snapshot(number).indices[1].chains[-1]
    return int(np.flatnonzero(chain.is_call & (chain.strike == chain.strike.max()))[0])


def test_a_volatility_that_leaps_for_a_minute_is_named_once(day, at):
    day.rewrite(with_column("iv", lambda iv: 4 * iv, otm_row(day, 9)), 9)
    (finding,) = only(day.verify(), "iv_jump")
    assert (finding.place, finding.count, finding.first, finding.last) == (LAST_EXPIRY, 1, at(9), at(9))


def test_a_volatility_that_stays_at_a_new_level_is_believed_after_three_minutes(day, at):
    row = otm_row(day, 9)
    day.rewrite(with_column("iv", lambda iv: 4 * iv, row), *range(9, 20))
    (finding,) = only(day.verify(), "iv_jump")
    assert (finding.count, finding.first, finding.last) == (3, at(9), at(11))


def test_open_interest_that_falls_by_more_than_was_traded_is_named(day, at):
    day.rewrite(with_column("oi", lambda _: 0.0), 9)
    (finding,) = only(day.verify(), "oi_shrinks")
    assert (finding.place, finding.count, finding.first) == (LAST_EXPIRY, 1, at(9))


def test_open_interest_may_fall_by_what_was_traded(day):
    def close_a_thousand(snapshot):
        more = with_column("volume", lambda volume: volume + 1000 * 20)(snapshot)
        return with_column("oi", lambda oi: max(0.0, oi - 1000 * 20))(more)

    day.rewrite(close_a_thousand, *range(9, 20))
    assert day.verify().whole


def test_a_volume_that_shrinks_is_named(day, at):
    row = int(np.argmax(day.snapshot(9).indices[1].chains[-1].volume))
    day.rewrite(with_column("volume", lambda _: 0.0, row), 9)
    (finding,) = only(day.verify(), "volume_shrinks")
    assert (finding.place, finding.count, finding.first) == (LAST_EXPIRY, 1, at(9))


def test_a_crossed_book_is_named_as_the_collector_met_it(record, at):
    def bend(answer, contracts, now):
        rows = far_calls(contracts)
        rows[np.flatnonzero(rows)[1:]] = False
        crossed = np.where(rows, answer.ask + 5, answer.bid)
        return replace(answer, bid=crossed) if now == at(6) else answer

    (finding,) = only(record(quotes=bend).verify(), "crossed")
    assert (finding.place, finding.count, finding.first) == ("NIFTY 2026-12-29", 1, at(6))


def test_a_leg_that_stands_twice_is_named(day):
    def twice(snapshot):
        nifty, sensex = snapshot.indices
        *others, chain = sensex.chains
        strikes = chain.strike.copy()
        strikes[2] = strikes[0]
        bent = replace(chain, strike=strikes)
        return replace(snapshot, indices=(nifty, replace(sensex, chains=(*others, bent))))

    day.rewrite(twice, 9)
    assert "duplicate_legs" in kinds(day.verify())


# Further stores.


def test_a_store_that_differs_is_named_and_one_that_agrees_is_not(day):
    told = []

    def compare(date, counts):
        told.append((date, counts))
        return Comparison(100, 3, ("NIFTY this_week: 277 of 280 legs",))

    (finding,) = only(day.verify(stores={"masters": lambda *_: Comparison(5, 0), "influx": compare}), "store_differs")
    assert (finding.place, finding.count) == ("influx", 3)
    counts = told[0][1]
    assert counts.minutes == 20
    assert counts.indices == {"NIFTY": 20, "SENSEX": 20}
    # An expiry that two codes point at is stored under both.
    assert counts.legs == {
        (i, c): 280 for i in counts.indices for c in ("this_week", "next_week", "this_month", "next_month")
    }
    assert set(counts.chains.values()) == {20}


def test_a_store_that_cannot_be_asked_is_named(day):
    def compare(*_):
        raise TransientError("cannot reach http://localhost:8086")

    (finding,) = only(day.verify(stores={"influx": compare}), "store_unknown")
    assert finding.example == "cannot reach http://localhost:8086"
