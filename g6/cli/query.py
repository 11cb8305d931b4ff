"""`g6 query`: one SELECT over everything recorded, as a table, CSV or JSON."""

import argparse
import csv
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from g6.cli.arguments import DIRECTORY, Parser, add_settings, day_of, settings_of
from g6.cli.surroundings import Surroundings
from g6.settings import load

if TYPE_CHECKING:
    from g6.history.table import Table

EPILOG = """\
views (g6 query "DESCRIBE chain" tells their columns):
  chain      a row per strike and minute, call (ce_*) and put (pe_*) side by side
  legs       a row per leg and minute
  overview   a row per index and minute, with the aggregates of each expiry code (this_week_pcr_oi)
  expiries   the same by expiry code (pcr_oi)
  masters    the weekday masters
  market     a row per minute: India VIX, breadth, sectors and mood together
  levels     a row per minute of India VIX, an index or a sector
  breadth    a row per minute of an index's shares, or of an industry's
  gaps       what was refused and why; archived days only
  anomalies  what was out of the ordinary, and why; of days not archived, what they showed as a whole
  contracts  the contracts that were listed; archived days only
  participants, participant_cash  who holds and who trades what (g6 participants)

examples:
  g6 query "SELECT ts, total_premium FROM chain WHERE index = 'NIFTY' AND date = '2026-11-20'
            AND expiry_code = 'this_week' AND offset_label = 'atm' ORDER BY ts"
  g6 query "SELECT date, avg(atm_iv) FROM expiries WHERE expiry_code = 'this_month' GROUP BY date" --format csv

Days that are archived are read from Parquet, the others from their CSV files. Conditions on date, ts, index and
expiry_code spare a search through all of them; where those are no plain comparisons, --from and --to do. Nothing is
changed, and a running G6 is not disturbed.

exit codes: 0 done; 2 the query is wrong or does more than read; 3 a file cannot be read"""

ROWS_SHOWN = 100


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Answer one query."""
    namespace = _parser().parse_strictly(argv)
    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    from g6 import history  # noqa: PLC0415  what answers is heavy; --help does without it
    from g6.checks.snapshot import source_of  # noqa: PLC0415

    answer = history.sql(namespace.query, first=namespace.first, last=namespace.last, data_dir=source_of(settings))
    sys.stdout.write(FORMATS[namespace.format](answer))
    return 0


def _table(answer: "Table") -> str:
    """Return the first rows, aligned, and how many there are."""
    rows = [[_shown(value) for value in row.values()] for row in answer.arrow().slice(0, ROWS_SHOWN).to_pylist()]
    lines = [list(answer.columns), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [_aligned(line, widths, answer) for line in lines]
    more = f", the first {ROWS_SHOWN} shown; --format csv has all" if len(answer) > ROWS_SHOWN else ""
    counted = "1 row" if len(answer) == 1 else f"{len(answer)} rows"
    return "\n".join([text[0], "  ".join("-" * width for width in widths), *text[1:], f"({counted}{more})"]) + "\n"


def _aligned(line: Sequence[str], widths: Sequence[int], answer: "Table") -> str:
    """Return one line: numbers to the right, as people add them up."""
    kinds = [str(kind) for kind in answer.arrow().schema.types]
    numeric = [kind.startswith(("int", "uint", "double", "float", "decimal")) for kind in kinds]
    cells = zip(line, widths, numeric, strict=True)
    return "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells).rstrip()


def _csv(answer: "Table") -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([_written(value) for value in row.values()] for row in answer.rows())
    return file.getvalue()


def _json(answer: "Table") -> str:
    return json.dumps(answer.rows(), default=_written, ensure_ascii=False) + "\n"


FORMATS: Mapping[str, Callable[["Table"], str]] = {"table": _table, "csv": _csv, "json": _json}


def _shown(value: object) -> str:
    """Return a value for a person: minutes without what is always the same, numbers without noise."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}" if value.second == 0 == value.microsecond else f"{value:%Y-%m-%d %H:%M:%S}"
    return f"{value:.10g}" if isinstance(value, float) else str(_written(value))


def _written(value: object) -> object:
    """Return a value as the recorded files write it; what is missing is an empty cell."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds" if value.microsecond == 0 else "microseconds")
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    if value is None:
        return ""
    return value if isinstance(value, int | float | str) else str(value)


def _parser() -> Parser:
    parser = Parser(
        prog="g6 query",
        description="Answers one SELECT over everything recorded.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("query", metavar="SELECT", help="one query, in DuckDB's SQL")
    parser.add_argument("--format", choices=list(FORMATS), default="table", help="how the answer is written")
    parser.add_argument("--from", dest="first", type=day_of, metavar="D", help="first day, YYYY-MM-DD")
    parser.add_argument("--to", dest="last", type=day_of, metavar="D", help="last day, YYYY-MM-DD")
    add_settings(parser, DIRECTORY)
    return parser
