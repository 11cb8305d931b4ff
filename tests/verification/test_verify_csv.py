"""The daily files against the journal: each way in which a file can be wrong is named, it alone."""

import pytest

PLACE = ("NIFTY", "this_week", "atm")


def only(verification, kind):
    """The one finding, which is of this kind; nothing of the journal is missing."""
    assert verification.gaps == ()
    assert [finding.kind for finding in verification.findings] == [kind]
    assert verification.score < 100
    return verification.findings[0]


def lines_of(file):
    return file.read_bytes().splitlines(keepends=True)


def put(file, lines):
    file.write_bytes(b"".join(lines))


def with_cell(lines, row, name, value):
    """The lines with one cell changed; row 1 is the first below the header."""
    column = lines[0].rstrip(b"\n").split(b",").index(name)
    cells = lines[row].rstrip(b"\n").split(b",")
    cells[column] = value
    return [*lines[:row], b",".join(cells) + b"\n", *lines[row + 1 :]]


def test_a_lost_row_is_named(day, at):
    file = day.file(*PLACE)
    lines = lines_of(file)
    put(file, lines[:6] + lines[7:])
    finding = only(day.verify(), "csv_missing")
    assert (finding.place, finding.count, finding.first, finding.last) == ("csv/NIFTY/this_week", 1, at(5), at(5))


@pytest.mark.parametrize("place", [PLACE, ("SENSEX", "overview")])
def test_a_lost_file_is_named(day, at, place):
    day.file(*place).unlink()
    finding = only(day.verify(), "csv_missing")
    assert (finding.place, finding.count) == ("csv/" + "/".join(place[:2]), 20)
    assert (finding.first, finding.last) == (at(0), at(19))


def test_an_emptied_file_is_named(day):
    day.file(*PLACE).write_bytes(b"")
    assert only(day.verify(), "csv_missing").count == 20


def test_a_row_that_the_journal_never_had_is_named(day, at):
    source, file = lines_of(day.file(*PLACE)), day.file("NIFTY", "this_week", "p9")
    file.parent.mkdir()
    put(file, [source[0], source[4]])
    finding = only(day.verify(), "csv_extra")
    assert (finding.place, finding.count, finding.first) == ("csv/NIFTY/this_week", 1, at(3))


@pytest.mark.parametrize(
    ("place", "column"), [(PLACE, b"ce_last"), (PLACE, b"pe_vega"), (("NIFTY", "overview"), b"spot")]
)
def test_a_changed_value_is_named_with_both_values(day, at, place, column):
    file = day.file(*place)
    lines = lines_of(file)
    true = lines[8].rstrip(b"\n").split(b",")[lines[0].rstrip(b"\n").split(b",").index(column)].decode()
    put(file, with_cell(lines, 8, column, b"1234.5"))
    finding = only(day.verify(), "csv_differs")
    assert (finding.count, finding.first, finding.last) == (1, at(7), at(7))
    assert f"{column.decode()} is 1234.5, the journal has {true}" in finding.example


def test_a_minute_that_stands_twice_is_named(day, at):
    file = day.file(*PLACE)
    lines = lines_of(file)
    put(file, [*lines[:5], lines[4], *lines[5:]])
    finding = only(day.verify(), "csv_duplicate")
    assert (finding.count, finding.first) == (1, at(3))


def test_rows_out_of_order_are_named(day, at):
    file = day.file(*PLACE)
    lines = lines_of(file)
    put(file, [*lines[:5], lines[6], lines[5], *lines[7:]])
    finding = only(day.verify(), "csv_unordered")
    assert (finding.count, finding.first) == (1, at(4))


@pytest.mark.parametrize("torn", [lambda last: last[:50], lambda last: last[:10], lambda last: last[:-1]])
def test_a_torn_end_is_named_once(day, torn):
    file = day.file(*PLACE)
    lines = lines_of(file)
    put(file, [*lines[:-1], torn(lines[-1])])
    finding = only(day.verify(), "csv_torn")
    assert (finding.place, finding.count) == ("csv/NIFTY/this_week", 1)


def test_zeros_where_data_never_reached_the_disk_are_a_torn_end(day):
    file = day.file(*PLACE)
    data = file.read_bytes()
    file.write_bytes(data + b"\0" * 300)
    only(day.verify(), "csv_torn")


@pytest.mark.parametrize("content", [b"time,price\n1,2\n", b"\x89PNG\r\n\x1a\n"])
def test_a_file_of_another_program_is_named(day, content):
    day.file(*PLACE).write_bytes(content)
    assert "does not begin with a ts column" in only(day.verify(), "csv_unreadable").example


def test_a_directory_in_the_place_of_a_file_is_named(day):
    day.file(*PLACE).unlink()
    day.file(*PLACE).mkdir()
    assert "Is a directory" in only(day.verify(), "csv_unreadable").example


def test_all_files_gone_costs_what_the_files_are_worth(day):
    for file in day.files():
        file.unlink()
    verification = day.verify()
    assert {finding.kind for finding in verification.findings} == {"csv_missing"}
    assert verification.score == 60.0


def test_without_a_word_about_files_they_are_not_looked_at(day):
    for file in day.files():
        file.unlink()
    assert day.verify(csv=None).score == 100.0


def test_further_columns_and_another_order_of_them_are_no_disagreement(day):
    file = day.file(*PLACE)
    put(file, [line.rstrip(b"\n") + (b",note\n" if n == 0 else b",\n") for n, line in enumerate(lines_of(file))])
    other = day.file("NIFTY", "overview")
    rows = [line.rstrip(b"\n").split(b",") for line in lines_of(other)]
    put(other, [b",".join([cells[0], *reversed(cells[1:])]) + b"\n" for cells in rows])
    assert day.verify().score == 100.0


def test_the_basis_of_the_premium_is_the_one_that_the_files_name(record):
    recorded = record(greeks__price_basis="average")
    assert b",average_price," in lines_of(recorded.file(*PLACE))[1]
    assert recorded.verify().score == 100.0


def test_a_torn_end_that_the_agent_repaired_is_noted_and_costs_nothing(record):
    recorded = record(minutes=12)
    file = recorded.file(*PLACE)
    with file.open("ab") as end:
        end.write(b"2026-11-20T10:12:00+05:30,2026-11-23,242")
    record(clock__at="2026-11-20T10:12+05:30", minutes=8)
    verification = recorded.verify()
    assert (verification.score, verification.findings) == (100.0, ())
    assert verification.notes == ("1 torn files were repaired: csv/NIFTY/this_week/atm/2026-11-20.csv.torn",)


def test_a_damaged_journal_that_the_agent_recovered_is_noted(record):
    recorded = record(minutes=12)
    journal = recorded.root / "journal" / "2026-11-20.sqlite3"
    content = bytearray(journal.read_bytes())
    content[100:140] = b"\xff" * 40
    journal.write_bytes(bytes(content))
    record(clock__at="2026-11-20T10:12+05:30", minutes=8)
    verification = recorded.verify()
    assert [note for note in verification.notes if note.startswith("1 damaged journals were moved aside")]
    lost = {gap.minutes for gap in verification.gaps}
    assert verification.score == (100 * (20 - sum(lost)) / 20 if lost else 100.0)
