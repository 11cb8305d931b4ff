"""Which of the exchange's files some bytes are, told by what is in them: their names are what people make them."""

import csv
import re

from g6.errors import BadResponse
from g6.participants.cash_file import cash_header, parse_cash_csv, parse_cash_json
from g6.participants.contracts_file import is_contracts, parse_contracts
from g6.participants.days import Day

PAGE = re.compile(r"<!doctype html|<html\b|<head\b|<body\b", re.IGNORECASE)
PAGE_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
# What is looked at to tell a page from a file.
HEAD_CHARACTERS = 2000


def days_in(body: bytes) -> tuple[Day, ...]:
    """Return the days in a file, of positions, volumes or cash; BadResponse says why there are none."""
    text = body.decode("utf-8-sig", "replace").lstrip()
    if not text:
        raise BadResponse("it is empty")
    if PAGE.search(text[:HEAD_CHARACTERS]):
        raise BadResponse(f"it is a web page{_entitled(text)} in the place of a file")
    if text[0] in "[{":
        return parse_cash_json(text.encode())
    try:
        if is_contracts(text):
            return (parse_contracts(text),)
        if cash_header(text) is not None:
            return parse_cash_csv(text)
    except csv.Error as error:
        raise BadResponse(f"it is no CSV: {error}") from None
    raise BadResponse("it is no file of participants: neither positions nor volumes nor cash flows")


def _entitled(text: str) -> str:
    title = PAGE_TITLE.search(text[:HEAD_CHARACTERS])
    words = " ".join(title.group(1).split())[:80] if title else ""
    return f' ("{words}")' if words else ""
