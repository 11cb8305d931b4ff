"""A day whose journal has gone is judged by its archive, and as the journal would have been."""

import json
from contextlib import closing
from dataclasses import asdict, replace
from datetime import timedelta

import numpy as np
import pytest

from g6.errors import TransientError
from g6.model.contracts import CALL
from g6.storage.archive import archive_day
from g6.storage.journal import Journal
from g6.storage.retention import Policy, retention
from g6.verification.result import Comparison
from g6.verification.text import as_text

DAY = "2026-11-20"
FROM_ARCHIVE = "the journal was removed; what was recorded is read from the archive"


def archive(day):
    archive_day(day.root, day.settings.clock.at.date())


def lose_the_journal(day):
    for path in (day.root / "journal").glob(f"{DAY}*"):
        path.unlink()


def judged(verification):
    """The verification as it is whoever's word was taken; indices stand in another order in the archive."""
    told = asdict(verification)
    for name in ("expiries", "gaps", "findings"):
        told[name] = sorted(told[name], key=repr)
    notes = [note for note in told["notes"] if note != FROM_ARCHIVE]
    return told | {"source": "", "notes": notes}


def far_calls(contracts):
    last = contracts.expiry == contracts.expiry[(contracts.index == "NIFTY") & (contracts.kind == CALL)].max()
    return (contracts.index == "NIFTY") & last & (contracts.kind == "CE")


def whole_day(record, at):
    return record()


def refused_and_unreachable(record, at):
    def spots(found, now):
        return {name: spot for name, spot in found.items() if not (at(3) <= now < at(6) and name == "NIFTY")}

    def quotes(answer, contracts, now):
        if now == at(8):
            raise TransientError("nobody is there")
        rows = far_calls(contracts)
        if now == at(12):  # one leg is absent, the expiry is accepted
            rows[np.flatnonzero(rows)[1:]] = False
        elif now != at(10):  # all of them are, the expiry is refused
            return answer
        columns = {f: np.where(rows, np.nan, getattr(answer, f)) for f in ("last", "bid", "ask", "oi", "volume")}
        return replace(answer, answered=answer.answered & ~rows, **columns)

    return record(spots=spots, quotes=quotes)


def damaged_and_forgotten(record, at):
    day = record()
    day.spoil(7)
    day.forget(4, 5)
    return day


def outlying(record, at):
    def leap(snapshot):
        chain = snapshot.indices[0].chains[0]
        indices = replace(
            snapshot.indices[0], chains=(replace(chain, iv=chain.iv + 0.9), *snapshot.indices[0].chains[1:])
        )
        return replace(snapshot, indices=(indices, *snapshot.indices[1:]))

    day = record()
    day.rewrite(leap, 9)
    return day


def files_that_differ(record, at):
    day = record()
    path = day.file("NIFTY", "this_week", "atm")
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[3]
    lines[8] = lines[8].replace(b"+05:30,", b"+05:30,,", 1)
    path.write_bytes(b"".join(lines))
    return day


def replaced(record, at):
    day = record()
    journal = Journal.open(day.root / "journal" / f"{DAY}.sqlite3", corrupt=day.root / "corrupt", max_bytes=10**9)
    with closing(journal):
        journal.put(replace(journal.at(at(2)), provider="another"))
    day.deliver_again()
    return day


ONE_THING_WRONG = (refused_and_unreachable, outlying, files_that_differ, replaced)


@pytest.mark.parametrize(
    "make",
    [whole_day, damaged_and_forgotten, *(pytest.param(make, marks=pytest.mark.long) for make in ONE_THING_WRONG)],
)
def test_the_archive_is_judged_as_its_journal_was(record, at, make):
    day = make(record, at)
    archive(day)
    before = day.verify()
    assert before.whole == (make in {whole_day, replaced})
    lose_the_journal(day)
    after = day.verify()
    assert judged(after) == judged(before)
    assert (before.source, after.source) == ("journal", "archive")
    assert FROM_ARCHIVE in after.notes
    assert after.unjudged == ()


def test_the_stores_are_told_the_same_of_a_day_by_journal_and_archive(day):
    told = []

    def store(_day, counts):
        told.append(counts)
        return Comparison(1, 0)

    archive(day)
    day.verify(stores={"influx": store})
    lose_the_journal(day)
    day.verify(stores={"influx": store})
    assert asdict(told[0]) == asdict(told[1])
    assert told[0].minutes == 20


def test_files_that_were_let_go_are_not_missing_but_not_judged(day, at):
    archive(day)
    retention(day.root, Policy(csv_days=1), at(0) + timedelta(days=2))
    assert day.files() == []
    verification = day.verify()
    assert (verification.score, verification.source) == (100.0, "journal")
    assert [part.checked for part in verification.parts if part.name == "csv"] == [False]
    assert verification.unjudged == ("csv: the daily files were removed after the day was archived",)
    assert "not judged:\n  csv: the daily files were removed" in as_text(verification)
    (day.root / "csv").mkdir(exist_ok=True)
    day.deliver_again()
    assert day.verify().unjudged == ()


def test_a_day_that_went_altogether_is_judged_by_its_archive_alone(day, at):
    archive(day)
    retention(day.root, Policy(journal_days=1, csv_days=1), at(0) + timedelta(days=2))
    assert not (day.root / "journal" / f"{DAY}.sqlite3").exists()
    verification = day.verify()
    assert (verification.score, verification.collected_minutes, verification.source) == (100.0, 20, "archive")


def test_files_that_someone_else_removed_are_missing(day):
    archive(day)
    for path in day.files():
        path.unlink()
    assert {finding.kind for finding in day.verify().findings} == {"csv_missing"}


def test_a_damaged_file_of_the_archive_is_named_and_what_it_held_is_missing(day):
    archive(day)
    lose_the_journal(day)
    (day.root / f"archive/legs/index=SENSEX/date={DAY}/part.parquet").write_bytes(b"PAR1")
    verification = day.verify()
    damaged = [finding for finding in verification.findings if finding.kind == "archive_damaged"]
    assert [finding.place for finding in damaged] == [f"archive/legs/index=SENSEX/date={DAY}/part.parquet"]
    assert {gap.index for gap in verification.gaps} == {"SENSEX"}
    assert verification.score <= 50


def test_an_archive_of_an_older_release_says_what_it_cannot_tell(day):
    day.spoil(7)
    archive(day)
    lose_the_journal(day)
    path = day.root / f"archive/manifest/{DAY}.json"
    document = json.loads(path.read_text())
    older = {name: value for name, value in document.items() if name not in {"damaged_minutes", "replaced"}}
    path.write_text(json.dumps({**older, "format": 1}))
    verification = day.verify()
    assert {(gap.first.minute, gap.reason) for gap in verification.gaps} == {(7, "only_in_csv")}
    assert len(verification.unjudged) == 2
    assert "which minutes were damaged in the journal (1 were)" in verification.unjudged[0]
