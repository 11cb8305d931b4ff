"""`g6 report` tells a day in the numbers of its files, on one page that needs nothing else."""

import html as markup
import re
import shutil
import sqlite3
import subprocess
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from bent_agent import run_bent
from day_pages import Page, figure_of
from participant_files import cash_json, contracts_text

from g6.cli.report import main
from g6.cli.surroundings import Surroundings
from g6.clock import IST
from g6.errors import ConfigError, SinkError
from g6.model.snapshot import Refusal
from g6.participants.recognise import days_in
from g6.participants.store import ParticipantStore
from g6.reports.day_page import day_page
from g6.reports.day_record import DayReading
from g6.reports.day_source import DaySource
from g6.settings import load

DAY = date(2026, 11, 20)
OPEN = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
MINUTES = 12
INDICES = ("NIFTY", "SENSEX")
SESSION = f"""\
special_sessions:
  - {{day: {DAY}, windows: [["10:00", "10:{MINUTES}"]], kind: disaster_recovery, confidence: C, source: a test}}
"""
CODES = {"NIFTY": ("this_week", "next_week", "next_month"), "SENSEX": ("this_week", "next_week", "next_month")}


@pytest.fixture(scope="module")
def recorded_day(tmp_path_factory):
    """A short session of two indices in every store but the database: journal, files, masters, archive."""
    folder = tmp_path_factory.mktemp("reported")
    calendar = folder / "calendar.yaml"
    calendar.write_text(SESSION)
    settings = {
        "metrics.port": "0", "console.concise": "true", "clock.speed": "max", "logging.level": "ERROR",
        "clock.at": OPEN.isoformat(), "collection.indices": ",".join(INDICES), "collection.strikes_itm": "4",
        "collection.strikes_otm": "4", "market.calendar_override_file": str(calendar),
        "storage.data_dir": str(folder / "data"),
    }  # fmt: skip
    run_bent(load(settings, {}, folder), MINUTES)
    (folder / "data" / "g6.lock").unlink(missing_ok=True)
    return folder / "data"


@pytest.fixture
def root(recorded_day, tmp_path):
    """That session, of the test's own."""
    return Path(shutil.copytree(recorded_day, tmp_path / "data"))


def report(root, *arguments):
    """Run the command; return the page that it names."""
    calendar = root.parent / "calendar.yaml"
    calendar.write_text(SESSION)
    around = {"G6_MARKET__CALENDAR_OVERRIDE_FILE": str(calendar)}
    return main([*arguments, "--data-dir", str(root)], Surroundings(around, root.parent))


@pytest.fixture
def written(root, capsys):
    """Writes the page and returns it."""

    def write(*arguments, data=root):
        assert report(data, *arguments) == 0
        (line,) = capsys.readouterr().out.splitlines()
        return Path(line).read_text("utf-8")

    return write


def read(root, *folders):
    return pd.read_csv(root.joinpath("csv", *folders, f"{DAY}.csv"))


def last(column):
    known = column.dropna()
    return known.iloc[-1] if len(known) else np.nan


def shown_as(cell, number, decimals=2):
    """Whether a cell shows a number, rounded."""
    shown = figure_of(cell)
    return (np.isnan(shown) and np.isnan(number)) or abs(shown - number) <= 0.5000001 * 10**-decimals


def test_numbers_are_those_of_the_files(root, written):
    page = Page(written())
    spots, coverage = page.table("Index points"), page.table("Minutes and legs")
    chains = {}
    for place, name in enumerate(INDICES):
        overview = read(root, name, "overview")
        spot = overview["spot"]
        for words, value in {
            "first": spot.iloc[0],
            "high": spot.max(),
            "low": spot.min(),
            "last": spot.iloc[-1],
        }.items():
            assert shown_as(spots.row(words)[place], value)
        levels = read(root, "MARKET", "levels", name)
        before = levels["previous_close"].iloc[-1]
        assert shown_as(spots.row("change")[place], spot.iloc[-1] - before)
        assert shown_as(spots.row("change, percent")[place], (spot.iloc[-1] / before - 1) * 100)
        known = {last(overview[f"{code}_expiry"]): code for code in CODES[name]}
        for expiry, code in known.items():
            head = f"{date.fromisoformat(expiry):%d %b}"
            chains[f"{name} {head}"] = overview[f"{code}_expiry"].notna().sum()
            positions = page.table(f"{name}, last value of the day")
            column = positions.heads.index(head) - 1
            for words, measure, unit, decimals in (
                ("PCR by OI", "pcr_oi", 1, 3), ("max pain", "max_pain", 1, 0), ("put OI, lakh", "put_oi", 1e5, 2),
                ("net GEX, ₹ crore a 1 % move", "net_gex", 1e7, 2), ("GEX flips at", "gex_flip", 1, 2),
                ("support by OI", "support_oi", 1, 0), ("straddle, ₹", "straddle", 1, 2),
            ):  # fmt: skip
                assert shown_as(positions.row(words)[column], last(overview[f"{code}_{measure}"]) / unit, decimals)
            term = page.table(f"{name}, term structure").row(head)
            assert shown_as(term[2], last(overview[f"{code}_atm_iv"]) * 100)
        legs = sum(figure_of(coverage.row(chain)[2]) for chain in chains if chain.startswith(name))
        assert legs == overview["received_legs"].sum()
    assert {row[0]: figure_of(row[1]) for row in coverage.rows} == chains
    vix = last(read(root, "MARKET", "overview")["india_vix"])
    assert f"{vix:.2f}" in page.text


def test_smile_and_open_interest_are_those_of_the_leg_files(root, written):
    page = Page(written())
    folders = [path.name for path in (root / "csv" / "NIFTY" / "this_week").iterdir()]
    rows = [read(root, "NIFTY", "this_week", name).iloc[[-1]] for name in folders]
    legs = pd.concat(rows).set_index("strike").sort_index()
    legs = legs[legs["ts"] == legs["ts"].max()]
    oi = next(table for caption, table in page.tables.items() if re.match(r"NIFTY .* OI at ", caption))
    smile = page.table("NIFTY, IV by strike")
    assert [figure_of(row[0]) for row in oi.rows] == legs.index.tolist()
    nearest = smile.rows[0][0]
    ivs = {figure_of(strike): iv for expiry, strike, iv in smile.rows if expiry == nearest}
    for strike, call, put in oi.rows:
        of_strike = legs.loc[figure_of(strike)]
        assert shown_as(call, of_strike["ce_oi"] / 1e5)
        assert shown_as(put, of_strike["pe_oi"] / 1e5)
        assert shown_as(ivs[figure_of(strike)], of_strike["ce_iv"] * 100)


def test_page_is_well_formed_and_refers_to_nothing_outside(written):
    text = written()
    page = Page(text)
    assert page.open == []
    assert page.misplaced == []
    tags = [tag for tag, _ in page.tags]
    assert {"script", "link", "img", "iframe", "object", "base"}.isdisjoint(tags)
    assert not re.search(r"url\(|://|@import|\bon[a-z]+=", text)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] for _, attrs in page.tags if "href" in attrs]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        svg = ET.fromstring(drawing)
        assert svg.get("aria-label") or svg.get("aria-hidden") == "true"
        assert not re.search(r"nan|inf\b", re.sub(r"<title>.*?</title>|aria-label=\"[^\"]*\"", "", drawing))


def test_what_is_told_of_the_day_is_text_and_never_markup(root):
    evil = "<script>alert('&')</script>"
    reading, source = DayReading(), DaySource(root, DAY)
    for snapshot in source.snapshots():
        index = replace(snapshot.indices[0], index="<b>", refusals=(Refusal("<b>", evil, ("this_week",), evil, evil),))
        reading.take(replace(snapshot, provider=evil, indices=(index, *snapshot.indices[1:])))
    text = day_page(reading.record(root, DAY, market=evil, source=evil, lacking=[evil]), None, evil)
    assert "<script" not in text
    assert "<b>" not in text
    assert markup.escape(evil) in text
    assert Page(text).open == []


def test_what_is_absent_is_said(root, written):
    shutil.rmtree(root / "masters")
    for name in ("verify", "csv", "archive"):
        shutil.rmtree(root / name, ignore_errors=True)
    reading = DayReading()
    for number, snapshot in enumerate(DaySource(root, DAY).snapshots()):
        bare = [
            replace(i, chains=() if i.index == "SENSEX" else tuple(map(_unvalued, i.chains))) for i in snapshot.indices
        ]
        if number != 5:
            reading.take(replace(snapshot, market=None, indices=tuple(bare)))
    record = reading.record(root, DAY, market="", source="journal", lacking=["one minute is torn"])
    text = Page(day_page(record, None, "no calendar knows it")).text
    for told in (
        "could not be verified: no calendar knows it", "no India VIX, no breadth, no mood", "One minute is torn.",
        "NIFTY has no implied volatility: its chains were not valued", "SENSEX has no chain on this day",
        "gross GEX at 10:11, ₹ crore a 1 % move: not valued", "NIFTY, PCR by OI: nothing recorded",
        "the data directory does not name", "Repairs are told by the verification",
    ):  # fmt: skip
        assert told in text
    assert "masters" in text


def test_who_held_what_is_that_of_the_exchange_s_files(root, written):
    assert "No participants' files are stored for this day" in Page(written()).text
    store = ParticipantStore(root)
    store.take(days_in(contracts_text(DAY).encode()))
    assert "Cash market" not in Page(written()).text
    store.take(days_in(cash_json(DAY, ("30", "10.5", "19.5"), ("1", "2", "-1")).encode()))
    page = Page(written())
    # As the file's text has them: FII holds 20 index futures against 80, 200 calls against 250, 260 puts against 130.
    rows = {row[0]: row[1:] for row in page.table("Index futures and options").rows}
    assert list(rows["FII"]) == ["-60", "0.25", "-50", "0.80", "+130", "2.00"]
    assert list(rows["DII"]) == ["+5", "2.00", "+15", "4.00", "+30", "–"]
    assert "DII +19.50; FII -1.00" in page.text
    store.path("oi").write_text("torn")
    assert "The files cannot be read" in Page(written()).text


def _unvalued(chain):
    nothing = np.full(len(chain), np.nan)
    return replace(chain, iv=nothing, gex=nothing, aggregates={})


def test_day_that_was_never_verified_is_verified_on_the_way_and_nothing_is_kept_of_that(root, written):
    kept = written("--out", str(root.parent / "kept.html"))
    stored = sorted((root / "verify").glob("*.json"))
    shutil.rmtree(root / "verify")
    anew = written("--out", str(root.parent / "anew.html"))
    assert stored
    assert not (root / "verify").exists()
    without_instant = [re.sub(r"Verified at [-0-9: ]+\.", "", text) for text in (kept, anew)]
    assert without_instant[0] == without_instant[1]


def test_gap_stands_on_the_page_with_its_reason(root, written):
    shutil.rmtree(root / "verify")
    shutil.rmtree(root / "csv")
    with sqlite3.connect(root / "journal" / f"{DAY}.sqlite3") as tables:
        tables.execute("DELETE FROM cycles WHERE minute LIKE '%T10:04:%' OR minute LIKE '%T10:05:%'")
    tables.close()
    gaps = Page(written()).table("Gaps")
    assert [row[:5] for row in gaps.rows if row[0] == "NIFTY"] == [
        ["NIFTY", "all of it", "10:04", "10:05", "not recorded"]
    ]
    assert {row[-1] for row in gaps.rows} == {"2"}


def test_archived_day_reads_as_its_journal_did(root, written):
    before = written("--out", str(root.parent / "journal.html"))
    shutil.rmtree(root / "journal")
    after = written("--out", str(root.parent / "archive.html"))
    assert "read from the archive" in after
    assert after.replace("read from the archive", "read from the journal") == before


def test_page_has_its_place_in_the_data_directory_and_one_index_has_its_own(root, written):
    assert "SENSEX" in written()
    alone = written("--index", "NIFTY", "--date", "2026-11-20")
    assert sorted(path.name for path in (root / "reports").iterdir()) == ["2026-11-20-NIFTY.html", "2026-11-20.html"]
    assert "SENSEX, " not in Page(alone).text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--date", "2026-11-18"), "nothing of 2026-11-18 is recorded in .*; the nearest day is 2026-11-20"),
        (("--date", "20/11"), "no day like"),
        (("--index", "BANKEX"), "nothing of BANKEX is recorded on 2026-11-20; there is NIFTY, SENSEX"),
        (("--index", "../x"), "no list of indices"),
        (("--out", "/proc/nowhere/page.html"), "--out: cannot write"),
    ],
)
def test_wrong_arguments_are_told_in_one_line(root, arguments, said):
    with pytest.raises(ConfigError, match=said) as caught:
        report(root, *arguments)
    assert "\n" not in str(caught.value)
    assert not (root / "reports").exists()


def test_place_of_the_pages_that_cannot_be_written_is_told(root):
    (root / "reports").write_text("a file")
    with pytest.raises(SinkError, match="cannot write"):
        report(root)


def test_directory_without_a_day_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="holds no recorded day"):
        report(tmp_path / "empty")


def width_at(text, pixels, folder):
    """Return how wide a browser of so many pixels has to make the page, and how wide it was."""
    inner, outer = folder / "inner.html", folder / "outer.html"
    told = (
        "<script>addEventListener('load',()=>parent.postMessage([document.documentElement.scrollWidth,innerWidth],'*'))"
    )
    inner.write_text(text.replace("</body>", f"{told}</script></body>"), "utf-8")
    # A window has a least width; a frame has none, and the page takes it for its window.
    outer.write_text(
        f"<!doctype html><title>nothing</title><script>onmessage=e=>document.title=e.data.join(' ')</script>"
        f'<iframe src="inner.html" style="border:0;width:{pixels}px;height:3000px"></iframe>'
    )
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={pixels + 200},3000", "--virtual-time-budget=5000", "--dump-dom", outer.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    needed, had = re.search(r"<title>(\d+) (\d+)</title>", done.stdout).groups()
    return int(needed), int(had)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium")
def test_phone_and_desktop_need_no_scrolling_sideways(written, tmp_path):
    text = written()
    for pixels in (390, 1280):
        needed, had = width_at(text, pixels, tmp_path)
        assert had == pixels
        assert needed <= pixels


@pytest.mark.long
def test_page_of_every_index_at_full_depth_fits_a_phone(tmp_path, capsys):
    settings = {
        "metrics.enabled": "false", "console.concise": "true", "clock.speed": "max", "logging.level": "ERROR",
        "clock.at": "2026-11-20T09:15:00+05:30", "storage.data_dir": str(tmp_path / "data"),
    }  # fmt: skip
    run_bent(load(settings, {}, tmp_path), 30)
    assert main(["--data-dir", str(tmp_path / "data")], Surroundings({}, tmp_path)) == 0
    text = Path(capsys.readouterr().out.splitlines()[-1]).read_text("utf-8")
    assert Page(text).open == []
    assert len(text) < 3_000_000
    if shutil.which("chromium"):
        needed, had = width_at(text, 390, tmp_path)
        assert needed <= had == 390
