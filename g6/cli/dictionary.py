"""`g6 dictionary`: what every number is that G6 keeps, and where it appears."""

import argparse
import difflib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import orjson

from g6.cli.arguments import Parser
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError
from g6.settings.wording import shown

if TYPE_CHECKING:
    from g6.reports.dictionary import Entry

EPILOG = """\
examples:
  g6 dictionary max_pain iv_rank          these two
  g6 dictionary gex                       every name with gex in it
  g6 dictionary g6_chain_pcr_oi_ratio     the number behind a metric
  g6 dictionary index                     one kind: leg, chain, index, market, level, group,
                                          participants, institutions
  g6 dictionary --json | jq '.[] | select(.source == "Black 1976") | .name'

The whole page is g6/storage/DICTIONARY.md.

exit codes: 0 shown; 2 bad arguments, or no such name"""

PLACES: Mapping[str, str] = {"csv": "CSV", "influx": "Influx", "metric": "metric"}


def main(argv: Sequence[str], _around: Surroundings) -> int:
    """Show the entries of these names, or all."""
    namespace = _parser().parse_strictly(argv)
    from g6.reports.dictionary import as_markdown, chosen, entries  # noqa: PLC0415  heavy; --help does without it

    known = entries()
    found = list(chosen(namespace.names, known))
    if not found:
        word = namespace.names[0]
        close = difflib.get_close_matches(word, {entry.name for entry in known}, n=1)
        raise ConfigError(f"{shown(word)} is no name" + (f"; the nearest is {close[0]}" if close else ""))
    if namespace.json:
        text = orjson.dumps([asdict(entry) for entry in found], option=orjson.OPT_INDENT_2).decode() + "\n"
    else:
        text = as_markdown(found) if namespace.markdown else "\n".join(map(_told, found))
    sys.stdout.write(text)
    return 0


def _told(entry: "Entry") -> str:
    """Return an entry in a few lines."""
    places = {word: getattr(entry, field) for field, word in PLACES.items()}
    facts = {"definition": entry.definition, "source": f"{entry.source}, since {entry.since}", **places}
    lines = [f"{entry.name}  [{entry.unit}]  of {entry.kind}"]
    return "\n".join([*lines, *(f"  {word:<12}{text}" for word, text in facts.items() if text)]) + "\n"


def _parser() -> Parser:
    parser = Parser(
        prog="g6 dictionary", description="Says what every number is that G6 keeps, and where it appears.",
        epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="names, parts of them, kinds or metrics (default: all)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="a list of JSON objects")
    how.add_argument("--markdown", action="store_true", help="the page, as tables")
    return parser
