"""The page /metrics/options, rendered once a cycle: options by column, what surrounds them, and what chains say."""

import gzip
import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import numpy as np
import orjson

from g6.metrics.catalogue import OPTION_COLUMNS, OPTIONS_MINUTE, Metric, option_metric
from g6.metrics.instruments import Instruments
from g6.metrics.measures import MeasureLines, time_lines
from g6.metrics.naming import escaped
from g6.metrics.participants import participant_lines
from g6.metrics.surroundings import surrounding_lines
from g6.model.chain import OptionChain
from g6.model.columns import Floats
from g6.model.contracts import CALL, PUT
from g6.model.participants_report import ParticipantsReport
from g6.model.snapshot import Snapshot

# Level 1 takes a tenth of the time of the default 9 and a seventh more bytes.
GZIP_LEVEL = 1

NOTHING_SPENT: Mapping[str, float] = MappingProxyType({})
NO_PARTICIPANTS = ParticipantsReport()

ContractSet = tuple[str, str, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Page:
    """One minute's page, in Prometheus text 0.0.4, and the same compressed. Never changed once made."""

    plain: bytes
    gzipped: bytes
    minute: datetime | None  # None: nothing to show
    series: int


EMPTY_PAGE = Page(b"", gzip.compress(b"", GZIP_LEVEL, mtime=0), None, 0)


class OptionsPage:
    """Holds the page of the last minute.

    Readers take `current`, one reference that is swapped when the next page is complete: none sees half a minute, and
    an option that is not in the minute, or has expired by its own clock, is not on the page.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._to = instruments
        self._measures = MeasureLines(instruments.known)
        self._page = EMPTY_PAGE
        self._labels: dict[ContractSet, list[bytes]] = {}
        self._hidden = False

    @property
    def current(self) -> Page:
        """Return the page as it stands."""
        return self._page

    def render(
        self,
        snapshot: Snapshot,
        spent: Mapping[str, float] = NOTHING_SPENT,
        participants: ParticipantsReport = NO_PARTICIPANTS,
    ) -> None:
        """Make the page of a minute and swap it in. A value that is NaN or infinite has no line.

        `spent` has the seconds that each enricher and measure took.
        """
        if self._hidden:
            return
        begun = time.perf_counter()
        self._show(self._rendered(snapshot, spent, participants))
        self._to.add("g6_exporter_renders_total", 1, "options")
        self._to.add("g6_exporter_render_seconds_total", time.perf_counter() - begun, "options")

    def clear(self) -> None:
        """Empty the page and forget the label texts, to give their memory back."""
        self._labels = {}
        self._show(EMPTY_PAGE)

    def hide(self, hidden: bool) -> None:  # noqa: FBT001 - a switch of the governor's form
        """Empty the page and keep it empty, or let the next minute fill it again. Safe in any thread."""
        self._hidden = hidden
        if hidden:
            self.clear()

    def _show(self, page: Page) -> None:
        self._page = page
        self._to.set("g6_exporter_page_bytes", len(page.plain), "options")
        self._to.set("g6_exporter_options_series", page.series)

    def _rendered(self, snapshot: Snapshot, spent: Mapping[str, float], participants: ParticipantsReport) -> Page:
        chains = [chain for chain in snapshot.chains if chain.expires_at > chain.at]
        labels = self._label_texts(chains)
        pieces, series = [_minute(snapshot.minute)], 1
        for name in OPTION_COLUMNS:
            values = np.concatenate([getattr(chain, name) for chain in chains]) if chains else np.empty(0)
            lines = _lines(option_metric(name).name, values, labels)
            pieces += [_header(option_metric(name)), *lines]
            series += len(lines) // 3
        around, count = surrounding_lines(snapshot.market)
        measures, of_measures = self._measures.of(snapshot)
        classes, of_classes = participant_lines(participants)
        plain = b"".join([*pieces, *around, *measures, *classes, *time_lines(spent)]).lstrip() + b"\n"
        series += count + of_measures + of_classes + len(spent)
        return Page(plain, gzip.compress(plain, GZIP_LEVEL, mtime=0), snapshot.minute, series)

    def _label_texts(self, chains: Sequence[OptionChain]) -> list[bytes]:
        """Return one text per leg; those of contracts that were on the page before are taken from it."""
        keys = [_contract_set(chain) for chain in chains]
        self._labels = {key: self._labels.get(key) or _texts(chain) for key, chain in zip(keys, chains, strict=True)}
        return list(itertools.chain.from_iterable(self._labels[key] for key in keys))


def _contract_set(chain: OptionChain) -> ContractSet:
    return chain.index, chain.expiry.isoformat(), chain.strike.tobytes(), chain.is_call.tobytes()


def _texts(chain: OptionChain) -> list[bytes]:
    head = f'{{index="{escaped(chain.index)}",expiry="{chain.expiry.isoformat()}",strike="'
    sides = np.where(chain.is_call, CALL, PUT).tolist()
    strikes = (repr(strike).removesuffix(".0") for strike in chain.strike.tolist())
    return [f'{head}{strike}",side="{side}"}} '.encode() for strike, side in zip(strikes, sides, strict=True)]


def _lines(name: str, values: Floats, labels: list[bytes]) -> list[bytes]:
    """Return name, labels and number of every line, flat: joining them is all that is done per series in Python."""
    keep = np.isfinite(values)
    if not keep.any():
        return []
    if not keep.all():
        labels = list(itertools.compress(labels, keep.tolist()))
    numbers = orjson.dumps(values[keep], option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    pieces = [b"\n" + name.encode()] * (3 * len(numbers))
    pieces[1::3], pieces[2::3] = labels, numbers
    return pieces


def _header(row: Metric) -> bytes:
    return f"\n# HELP {row.name} {row.help}\n# TYPE {row.name} {row.type}".encode()


def _minute(minute: datetime) -> bytes:
    return _header(OPTIONS_MINUTE) + f"\n{OPTIONS_MINUTE.name} {minute.timestamp()}".encode()
