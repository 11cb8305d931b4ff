"""What the terminal shows: every chain, every refusal, readable in a pipe and in plain ASCII."""

import io
import math
from datetime import date, datetime

import pytest
from rich.console import Console

from g6.clock import IST
from g6.console.minute import MinuteView
from g6.model.report import CycleReport, ExpiryReport, IndexReport, JournalReport, SinkReport
from g6.model.snapshot import Refusal

MINUTE = datetime(2026, 11, 20, 15, 20, tzinfo=IST)


def expiry(day=24, codes=("this_week", "this_month"), **aggregates):
    values = {"pcr_oi": 0.9131, "pcr_volume": math.nan, "max_pain": 23700.0, "atm_iv": 0.1234, "straddle": 187.35}
    return ExpiryReport(
        "NIFTY", date(2026, 11, day), codes, 23712.4, "parity", 23700.0, 62, 61, {"absent": 1}, {"solved": 60},
        values | aggregates,
    )  # fmt: skip


def report(**changes):
    refusal = Refusal("SENSEX", "", (), "bad_spot", "its spot is 0, which no index can be")
    nifty = IndexReport("NIFTY", 23698.55, True, ("this_week", "this_month"), 62, 61, (expiry(),), ())
    sensex = IndexReport("SENSEX", 0.0, False, (), 0, 0, (), (refusal,))
    whole = {
        "minute": MINUTE, "provider": "simulated", "seconds": 0.0412, "stages": {"quotes": 0.0123, "journal": 0.002},
        "indices": (nifty, sensex), "journal": JournalReport("data/journal/2026-11-20.sqlite3", 51234),
        "sinks": (SinkReport("csv", 33, 33, 4321),),
    }  # fmt: skip
    return CycleReport(**(whole | changes))


def shown(what, *, ascii_only=False, concise=False, whole=True, width=132):
    output = io.StringIO()
    console = Console(file=output, width=width, color_system=None)
    MinuteView(console, ascii_only=ascii_only, concise=concise).show(what, whole=whole)
    return output.getvalue()


def test_the_sentence_is_one_line_of_english():
    sentence = "partial: NIFTY 1 expiry, SENSEX 0 expiries, 61/62 quotes, 0.04 s; SENSEX refused: its spot is 0"
    assert str(report()).startswith(sentence)
    assert "\n" not in str(report())


def test_a_minute_shows_each_number_a_trader_asks_for():
    text = shown(report())
    row = next(line for line in text.splitlines() if "24 Nov 26" in line)
    for cell in ("NIFTY", "23,698.55*", "23,712.40", "23,700", "61/62", "0.91", "12.34", "187.35"):
        assert cell in row
    assert "auction" in text


def test_a_narrow_terminal_keeps_the_numbers_whole_and_spares_columns():
    text = shown(report(), width=80)
    row = next(line for line in text.splitlines() if "24 Nov 26" in line)
    for cell in ("NIFTY", "23,698.55*", "61/62", "0.91", "12.34%", "187.35"):
        assert cell in row


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_table_is_never_wider_than_the_terminal_and_never_cuts_a_number(width, ascii_only):
    text = shown(report(), width=width, ascii_only=ascii_only)
    assert "…" not in text
    assert text.isascii() or not ascii_only
    rows = text.splitlines()[1:5]
    assert max(map(len, rows)) <= width
    assert "23,698.55*" in next(line for line in rows if line.startswith("NIFTY"))


def test_a_refused_index_is_a_row_and_its_reason_a_line():
    lines = shown(report()).splitlines()[1:]
    assert any("SENSEX" in line and line.rstrip().endswith("refused") for line in lines)
    assert "refused  SENSEX: its spot is 0, which no index can be" in [line.rstrip() for line in lines]


def test_files_journal_and_stages_are_told():
    text = shown(report())
    assert "33 rows in 33 files" in text
    assert "2026-11-20.sqlite3" in text
    assert "quotes 12.3" in text


def test_the_dearest_measures_are_told_with_their_own_time_and_what_all_of_them_took():
    spent = {"iv": 0.0031, "smile": 0.0201, "build_up": 0.0005, "max_pain": 0.0002, "exposure": 0.0032}
    lines = [line.rstrip() for line in shown(report(measure_seconds=spent)).splitlines()]
    assert "measures 27.1 ms, of it smile 20.1, exposure 3.2, iv 3.1" in lines
    assert "measures" not in shown(report())


def test_an_error_of_the_journal_or_a_sink_takes_the_place_of_its_numbers():
    broken = report(
        journal=JournalReport("x", 0, 1, "the disk is full"), sinks=(SinkReport("csv", error="no write permission"),)
    )
    assert broken.status == "failed"
    text = shown(broken)
    assert text.count("the disk is full") == 2
    assert text.count("no write permission") == 2


@pytest.mark.parametrize("concise", [True, False])
def test_concise_or_not_whole_is_the_sentence_alone(concise):
    assert len(shown(report(), concise=concise, whole=not concise and False).splitlines()) == 1


def test_ascii_is_ascii_whatever_the_reasons_say():
    refusal = Refusal("NIFTY", "", (), "bad_response", "σ – naïve")
    text = shown(report(indices=(IndexReport("NIFTY", 1.0, False, (), 0, 0, (), (refusal,)),)), ascii_only=True)
    assert text.isascii()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, "partial"),
        ({"indices": ()}, "failed"),
        ({"error": "boom"}, "failed"),
        ({"journal": None}, "failed"),
        ({"indices": (IndexReport("NIFTY", 1.0, False, ("this_week",), 62, 62, (expiry(),), ()),)}, "ok"),
        ({"sinks": (SinkReport("csv", error="full"),)}, "partial"),
    ],
)
def test_the_status_is_the_worst_that_happened(change, status):
    assert report(**change).status == status
