"""InfluxDB against the journal: how many points of a day it has, per index and expiry code. Values are not compared.

Each leg is one point of `option_data` with a `strike`, each chain one of `options_overview` and each index one of
`index_overview` with its `expected_legs`, each minute one of `pipeline_tick` with its `indices`; so the points of one
field are counted, by its measurement's tags. `weekday_master_updates` are not: how many there should be follows from
the prices of every minute, not from the counts that verification keeps. Asked in
Flux; a server that has no Flux (VictoriaMetrics) is asked in PromQL, where measurement and field are one name.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from g6.clock import IST
from g6.errors import AuthError, BadResponse, TransientError
from g6.storage.influx_writer import InfluxOptions
from g6.verification.result import Compare, Comparison, StoredCounts

# Measurement → the field whose points are counted, and the tags that tell them apart.
COUNTED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "option_data": ("strike", ("index", "expiry_code")),
    "options_overview": ("expected_legs", ("index", "expiry_code")),
    "index_overview": ("expected_legs", ("index",)),
    "pipeline_tick": ("indices", ()),
}
NO_FLUX = frozenset({400, 404})
LOGIN = frozenset({401, 403})
DAY = timedelta(days=1)
EXAMPLES_LIMIT = 3

Counts = Mapping[tuple[str, ...], int]  # by the values of the tags


def influx_compare(options: InfluxOptions) -> Compare:
    """Return the comparison of a database with the journal.

    It raises TransientError when the database does not answer, AuthError when it wants another token, and BadResponse
    when its answer makes no sense. Points that it has not flushed yet may not be counted: ask a minute after the close.
    """

    def compare(day: date, expected: StoredCounts) -> Comparison:
        server = _Server(options)
        wanted: Mapping[str, Counts] = {
            "option_data": expected.legs,
            "options_overview": expected.chains,
            "index_overview": {(index,): minutes for index, minutes in expected.indices.items()},
            "pipeline_tick": {(): expected.minutes} if expected.minutes else {},
        }
        differences = [
            difference
            for measurement, counts in wanted.items()
            for difference in _differences(measurement, counts, server.counts(measurement, day))
        ]
        compared = sum(sum(counts.values()) for counts in wanted.values())
        return Comparison(
            compared, sum(count for count, _ in differences), tuple(said for _, said in differences[:EXAMPLES_LIMIT])
        )

    return compare


def _differences(measurement: str, wanted: Counts, found: Counts) -> Iterator[tuple[int, str]]:
    for tags in sorted({*wanted, *found}):
        expected, there = wanted.get(tags, 0), found.get(tags, 0)
        if expected != there:
            yield abs(expected - there), f"{' '.join((measurement, *tags))}: {there} of {expected} points"


class _Server:
    """Counts by whichever of the two languages the server speaks."""

    def __init__(self, options: InfluxOptions) -> None:
        # The library takes a while to import: only those who ask wait for it.
        self._library: Any = import_module("urllib3")
        self._options = options
        self._base = options.url.rstrip("/")
        self._pool = self._library.PoolManager(
            ca_certs=options.ca_file, timeout=options.timeout_seconds, retries=False
        )  # fmt: skip

    def counts(self, measurement: str, day: date) -> Counts:
        field, tags = COUNTED[measurement]
        begin = datetime.combine(day, time(), IST)
        status, body = self._flux(measurement, field, tags, begin)
        if status == 200:
            return _read_flux(body, tags)
        if status in NO_FLUX:
            prometheus, page = self._promql(measurement, field, tags, begin)
            if prometheus == 200:
                return _read_promql(page, tags)
        said = " ".join(body.decode("utf-8", "replace").split())[:200]
        if status in LOGIN:
            raise AuthError(f"{self._base} answers {status}: {said}; give a token that may read the bucket")
        raise BadResponse(f"{self._base} answers {status}: {said}")

    def _flux(self, measurement: str, field: str, tags: tuple[str, ...], begin: datetime) -> tuple[int, bytes]:
        chosen = f"r._measurement == {json.dumps(measurement)} and r._field == {json.dumps(field)}"
        script = (
            f"from(bucket: {json.dumps(self._options.bucket)})"
            f" |> range(start: {begin.isoformat()}, stop: {(begin + DAY).isoformat()})"
            f" |> filter(fn: (r) => {chosen}) |> group(columns: {json.dumps(tags)}) |> count()"
        )
        return self._request(
            "POST", f"/api/v2/query?{self._encoded(org=self._options.org)}", script.encode(),
            {"Content-Type": "application/vnd.flux", "Accept": "application/csv"},
        )  # fmt: skip

    def _promql(self, measurement: str, field: str, tags: tuple[str, ...], begin: datetime) -> tuple[int, bytes]:
        # A window is open at its beginning, and no session begins or ends at midnight.
        query = f"sum(count_over_time({measurement}_{field}[{DAY.total_seconds():.0f}s])) by ({', '.join(tags)})"
        end = (begin + DAY).timestamp()
        return self._request("GET", f"/api/v1/query?{self._encoded(query=query, time=f'{end:.0f}')}", None, {})

    def _request(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
        token = {"Authorization": f"Token {self._options.token}"}
        try:
            answer = self._pool.request(method, self._base + path, body=body, headers={**headers, **token})
        except self._library.exceptions.HTTPError as error:
            raise TransientError(f"cannot reach {self._base}: {error}") from error
        if answer.status >= 500:
            raise TransientError(f"{self._base} answers {answer.status}", kind="server_error")
        return answer.status, answer.data

    def _encoded(self, **values: str) -> str:
        return urlencode(values)


def _read_flux(body: bytes, tags: tuple[str, ...]) -> Counts:
    """Read the annotated CSV: tables, each with a header of its own behind an empty line, comments begin with #."""
    counts: dict[tuple[str, ...], int] = {}
    heading: list[str] = []
    for row in csv.reader(body.decode("utf-8", "replace").splitlines()):
        if not row:
            heading = []
        elif row[0].startswith("#"):
            continue
        elif not heading:
            heading = row
        else:
            named = dict(zip(heading, row, strict=False))
            if "_value" not in named:
                raise BadResponse(f"not counts: {','.join(row)[:200]}")
            counts[tuple(named.get(tag, "") for tag in tags)] = int(named["_value"])
    return counts


def _read_promql(body: bytes, tags: tuple[str, ...]) -> Counts:
    try:
        series = json.loads(body)["data"]["result"]
        return {tuple(one["metric"].get(tag, "") for tag in tags): int(float(one["value"][1])) for one in series}
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BadResponse(f"not an answer to a query: {body[:200]!r}") from error
