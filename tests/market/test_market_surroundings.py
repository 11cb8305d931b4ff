"""What surrounds the options is read as it is written, and refused in one line where it is wrong."""

from collections import Counter
from pathlib import Path

import pytest

from g6.errors import ConfigError
from g6.market.constituents import Share, read_constituents
from g6.market.surroundings import Surroundings, load_surroundings

HEADER = "Company Name,Industry,Symbol,Series,ISIN Code\n"


@pytest.fixture(scope="module")
def shipped(project: Path) -> Surroundings:
    return load_surroundings(project / "config" / "market.yaml")


def written(folder: Path, text: str, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_the_shipped_lists_are_whole_and_every_share_has_an_industry(shipped: Surroundings) -> None:
    assert {name: len(shares) for name, shares in shipped.constituents.items()} == {"NIFTY": 50, "BANKNIFTY": 14}
    for shares in shipped.constituents.values():
        assert len({share.symbol for share in shares}) == len(shares)
        assert all(share.industry and share.weight > 0 for share in shares)
        assert sum(share.weight for share in shares) == pytest.approx(100, abs=2)


def test_sectors_have_names_of_their_own_and_symbols_of_the_exchange(shipped: Surroundings) -> None:
    assert len({sector.name for sector in shipped.sectors}) == len({s.symbol for s in shipped.sectors}) == 11
    assert all(sector.symbol.startswith("NSE:NIFTY ") for sector in shipped.sectors)
    assert shipped.vix is not None
    assert shipped.vix.symbol == "NSE:INDIA VIX"


def test_what_a_sector_goes_with_is_among_the_shares(shipped: Surroundings) -> None:
    shares = [share for group in shipped.constituents.values() for share in group]
    for sector in shipped.sectors:
        assert sector.simulation is not None
        assert set(sector.simulation.industries) <= {share.industry for share in shares}
        assert set(sector.simulation.shares) <= {share.symbol for share in shares}


def test_the_exchanges_own_file_is_read(market_data: Path) -> None:
    shares = read_constituents(market_data / "constituents" / "nifty50_constituents_2026-08-22.csv")
    assert len(shares) == 50
    counted = Counter(share.industry for share in shares)
    assert counted["Financial Services"] == 11
    assert counted["Information Technology"] == counted["Healthcare"] == 5
    assert {"M&M", "BAJAJ-AUTO", "RELIANCE"} <= {share.symbol for share in shares}
    assert all(share.key == f"NSE:{share.symbol}" for share in shares)


def test_the_broader_file_is_read_as_well(market_data: Path) -> None:
    assert len(read_constituents(market_data / "constituents" / "niftynext50_constituents_2026-08.csv")) == 50


def test_the_shipped_list_agrees_with_the_exchanges_file(shipped: Surroundings, market_data: Path) -> None:
    real = read_constituents(market_data / "constituents" / "nifty50_constituents_2026-08-22.csv")
    ours = {share.symbol: share.industry for share in shipped.constituents["NIFTY"]}
    assert {share.symbol: share.industry for share in real} == ours


def test_a_file_takes_the_place_of_a_list_and_keeps_known_weights(project: Path, tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + "Reliance,Oil,RELIANCE,EQ,INE002A01018\nNew One,Textiles,NEWONE,EQ,INE0\n")
    table = load_surroundings(project / "config" / "market.yaml", {"NIFTY": path})
    assert [(share.symbol, share.industry) for share in table.constituents["NIFTY"]] == [
        ("RELIANCE", "Oil"), ("NEWONE", "Textiles"),
    ]  # fmt: skip
    assert [share.weight for share in table.constituents["NIFTY"]] == [8.6, 1.0]
    assert len(table.constituents["BANKNIFTY"]) == 14


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffCompany Name,Industry,Symbol,Series,ISIN Code\r\nA Ltd.,Power,A&B,EQ,INE1\r\n",
        " Symbol , Series,Industry  \nA&B , EQ, Power \n\n",
        HEADER + '"A, Ltd.",Power,A&B,EQ,INE1\n"A, Ltd.",Power,A&B,EQ,INE1\n',
    ],
    ids=["byte order mark", "padded, other order, blank line", "comma in a name, listed twice"],
)
def test_the_form_of_the_file_may_vary(tmp_path: Path, text: str) -> None:
    assert read_constituents(written(tmp_path, text)) == (Share("A&B", "Power"),)


def test_the_dummy_of_a_demerger_is_a_member(tmp_path: Path) -> None:
    rows = "Tata,Auto,TMPV,EQ,INE1\nTata,Auto,DUMMYTATAM,EQ,DUM1\n"
    assert [share.symbol for share in read_constituents(written(tmp_path, HEADER + rows))] == ["TMPV", "DUMMYTATAM"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column Symbol"),
        ("<html>Access Denied</html>", "no column Symbol"),
        ("Symbol,Series\nABC,EQ\n", "no column Industry"),
        (HEADER, "0 members"),
        (HEADER + "A,Power,../etc,EQ,INE1\n", ":2: '../etc' is no symbol"),
        (HEADER + "A,Power,,EQ,INE1\n", ":2: '' is no symbol"),
        (HEADER + "".join(f"A,Power,S{n},EQ,INE{n}\n" for n in range(501)), "501 members"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        read_constituents(path)
    assert str(refused.value).startswith(str(path))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_constituents(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mood: {rules: [{input: breadth, neutral: 0.2, steps: [[0.2, 1]]}]}", "the neutral value itself"),
        ("mood: {mild: 0.7, strong: 0.5, rules: []}", "mild 0.7 is beyond strong 0.5"),
        ("mood: {rules: [{input: moonphase, steps: [[0.2, 1]]}]}", "moonphase"),
        ("sectors: [{name: A, symbol: 'NSE:A'}, {name: A, symbol: 'NSE:B'}]", "name 'A' is there twice"),
        ("sectors: [{name: A, symbol: 'NSE:A'}, {name: B, symbol: 'NSE:A'}]", "symbol 'NSE:A' is there twice"),
        ("sectors: [{name: ../a, symbol: 'NSE:A'}]", "../a"),
        ("vix: {name: INDIAVIX}", "symbol"),
        ("colours: []", "unknown key 'colours'"),
    ],
)
def test_a_table_that_is_wrong_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_surroundings(written(tmp_path, text, "market.yaml"))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_empty_table_wants_nothing(tmp_path: Path) -> None:
    table = load_surroundings(written(tmp_path, "{}", "market.yaml"))
    assert (table.vix, table.sectors, dict(table.constituents), table.mood.rules) == (None, (), {}, ())
