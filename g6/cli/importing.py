"""`g6 import`: CSV trees of older layouts, taken into the journals and from there into every store."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from g6.cli.arguments import Parser, add_settings, settings_of
from g6.cli.surroundings import Surroundings
from g6.clock import IST
from g6.settings import Settings, load

if TYPE_CHECKING:
    from g6.model.chain import OptionChain

EPILOG = """\
A file is <INDEX>/<expiry code>/<offset>/<YYYY-MM-DD>.csv below DIR, offsets ATM, OTM_1, ITM_1 or atm, p1, m1; times in
ts_ist, ts or timestamp; prices in call_last_price and put_last_price, or ce_last and pe_last; totals are made again
from the legs. Implied volatilities and aggregates are computed anew. A minute that was recorded is never touched; doing
an import again changes nothing.

exit codes: 0 everything was taken; 2 bad arguments; 3 something could not be taken, each reason on a line; 75 a
collector is running on the data directory"""

MARKETS = ("live", "replay", "simulated")
ZONES = {"ist": IST, "utc": UTC}


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Import a tree and report."""
    namespace = _parser().parse_strictly(argv)
    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    from g6.console.progress import Progress  # noqa: PLC0415
    from g6.maintenance.importing import Importer  # noqa: PLC0415  heavy, as all that values and stores
    from g6.maintenance.supply import supply  # noqa: PLC0415
    from g6.storage.data_directory import DataDirectory  # noqa: PLC0415
    from g6.wiring import data_dir_of, local_sinks  # noqa: PLC0415
    from g6.wiring.sources import load_market  # noqa: PLC0415

    market = load_market(settings)
    importer = Importer(market.indices, market.calendar, _valuer(settings), ZONES[namespace.naive])
    directory = DataDirectory(data_dir_of(settings, namespace.market))
    limit = settings.storage.journal.max_bytes
    source = around.cwd / namespace.source
    bar = Progress(
        "importing", "days", _days_in(source), quiet=namespace.json, force_ascii=settings.console.force_ascii
    )
    with directory.hold(), bar:
        directory.claim(namespace.market)
        report = importer.run(
            source, directory.root, limit, lambda day, _: bar.advance(note=str(day)), dry_run=namespace.dry_run
        )
        bar.advance(0, note="supplying the stores")
        sinks = [] if namespace.dry_run else local_sinks(settings, directory, market)
        supplied = supply(directory.root, sinks, limit)
    if namespace.json:
        sys.stdout.write(json.dumps({**report.document(), "errors": supplied.errors}, indent=2) + "\n")
    else:
        for line in (*report.sentences(), *supplied.errors):
            sys.stdout.write(f"{line}\n")
    return 0 if report.complete and not supplied.errors else 3


def _valuer(settings: Settings) -> "Callable[[OptionChain], OptionChain]":
    """Return what values a chain as the collector does; the ATM and the offsets stay those of the files."""
    from dataclasses import replace  # noqa: PLC0415

    from g6.analytics import aggregate, enrich  # noqa: PLC0415
    from g6.wiring import conventions_of, enrichers_of  # noqa: PLC0415

    conventions, enrichers = conventions_of(settings), enrichers_of(settings)

    def value(chain: "OptionChain") -> "OptionChain":
        enriched = enrich(chain, conventions, enrichers)
        known = math.isfinite(chain.atm)
        atm = (chain.atm, chain.atm_reference) if known else (enriched.atm, enriched.atm_reference)
        placed = replace(enriched, offset=chain.offset, atm=atm[0], atm_reference=atm[1])
        return aggregate(placed, conventions)

    return value


def _days_in(source: Path) -> int:
    """Return how many days the names of the files speak of."""
    return len({path.stem for path in source.rglob("????-??-??.csv")})


def _parser() -> Parser:
    parser = Parser(
        prog="g6 import", description="Takes CSV files of older layouts into the journals.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("source", type=Path, metavar="DIR", help="the tree of older files")
    parser.add_argument("--naive", choices=sorted(ZONES), default="ist", help="what times without a zone are (ist)")
    parser.add_argument("--market", choices=MARKETS, default="live", help="whose minutes they are (live)")
    parser.add_argument("--dry-run", action="store_true", help="read and report, and write nothing")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    add_settings(parser, ("--data-dir", "--ascii"))
    return parser
