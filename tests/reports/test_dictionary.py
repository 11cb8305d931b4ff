"""The data dictionary says of every number what it is, and names the places where it really is."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import orjson
import pytest
from participant_files import cash_json, contracts_text
from sample_market import sample_market

from g6.analytics import MEASURES
from g6.analytics.surroundings import BREADTH
from g6.cli import main
from g6.metrics.instruments import Known
from g6.metrics.measures import MeasureLines
from g6.model.chain import LEG_COLUMN_NAMES
from g6.model.market_snapshot import MARKET_COLUMNS, MarketSnapshot
from g6.participants.derived import CashRow, PositionRow
from g6.participants.recognise import days_in
from g6.participants.store import ParticipantStore
from g6.reports.dictionary import CODES, KINDS, as_markdown, chosen, entries
from g6.storage.csv_layout import LEG_HEADER, overview_header
from g6.storage.csv_market import BREADTH_HEADER, LEVEL_HEADER, market_header
from g6.storage.influx_lines import lines

ENTRIES = entries()
PAGE = Path("g6") / "storage" / "DICTIONARY.md"


def of_kind(kind: str) -> Mapping[str, object]:
    return {entry.name: entry for entry in ENTRIES if entry.kind == kind}


def columns_named(kind: str) -> set[str]:
    """The CSV columns that the entries of a kind name."""
    return {
        name
        for entry in ENTRIES
        if entry.kind == kind and entry.csv
        for name in entry.csv.partition(": ")[2].split(", ")
    }


@pytest.mark.parametrize("field", ["unit", "definition", "source", "since"])
def test_every_entry_says_its_unit_definition_source_and_release(field: str) -> None:
    assert [f"{entry.kind} {entry.name}" for entry in ENTRIES if not getattr(entry, field).strip()] == []


def test_every_definition_is_a_sentence_of_its_own() -> None:
    assert [entry.name for entry in ENTRIES if len(entry.definition) < 8] == []
    assert [entry.name for entry in ENTRIES if not re.fullmatch(r"\d+\.\d+\.\d+", entry.since)] == []


def test_every_number_has_one_entry_and_there_is_no_other() -> None:
    assert [each for each, count in Counter((e.kind, e.name) for e in ENTRIES).items() if count > 1] == []
    assert set(of_kind("leg")) == set(LEG_COLUMN_NAMES)
    for scope in ("chain", "index", "market"):
        assert set(of_kind(scope)) == {measure.name for measure in MEASURES if measure.scope == scope}
    assert set(of_kind("level")) == {column.name for column in MARKET_COLUMNS}
    assert set(of_kind("group")) == {measure.name for measure in BREADTH}
    assert set(of_kind("participants")) == set(PositionRow._fields)
    assert set(of_kind("institutions")) == set(CashRow._fields)
    assert {entry.kind for entry in ENTRIES} == set(KINDS)


def test_the_columns_that_it_names_are_those_of_the_files() -> None:
    legs = {name for name in LEG_HEADER.decode().split(",") if name.startswith(("ce_", "pe_"))}
    assert columns_named("leg") == legs | {"strike"}
    overview = overview_header(MEASURES).decode().split(",")
    for code in ("this_week", "next_month"):
        assert {name.replace("CODE", code) for name in columns_named("chain")} <= set(overview)
    assert columns_named("index") <= set(overview)
    assert columns_named("market") <= set(market_header(("MARKET", "overview"), MEASURES).decode().split(","))
    assert columns_named("level") <= set(LEVEL_HEADER.decode().split(","))
    assert columns_named("group") <= set(BREADTH_HEADER.decode().split(","))


def test_the_files_of_participants_that_it_names_have_these_columns_in_this_order(tmp_path: Path) -> None:
    store, day = ParticipantStore(tmp_path), date(2026, 10, 8)
    texts = (contracts_text(day), contracts_text(day, "vol"), cash_json(day, ("3", "1", "2"), ("1", "2", "-1")))
    store.take(each for text in texts for each in days_in(text.encode()))
    named: dict[str, list[str]] = {}
    for entry in ENTRIES:
        if entry.kind in {"participants", "institutions"}:
            files, _, column = entry.csv.partition(": ")
            for file in files.split(", "):
                named.setdefault(file, []).append(column)
    written = {str(path.relative_to(tmp_path)): path for path in tmp_path.rglob("*.csv")}
    assert named == {name: path.read_text().splitlines()[0].split(",") for name, path in written.items()}


def whole(snapshot: object) -> object:
    """The minute with every measure of every kind in it."""
    values = {measure.name: 1.5 for measure in MEASURES}
    indices = tuple(
        replace(index, aggregates=values, chains=tuple(replace(c, aggregates=values) for c in index.chains))
        for index in snapshot.indices
    )
    market: MarketSnapshot = replace(sample_market(snapshot.minute), aggregates=values)
    return replace(snapshot, indices=indices, market=market)


def test_the_fields_that_it_names_are_written_to_influx() -> None:
    from recorded_days import minutes

    (snapshot,) = minutes(1)
    written = {
        (line.split(b",")[0].split(b" ")[0].decode(), field.partition("=")[0])
        for line in lines(whole(snapshot), MEASURES)
        for field in line.decode().split(" ")[1].split(",")
    }
    named = {tuple(entry.influx.split(".")) for entry in ENTRIES if entry.influx}
    unknown_here = {("option_data", "broker_iv")}  # the sample's vendor says none
    breadth_unasked = {("index_overview", measure.name) for measure in BREADTH}  # of which the sample has some
    assert named - written - unknown_here - breadth_unasked == set()


def test_the_metrics_that_it_names_are_those_of_the_page() -> None:
    from recorded_days import minutes

    (snapshot,) = minutes(1)
    pieces, _ = MeasureLines(Known({}, measures=MEASURES, aggregate_series=0)).of(whole(snapshot))
    told = {word for piece in pieces for word in re.findall(r"# TYPE (\S+)", piece.decode())}
    assert told <= {entry.metric for entry in ENTRIES}


def test_every_code_that_a_definition_speaks_of_is_explained() -> None:
    spoken = {word for entry in ENTRIES for word in re.findall(r"\b[A-Z]+_[A-Z_]+\b", entry.definition)}
    assert spoken <= set(CODES)


def test_the_page_is_what_the_schema_says(project: Path) -> None:
    assert (project / PAGE).read_text("utf-8") == as_markdown(ENTRIES), "g6 dictionary --markdown > " + str(PAGE)


def test_the_readme_leads_to_the_page(project: Path) -> None:
    assert str(PAGE) in (project / "README.md").read_text("utf-8")


def test_names_parts_kinds_and_metrics_are_found() -> None:
    assert [entry.name for entry in chosen(["max_pain"], ENTRIES)] == ["max_pain"]
    assert {entry.name for entry in chosen(["iv_rank", "max_pain"], ENTRIES)} == {"iv_rank", "max_pain"}
    assert {entry.name for entry in chosen(["GEX"], ENTRIES)} == {"gex"}
    assert {"net_gex", "index_net_gex"} == {entry.name for entry in chosen(["net_gex"], ENTRIES)} | {"index_net_gex"}
    assert [entry.name for entry in chosen(["g6_chain_pcr_oi_ratio"], ENTRIES)] == ["pcr_oi"]
    assert {entry.kind for entry in chosen(["index"], ENTRIES)} == {"index"}
    assert len(list(chosen([], ENTRIES))) == len(ENTRIES)


def test_the_command_tells_for_people_and_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dictionary", "max_pain"]) == 0
    told = capsys.readouterr().out
    for word in ("max_pain", "points", "market usage", "INDEX/overview/*.csv", "g6_chain_max_pain_points"):
        assert word in told
    assert main(["dictionary", "--json", "iv_rank"]) == 0
    (entry,) = orjson.loads(capsys.readouterr().out)
    assert (entry["unit"], entry["influx"]) == ("%", "index_overview.iv_rank")
    assert main(["dictionary", "--markdown"]) == 0
    assert capsys.readouterr().out == as_markdown(ENTRIES)


def test_a_name_that_is_none_is_answered_by_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dictionary", "max_pian"]) == 2
    assert "the nearest is max_pain" in capsys.readouterr().err
