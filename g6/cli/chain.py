"""`g6 chain`: one option chain of a stored minute, calls left and puts right, with what it says."""

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING

import orjson

from g6.cli.arguments import DIRECTORY, Parser, add_settings, day_of, settings_of
from g6.cli.surroundings import Surroundings
from g6.clock import IST
from g6.console.chain_rows import COLUMN_WORDS
from g6.errors import ConfigError
from g6.model.chain import EXPIRY_CODES
from g6.settings import load
from g6.settings.wording import shown

if TYPE_CHECKING:
    from g6.checks.chain import Wanted

STRIKES = 10

EPILOG = """\
examples:
  g6 chain NIFTY                               the nearest expiry, in the last minute that was recorded
  g6 chain NIFTY --expiry next_week --at 10:15
  g6 chain BANKNIFTY --date 2026-11-20 --at 15:20 --strikes 20 --greeks
  g6 chain NIFTY --columns oi,ltp,iv,delta,theta
  g6 chain SENSEX --strikes all --json | jq '.measures.max_pain'

S, R and P beside a strike: support and resistance by open interest, max pain. A rule between two strikes is the spot,
while the index stands still the forward. IV is the strike's own, one for call and put. Columns that have no room give
way, the Greeks first; --greeks keeps them before the others. `g6 dictionary` says what each number is.

A day that is archived is read from the archive, any other from its journal; a running G6 is not disturbed.

exit codes: 0 shown; 2 bad configuration or arguments, or what is asked for is not recorded; 3 a file cannot be read"""


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Show one chain."""
    namespace = _parser().parse_strictly(argv)
    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    # What answers is heavy; --help does without it.
    from g6.checks.chain import as_document, find, finite  # noqa: PLC0415
    from g6.checks.snapshot import source_of  # noqa: PLC0415
    from g6.console.chain_table import Choice, chain_table  # noqa: PLC0415
    from g6.console.terminal import is_ascii, make_console  # noqa: PLC0415

    choice = Choice(namespace.strikes, namespace.columns, namespace.greeks)
    view = find(source_of(settings), _wanted(namespace, settings.enabled_indices))
    if namespace.json:
        sys.stdout.write(orjson.dumps(finite(as_document(view)), option=orjson.OPT_INDENT_2).decode() + "\n")
        return 0
    forced = settings.console.force_ascii
    console = make_console(force_ascii=forced, color=settings.console.color)
    console.print(chain_table(view, console.width, choice, ascii_only=is_ascii(force_ascii=forced)))
    return 0


def _wanted(namespace: argparse.Namespace, indices: Sequence[str]) -> "Wanted":
    from g6.checks.chain import Wanted  # noqa: PLC0415

    at: time | datetime | None = namespace.at
    day: date | None = namespace.date
    if isinstance(at, datetime):
        if day not in {None, at.date()}:
            raise ConfigError(f"--at {at:%Y-%m-%dT%H:%M} is not on --date {day}; leave one of them out")
        day = at.date()
    minute = at.time() if isinstance(at, datetime) else at
    return Wanted((namespace.index or indices[0]).upper(), namespace.expiry or "", day, minute)


def _parser() -> Parser:
    parser = Parser(
        prog="g6 chain", description="Shows one option chain of a stored minute.", epilog=EPILOG, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add_settings(parser, (*DIRECTORY, "--indices", "--ascii"))
    parser.add_argument("index", nargs="?", metavar="INDEX", help="as NIFTY (default: the first that is collected)")
    parser.add_argument(
        "--expiry", type=_expiry, metavar="E",
        help="this_week, next_week, this_month, next_month or a day (default: the nearest)",
    )  # fmt: skip
    parser.add_argument(
        "--at", type=_at, metavar="T", help="minute, 10:15 or 2026-11-20T10:15, IST (default: the last)"
    )
    parser.add_argument("--date", type=day_of, metavar="D", help="day, YYYY-MM-DD (default: the last recorded)")
    parser.add_argument(
        "--strikes", type=_strikes, default=STRIKES, metavar="N",
        help="strikes on either side of the ATM, or all (default: 10)",
    )  # fmt: skip
    parser.add_argument("--greeks", action="store_true", help="rather the Greeks than volume, bid and ask")
    parser.add_argument(
        "--columns", type=_columns, default=(), metavar="A,B", help=f"these alone, of {', '.join(COLUMN_WORDS)}"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object: all columns and measures")
    return parser


def _columns(text: str) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(word.strip().lower() for word in text.split(",")))
    if strange := [word for word in wanted if word not in COLUMN_WORDS]:
        raise argparse.ArgumentTypeError(f"{shown(strange[0])} is none of {', '.join(COLUMN_WORDS)}")
    return wanted


def _strikes(text: str) -> int | None:
    if text == "all":
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise argparse.ArgumentTypeError(f"{shown(text)} is no number of strikes, and not all")
    return int(text)


def _expiry(text: str) -> str | date:
    return text if text in EXPIRY_CODES else day_of(text, f", and none of {', '.join(EXPIRY_CODES)}")


def _at(text: str) -> time | datetime:
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}", text):
            return time.fromisoformat(text.zfill(5))
        if re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:", text):
            moment = datetime.fromisoformat(text)
            return (moment.astimezone(IST) if moment.tzinfo else moment).replace(tzinfo=None)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{shown(text)} is no minute like 10:15 or 2026-11-20T10:15")
