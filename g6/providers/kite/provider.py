"""Kite over REST as a provider: everything that a minute needs, in as few requests as the broker allows.

1. contracts: the day's instruments dump (`dump_cache`), cut down to the indices asked for.
2. spots: all indices in one quote request.
3. quotes: all legs of all indices together, cut into batches by bytes and count (`batches`), one after another at the
   pace of the session's limiter; each body is decoded as it arrives (`quote_columns`).

A batch that fails costs its own legs: they have not answered, the reason is among the report's problems, and the minute
goes on. Only when nothing answered is the failure the minute's. A dead token ends the minute at once.
"""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Protocol

from g6.clock import IST, Clock
from g6.errors import BadResponse, TransientError
from g6.market.indices import IndexDefinition
from g6.model.contracts import ContractTable
from g6.model.provider_report import DumpReport, ProviderReport
from g6.model.quotes import Quotes, Spot
from g6.providers.kite.batches import batches
from g6.providers.kite.quote_columns import (
    SPOT_EXCHANGES,
    DecodedQuotes,
    decode_quotes,
    quote_keys,
    quotes_for,
    spots_for,
)
from g6.providers.kite.session import KiteSession

MOST_PROBLEMS = 10
MOST_REASONS = 3


class Dump(Protocol):
    """Where the day's contracts come from: `dump_cache.DumpCache`."""

    def contracts(self, day: date) -> ContractTable:
        """Return the contracts listed on a day, the same table all day."""
        ...

    def index_tokens(self, day: date) -> Mapping[str, int]:
        """Return spot symbol → instrument token."""
        ...

    def share_tokens(self, day: date) -> Mapping[str, int]:
        """Return share ("NSE:RELIANCE") → instrument token."""
        ...

    def report(self) -> DumpReport | None:
        """Return which dump is in use; None before the first."""
        ...


class KiteProvider:
    """Asks Kite's REST API. One thread asks at a time; `report` may be called from any."""

    def __init__(self, name: str, session: KiteSession, dump: Dump, clock: Clock) -> None:
        self.name = name
        self.session = session
        self.dump = dump
        self._clock = clock
        self._problems = Problems()
        self._of_indices = lru_cache(maxsize=1)(_rows_of)  # one table a day: who keeps it can tell it by identity

    def contracts(self, indices: Sequence[IndexDefinition], at: datetime) -> ContractTable:
        """Return the listed options and futures of these indices; an index that is not in the dump has no rows."""
        listed = self.dump.contracts(at.astimezone(IST).date())
        return self._of_indices(listed, tuple(index.name for index in indices))

    def spots(self, indices: Sequence[IndexDefinition], at: datetime) -> Mapping[str, Spot]:  # noqa: ARG002  the Protocol's
        """Return the levels in one request; an index that the broker does not know is absent."""
        answer = self.session.quote([index.spot_symbol for index in indices], decode_quotes)
        self._note_bad([answer])
        return spots_for(indices, [answer])

    def quotes(self, contracts: ContractTable, at: datetime) -> Quotes:
        """Return one row per contract, in the same order, taken when the last batch has arrived.

        Legs that the broker left out, and legs of batches that failed, have not answered. Raises AuthError at once,
        and the first failure when no batch with a derivative in it answered: what surrounds them is no minute.
        """
        keys = quote_keys(contracts)
        options = self.session.options
        answers: list[DecodedQuotes] = []
        failures: list[TransientError | BadResponse] = []
        lost, any_answered = 0, False
        for batch in batches(keys, options.batch_bytes, options.batch_count):
            try:
                answers.append(self.session.quote(batch, decode_quotes))
                any_answered |= not batch[0].startswith(SPOT_EXCHANGES)
            except (TransientError, BadResponse) as error:
                failures.append(error)
                lost += len(batch)
        if failures and not any_answered:
            raise failures[0]
        if failures:
            asked = len(failures) + len(answers)
            reason = "; ".join(list(dict.fromkeys(str(error) for error in failures))[:MOST_REASONS])
            self._problems.add(f"{len(failures)} of {asked} quote requests failed, {lost} legs are missing: {reason}")
        self._note_bad(answers)
        return quotes_for(contracts, answers, max(at, self._clock.now()))

    def index_tokens(self, indices: Sequence[IndexDefinition], at: datetime) -> Mapping[str, int]:
        """Return index name → token of its level on the stream; an index that the dump lacks is absent."""
        tokens = self.dump.index_tokens(at.astimezone(IST).date())
        return {index.name: tokens[index.spot_symbol] for index in indices if index.spot_symbol in tokens}

    def tokens(self, keys: Sequence[str], at: datetime) -> Mapping[str, int]:
        """Return key of a level or a share → its token on the stream; what the dump lacks is absent."""
        day = at.astimezone(IST).date()
        known = (self.dump.index_tokens(day), self.dump.share_tokens(day))
        return {key: tokens[key] for tokens in known for key in keys if key in tokens}

    def probe(self) -> None:
        """Ask for the user's profile, the cheapest way to learn whether the token lives; raises what a minute would."""
        self.session.profile()

    def report(self) -> ProviderReport:
        """Return what asking went through since the last report, and how token and dump stand now."""
        dump, token = self.dump.report(), self.session.token_report()
        problems = self._problems.taken()
        if dump is not None and dump.reason:
            problems.append(f"instruments: {dump.reason}")
        if token.state in {"absent", "dead"}:
            problems.append(f"{token.reason}; run `{self.session.login_command}`")
        return ProviderReport(
            self.name, endpoints=self.session.endpoint_reports(), token=token, dump=dump, problems=tuple(problems)
        )

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def _note_bad(self, answers: Sequence[DecodedQuotes]) -> None:
        bad: Counter[str] = Counter()
        for answer in answers:
            bad.update(answer.bad)
        if bad:
            counts = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in sorted(bad.items()))
            total = bad.total()
            said = "1 quote could not be used" if total == 1 else f"{total} quotes could not be used"
            self._problems.add(f"{said} ({counts}); counted as unanswered")


class Problems:
    """Sentences since the last report, each once, thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sentences: dict[str, None] = {}

    def add(self, sentence: str) -> None:
        """Keep a sentence, unless nobody has asked for so many already."""
        with self._lock:
            if len(self._sentences) < MOST_PROBLEMS:
                self._sentences[sentence] = None

    def taken(self) -> list[str]:
        """Return the sentences and forget them."""
        with self._lock:
            sentences, self._sentences = list(self._sentences), {}
        return sentences


def _rows_of(listed: ContractTable, names: tuple[str, ...]) -> ContractTable:
    return ContractTable.concatenate(listed.of_index(name) for name in dict.fromkeys(names))
