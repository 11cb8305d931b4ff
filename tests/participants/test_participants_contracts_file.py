"""The exchange's CSV of positions and volumes, read in spite of its faults; what is not whole is refused."""

import csv
import re
from datetime import date

import pytest
from participant_files import HEADER, contracts_rows, contracts_text

from g6.errors import BadResponse
from g6.participants.contracts_file import parse_contracts
from g6.participants.days import CLASSES, INSTRUMENTS, TOTAL
from g6.participants.recognise import days_in

DAY = date(2026, 10, 8)


def changed(row, place, by):
    rows = contracts_rows()
    rows[row][place] += by
    return rows


@pytest.mark.parametrize(
    ("name", "kind", "day"),
    [("oi_08102026", "oi", date(2026, 10, 8)), ("vol_19082026", "volume", date(2026, 8, 19))],
)
def test_every_number_of_a_published_file_is_where_its_header_says(market_data, name, kind, day):
    path = market_data / "participants" / f"fao_participant_{name}.csv"
    (found,) = days_in(path.read_bytes())
    assert (found.kind, found.day) == (kind, day)
    rows = list(csv.reader(path.read_text().splitlines()[1:]))
    for place, padded in enumerate(rows[0][1:], start=1):
        words = padded.strip().lower().split()
        side = "long" if "long" in words else "short"
        instrument = "total" if words[0] == "total" else "_".join(words[:-1])
        for row in rows[1:]:
            assert getattr(found.positions[row[0], instrument], side) == int(row[place])
    assert len(found.positions) == 5 * 7


def test_rounding_of_a_published_file_is_reported(market_data):
    (found,) = days_in((market_data / "participants" / "fao_participant_oi_08102026.csv").read_bytes())
    assert found.notes == (
        "total short of Client is 9514675, and 9514676 by addition",
        "total short of Pro is 5006187, and 5006186 by addition",
    )


@pytest.mark.parametrize("said", ["Oct 08, 2026", "Oct 08,2026", "Oct 8,2026", "OCT 08 , 2026", "October 08, 2026"])
def test_the_day_is_read_as_it_is_written_in_the_title(said):
    assert parse_contracts(contracts_text(DAY, said=said)).day == DAY


@pytest.mark.parametrize("said", ["", "Foo 08, 2026", "Feb 30, 2026", "08-10-2026"])
def test_a_title_without_a_day_is_refused(said):
    with pytest.raises(BadResponse):
        days_in(contracts_text(DAY).replace("Oct 08, 2026", said).encode())


def test_columns_are_found_by_name_in_whatever_order_and_padding():
    plain = parse_contracts(contracts_text(DAY))
    title, *lines = contracts_text(DAY).splitlines()
    turned = "\n".join([title, *(",".join(reversed(line.split(","))) for line in lines)])
    padded = contracts_text(DAY).replace("Future Index Long", "  future  index LONG ")
    assert parse_contracts(turned) == parse_contracts(padded) == plain


@pytest.mark.parametrize("column", [name for name in HEADER.split(",") if name])
def test_a_column_that_is_missing_is_named(column):
    with pytest.raises(BadResponse, match=re.escape(" ".join(column.lower().split()))):
        parse_contracts(contracts_text(DAY).replace(column, "Another"))


@pytest.mark.parametrize(("row", "place"), [("Client", 0), ("Pro", 13), ("FII", 12), ("TOTAL", 6)])
def test_one_contract_is_rounding_and_two_are_not(row, place):
    for by in (1, -1):
        assert parse_contracts(contracts_text(DAY, rows=changed(row, place, by))).notes
        with pytest.raises(BadResponse, match="by addition"):
            parse_contracts(contracts_text(DAY, rows=changed(row, place, 2 * by)))


def test_long_and_short_of_all_must_be_equal():
    rows = contracts_rows()
    for row in ("Client", "TOTAL"):
        for place in (0, 12):
            rows[row][place] += 2
    with pytest.raises(BadResponse, match="against long"):
        parse_contracts(contracts_text(DAY, rows=rows))


def test_a_file_that_ends_early_is_refused_wherever_it_ends():
    whole = contracts_text(DAY).rstrip().encode()
    for end in range(len(whole)):
        with pytest.raises(BadResponse):
            days_in(whole[:end])


@pytest.mark.parametrize("cell", ["", "-", "12.5", "-3", "nan", "1e9", "٣"])
def test_a_cell_that_counts_no_contracts_is_named(cell):
    text = contracts_text(DAY).replace("Client,90,", f"Client,{cell},")
    with pytest.raises(BadResponse, match="Client, future index long"):
        parse_contracts(text)


def test_thousands_may_have_commas():
    rows = contracts_rows(1000)
    spaced = contracts_text(DAY, rows=rows).replace("90000,", '"90,000",', 1)
    assert parse_contracts(spaced).positions == parse_contracts(contracts_text(DAY, rows=rows)).positions


def test_a_class_that_is_unknown_is_refused():
    with pytest.raises(BadResponse, match="no class of participants"):
        parse_contracts(contracts_text(DAY).replace("Pro,", "Robots,"))


def test_positions_are_those_of_all_classes_and_instruments():
    found = parse_contracts(contracts_text(DAY, "vol"))
    assert found.kind == "volume"
    assert {name for name, _ in found.positions} == {*CLASSES, "TOTAL"}
    assert {name for _, name in found.positions} == {*INSTRUMENTS, TOTAL}
    assert found.positions["FII", "option_index_put"] == (260, 130)
    assert found.positions["FII", "option_index_call"] == (200, 250)
