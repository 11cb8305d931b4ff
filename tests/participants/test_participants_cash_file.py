"""Cash flows of institutions, as the site's JSON and as CSV."""

from datetime import date

import pytest
from participant_files import cash_json, contracts_text

from g6.errors import BadResponse
from g6.participants.days import Flow
from g6.participants.recognise import days_in

DAY = date(2026, 9, 11)
DII, FII = ("15,109.58", "13,141.41", "1,968.17"), ("12616.89", "13547.79", "-930.90")
SITE_CSV = (
    '\ufeff"CATEGORY \n","DATE \n","BUY VALUE(₹ Crores) \n","SELL VALUE (₹ Crores) \n","NET VALUE (₹ Crores) \n"\n'
    '"DII **","11-Sep-2026","15,109.58","13,141.41","1,968.17"\n'
    '"FII/FPI *","11-Sep-2026","12,616.89","13,547.79","-930.90"\n'
)


def test_the_sites_json_is_read_as_published(market_data):
    (found,) = days_in((market_data / "participants" / "fiidiiTradeReact_20260911.json").read_bytes())
    assert found.day == DAY
    assert found.flows == {"DII": Flow(15109.58, 13141.41, 1968.17), "FII": Flow(12616.89, 13547.79, -930.9)}
    assert found.notes == ()


def test_commas_and_footnotes_change_nothing():
    (found,) = days_in(cash_json(DAY, DII, FII).encode())
    assert found.flows == {"DII": Flow(15109.58, 13141.41, 1968.17), "FII": Flow(12616.89, 13547.79, -930.9)}


def test_the_sites_csv_says_the_same_as_its_json():
    assert days_in(SITE_CSV.encode()) == days_in(cash_json(DAY, DII, FII).encode())


def test_a_csv_of_days_has_them_all(market_data):
    found = days_in((market_data / "participants" / "fii_dii_cash_tradeos.csv").read_bytes())
    assert [day.day for day in found] == [date(2026, 9, 30), *(date(2026, 10, d) for d in (1, 5, 6, 7, 8))]
    assert found[-1].flows["FII"] == Flow(15725.45, 28669.03, -12943.58)


def test_a_net_that_is_rounded_is_noted_and_one_that_is_wrong_refused():
    (found,) = days_in(cash_json(DAY, ("15109.58", "13141.41", "1968.18"), FII).encode())
    assert found.notes == ("the net of DII is 1968.18, and 1968.17 by subtraction",)
    with pytest.raises(BadResponse, match="by subtraction"):
        days_in(cash_json(DAY, ("15109.58", "13141.41", "1968.20"), FII).encode())


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "[1]",
        '{"message": "denied"}',
        cash_json(DAY, DII, FII).replace("FII/FPI *", "Retail"),
        cash_json(DAY, DII, FII).replace("FII/FPI *", "DII"),
        cash_json(DAY, DII, FII).replace("11-Sep-2026", "11-Foo-2026"),
        cash_json(DAY, DII, FII).replace('"12616.89"', '"-"'),
        cash_json(DAY, DII, FII).replace('"12616.89"', "null"),
        cash_json(DAY, ("-1", "1", "-2"), FII),
        SITE_CSV.replace('"1,968.17"\n', "\n"),
        "date,DII_buy,DII_sell,DII_net,FII_buy,FII_sell,FII_net\n2026-10-08,1,1,0,2\n",
    ],
)
def test_what_makes_no_sense_is_refused(body):
    with pytest.raises(BadResponse):
        days_in(body.encode())


def test_json_that_ends_early_is_refused_wherever_it_ends():
    whole = cash_json(DAY, DII, FII).encode()
    for end in range(len(whole)):
        with pytest.raises(BadResponse):
            days_in(whole[:end])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "<html><head><title>Access  Denied</title></head>You don't have permission",
            r'a web page \("Access Denied"\)',
        ),
        ("\n<!DOCTYPE html><body>Resource not found", "a web page in the place"),
        ("", "empty"),
        ("  \r\n", "empty"),
        ("symbol,price\nNIFTY,1\n", "no file of participants"),
        ("\x00\x01\x02", "no file of participants"),
    ],
)
def test_what_is_another_thing_is_told_as_what_it_is(body, said):
    with pytest.raises(BadResponse, match=said):
        days_in(body.encode())


def test_a_page_after_a_title_is_a_page():
    with pytest.raises(BadResponse, match="web page"):
        days_in((contracts_text(DAY).splitlines()[0] + "\n<html></html>").encode())
