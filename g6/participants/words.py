"""Days and numbers as the exchange writes them. The names of months are English wherever this runs."""

import re
from datetime import date

from g6.errors import BadResponse

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NUMBER = re.compile(r"-?[0-9]+(,[0-9]+)*(\.[0-9]+)?")


def day_of(year: str, month: str, day: str) -> date:
    """Return the day of "2026", "Oct" (or "October"), "08"; BadResponse when there is none."""
    try:
        return date(int(year), MONTHS.index(month[:3].lower()) + 1, int(day))
    except ValueError:
        raise BadResponse(f"{day} {month} {year} is no day") from None


def number(text: str, what: str) -> float:
    """Return a number that may have commas and blanks around it; BadResponse, naming `what`, for anything else."""
    plain = text.strip()
    if not NUMBER.fullmatch(plain):
        raise BadResponse(f"{what} is {plain[:40]!r} and no number")
    return float(plain.replace(",", ""))


def count(text: str, what: str) -> int:
    """Return a number of contracts: whole and not below zero."""
    value = number(text, what)
    if value < 0 or value != int(value):
        raise BadResponse(f"{what} is {text.strip()}, and contracts are counted in whole numbers from 0")
    return int(value)
