"""The measures that have no gauge on /metrics, as lines of /metrics/options: of chains, of indices, of the market."""

import math
from collections.abc import Iterator, Mapping, Sequence

from g6.metrics.catalogue import MEASURE_SECONDS, Metric, off_metrics, with_aggregates
from g6.metrics.instruments import Known
from g6.metrics.naming import escaped
from g6.model.columns import Aggregates, Scope
from g6.model.snapshot import Snapshot

Said = tuple[bytes, Aggregates]  # label text, and what is said under it


class MeasureLines:
    """Knows the gauges; `of` gives a minute's lines. Label values are names from the configuration."""

    def __init__(self, known: Known) -> None:
        scopes = {measure.name: measure.scope for measure in known.measures}
        rows = off_metrics(known.measures, with_aggregates(known.exported))
        self._rows: Mapping[str, tuple[Scope, Metric]] = {name: (scopes[name], row) for name, row in rows.items()}

    def of(self, snapshot: Snapshot) -> tuple[list[bytes], int]:
        """Return the lines, each with the line end before it, and how many series they are; NaN has none.

        A chain is told of under each of its codes, unless it has expired by its own clock.
        """
        market = [(b" ", snapshot.market.aggregates)] if snapshot.market else []
        said: Mapping[Scope, Sequence[Said]] = {
            "chain": list(_chains(snapshot)),
            "index": [(_labels(index=index.index), index.aggregates) for index in snapshot.indices],
            "market": market,
        }
        pieces, series = [], 0
        for name, (scope, row) in self._rows.items():
            head = b"\n" + row.name.encode()
            values = [(labels, values.get(name, math.nan)) for labels, values in said[scope]]
            lines = [head + labels + repr(float(value)).encode() for labels, value in values if math.isfinite(value)]
            if lines:
                pieces += [f"\n# HELP {row.name} {row.help}\n# TYPE {row.name} {row.type}".encode(), *lines]
                series += len(lines)
        return pieces, series


def time_lines(spent: Mapping[str, float]) -> list[bytes]:
    """Return a line per enricher and measure with the seconds that it took, each with the line end before it."""
    if not spent:
        return []
    row = MEASURE_SECONDS
    lines = (f'\n{row.name}{{measure="{escaped(name)}"}} {seconds!r}' for name, seconds in spent.items())
    return [
        f"\n# HELP {row.name} {row.help}\n# TYPE {row.name} {row.type}".encode(),
        *(each.encode() for each in lines),
    ]


def _chains(snapshot: Snapshot) -> Iterator[Said]:
    for chain in snapshot.chains:
        for code in chain.codes if chain.expires_at > chain.at else ():
            yield _labels(index=chain.index, expiry_code=code), chain.aggregates


def _labels(**labels: str) -> bytes:
    return ("{" + ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items()) + "} ").encode()
