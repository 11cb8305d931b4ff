"""What stands in InfluxDB: a snapshot and a cycle's report as lines of its line protocol. No I/O.

Every line carries the minute as its timestamp, in seconds since 1970 (write it with `precision=s`), so the same minute
written again is the same point. Every field is a float and what is not finite is left out, because a field's type can
never change and InfluxDB has no NaN; a line without a field is no line.

| measurement | tags | from |
|---|---|---|
| `option_data` | index, expiry_code, offset, side (`ce`, `pe`) | a leg of an accepted chain, by its schema columns |
| `options_overview` | index, expiry_code | an accepted chain: levels, counts and aggregates |
| `index_overview` | index, sector | an index: level, what was expected and what came; see `influx_market` |
| `weekday_master_updates` | index, expiry_code, offset (a pair's, too) | the weekday masters after the minute |
| `pipeline_tick` | | the minute as it was recorded |
| `monitor_status` | | the report: status, durations, journal and stores |
| `broker_health` | provider, and endpoint for its calls | what asking the market went through |
| `influx_write_stats` | | the writing of all this |

The last three say how the recording went and no journal keeps them: what is lost of them is lost. All others are made
again from the journals, `weekday_master_updates` together with the masters of the days before.

Tags are names out of the configuration and the program alone. Days, strikes, tokens and sentences never are, so there
are at most indices x codes x offsets x 2 series of `option_data`, however long G6 runs.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
import orjson

from g6.model.chain import OptionChain, offset_label
from g6.model.columns import Aggregate, Floats
from g6.model.provider_report import EndpointReport, MarketReport, ProviderReport
from g6.model.report import CycleReport
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.storage.csv_layout import LEG_VALUES
from g6.storage.influx_market import market_fields, sector_tags

PRECISION = "s"

STATUS_CODES = {"ok": 0.0, "partial": 1.0, "failed": 2.0}
BREAKER_CODES = {"closed": 0.0, "half_open": 1.0, "open": 2.0}
TOKEN_CODES = {"absent": 0.0, "valid": 1.0, "expiring": 2.0, "dead": 3.0}

ESCAPES = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\n": "\\n", "\r": "\\r", "\t": "\\t"})

Tags = Mapping[str, str]
Fields = Mapping[str, float]


class MasterRows(NamedTuple):
    """What a minute did to the weekday masters, a row per index, expiry code and offset label.

    `groups` is index, expiry code → how many of the rows are its own; `fields` is name → a number for each row.
    """

    groups: Mapping[tuple[str, str], int]
    offsets: Sequence[str]
    fields: Mapping[str, Floats]


def lines(snapshot: Snapshot, aggregates: Sequence[Aggregate], masters: MasterRows | None = None) -> list[bytes]:
    """Return the lines of a minute, without line ends; `masters` is what it did to the weekday masters.

    A chain with two codes is there under both. A leg whose offset is unknown (a chain without an ATM) has no place
    here; the journal keeps it.
    """
    stamp = _stamp(snapshot.minute)
    small = [_line("pipeline_tick", {}, _tick_fields(snapshot), stamp)]
    around = market_fields(snapshot.market)
    for index in snapshot.indices:
        whole = {**_index_fields(index), **around.pop((index.index, ""), {})}
        small.append(_line("index_overview", {"index": index.index}, whole, stamp))
    small += [_line("index_overview", sector_tags(*place), known, stamp) for place, known in around.items()]
    for chain in snapshot.chains:
        fields = _chain_fields(chain, aggregates)
        small += [
            _line("options_overview", {"expiry_code": c, "index": chain.index}, fields, stamp) for c in chain.codes
        ]
    updates = _master_lines(masters, stamp) if masters else []
    return [*filter(None, small), *updates, *_leg_lines(snapshot.chains, stamp)]


def health_lines(report: CycleReport, write_stats: Fields) -> list[bytes]:
    """Return the lines that say how the recording itself went; `write_stats` are the fields of `influx_write_stats`."""
    stamp = _stamp(report.minute)
    found = [_line("monitor_status", {}, _status_fields(report), stamp)]
    found += _broker_lines(report.market, stamp) if report.market else []
    found.append(_line("influx_write_stats", {}, write_stats, stamp))
    return list(filter(None, found))


def _stamp(minute: datetime) -> bytes:
    return b" %d" % int(minute.timestamp())


def _line(measurement: str, tags: Tags, fields: Fields, stamp: bytes) -> bytes:
    """Return a line, empty when no field is finite. Tags are given in the order of their names, as InfluxDB sorts."""
    body = ",".join(f"{name}={_number(value)}" for name, value in fields.items() if math.isfinite(value))
    return f"{measurement}{_tag_text(tags)} {body}".encode() + stamp if body else b""


def _tag_text(tags: Tags) -> str:
    return "".join(f",{name}={value.translate(ESCAPES)}" for name, value in tags.items() if value)


def _number(value: float) -> str:
    # 15 digits: all that a sum of decimal prices means, without the noise of its binary form.
    return repr(float(f"{value:.15g}") + 0.0).removesuffix(".0")


def _tick_fields(snapshot: Snapshot) -> Fields:
    return {
        "indices": len(snapshot.indices),
        "chains": len(snapshot.chains),
        "legs": sum(len(chain) for chain in snapshot.chains),
        "expected_legs": sum(index.expected_legs for index in snapshot.indices),
        "received_legs": sum(index.received_legs for index in snapshot.indices),
        "refusals": sum(len(index.refusals) for index in snapshot.indices),
        "backfilled": snapshot.backfilled,
        "shed_mask": snapshot.shed_mask,
    }


def _index_fields(index: IndexSnapshot) -> Fields:
    return {
        "spot": index.spot,
        "spot_frozen": index.spot_frozen,
        "expected_mask": index.expected_mask,
        "collected_mask": index.collected_mask,
        "expected_legs": index.expected_legs,
        "received_legs": index.received_legs,
        "refusals": len(index.refusals),
        "anomalies": len(index.anomalies),
        **index.aggregates,
    }


def _chain_fields(chain: OptionChain, aggregates: Sequence[Aggregate]) -> Fields:
    return {
        "expires_at_seconds": int(chain.expires_at.timestamp()),
        "spot": chain.spot,
        "spot_frozen": chain.spot_frozen,
        "forward": chain.forward,
        "future": chain.future,
        "atm": chain.atm,
        "rate": chain.rate,
        "years": chain.years,
        "settling": chain.settling,
        "expected_legs": chain.expected,
        "received_legs": chain.received,
        **{a.name: chain.aggregates.get(a.name, math.nan) for a in aggregates},
    }


def _master_lines(rows: MasterRows, stamp: bytes) -> list[bytes]:
    if not rows.offsets:
        return []
    heads: list[str] = []
    for (index, code), count in rows.groups.items():
        heads += [f"weekday_master_updates{_tag_text({'expiry_code': code, 'index': index})},offset="] * count
    cells = [_cells(f",{name}=".encode(), values) for name, values in rows.fields.items()]
    bodies = (b"".join(row)[1:] for row in zip(*cells, strict=True))
    placed = zip(heads, rows.offsets, bodies, strict=True)
    return [f"{head}{offset} ".encode() + body + stamp for head, offset, body in placed if body]


def _leg_lines(chains: Sequence[OptionChain], stamp: bytes) -> list[bytes]:
    if not sum(map(len, chains)):
        return []
    cells = [_cells(b" strike=", np.concatenate([chain.strike for chain in chains]))]
    for column in LEG_VALUES:
        values = np.concatenate([getattr(chain, column.name) for chain in chains])
        if np.isfinite(values).any():
            cells.append(_cells(f",{column.name}=".encode(), _rounded(values, column.decimals)))
    bodies = [b"".join(row) + stamp for row in zip(*cells, strict=True)]
    found, start = [], 0
    for chain in chains:
        found += _placed(chain, bodies[start : start + len(chain)])
        start += len(chain)
    return found


def _placed(chain: OptionChain, bodies: Sequence[bytes]) -> list[bytes]:
    """Return the legs' lines under each code of their chain."""
    sides = [
        (offset, "ce" if call else "pe") for offset, call in zip(chain.offset.tolist(), chain.is_call, strict=True)
    ]
    tails = [None if math.isnan(o) else f"{offset_label(round(o))},side={side}".encode() for o, side in sides]
    heads = [
        f"option_data{_tag_text({'expiry_code': code, 'index': chain.index})},offset=".encode() for code in chain.codes
    ]
    placed = [(tail, body) for tail, body in zip(tails, bodies, strict=True) if tail is not None]
    return [head + tail + body for head in heads for tail, body in placed]


def _cells(key: bytes, values: Floats) -> list[bytes]:
    """Return `key` and the number for each value, nothing where it is not finite."""
    # One call for the column and one split: a tenth of the time of a format call per number. Adding zero takes the
    # sign off a negative zero; what is not finite becomes null.
    text = (orjson.dumps(values + 0.0, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1] + b",").replace(b".0,", b",")[:-1]
    return (key + text.replace(b",", b"\n" + key)).replace(key + b"null", b"").split(b"\n")


def _rounded(values: Floats, decimals: int | None) -> Floats:
    return values if decimals is None else np.round(values, decimals)


def _status_fields(report: CycleReport) -> Fields:
    journal = report.journal
    fields: dict[str, float] = {
        "status": STATUS_CODES[report.status],
        "seconds": report.seconds,
        "expected_legs": report.expected,
        "received_legs": report.received,
        "refusals": sum(len(index.refusals) for index in report.indices),
        "missed_minutes": report.missed_minutes,
        "journal_failed": journal is None or journal.error is not None,
        "journal_bytes": journal.bytes_written if journal else 0,
        "journal_pending": journal.pending if journal else 0,
    }
    fields |= {f"stage_{name}_seconds": seconds for name, seconds in report.stages.items()}
    for sink in report.sinks:
        fields |= {
            f"{sink.name}_rows": sink.rows,
            f"{sink.name}_bytes": sink.bytes_written,
            f"{sink.name}_lag_cycles": sink.lag_cycles,
            f"{sink.name}_repaired": sink.repaired,
            f"{sink.name}_failed": sink.error is not None,
        }
    return fields


def _broker_lines(market: MarketReport, stamp: bytes) -> Iterable[bytes]:
    for provider in market.providers:
        fields = _provider_fields(provider) | {"active": provider.name == market.active}
        yield _line("broker_health", {"provider": provider.name}, fields, stamp)
        for endpoint in provider.endpoints:
            tags = {"endpoint": endpoint.name, "provider": provider.name}
            yield _line("broker_health", tags, endpoint_fields(endpoint), stamp)
    if market.active not in {provider.name for provider in market.providers}:  # it has no wire to speak of
        yield _line("broker_health", {"provider": market.active}, {"active": 1}, stamp)


def _provider_fields(provider: ProviderReport) -> dict[str, float]:
    fields: dict[str, float] = {"problems": len(provider.problems)}
    if provider.token:
        fields["token_state"] = TOKEN_CODES[provider.token.state]
        expires_at = provider.token.expires_at
        fields["token_expires_at_seconds"] = int(expires_at.timestamp()) if expires_at else math.nan
    if provider.stream:
        fields["connections"] = len(provider.stream.connections)
        fields["connected"] = sum(connection.connected for connection in provider.stream.connections)
        fields["filled_by_rest"] = provider.stream.filled_by_rest
    return fields


def endpoint_fields(endpoint: EndpointReport) -> dict[str, float]:
    """Return an endpoint's counts of the minute; the slowest answer is NaN when no call went out."""
    return {
        "calls": endpoint.calls,
        "failures": sum(endpoint.failures.values()),
        **{f"failures_{kind}": count for kind, count in endpoint.failures.items()},
        "retries": endpoint.retries,
        "waits": endpoint.waits,
        "wait_seconds": endpoint.wait_seconds,
        "slowest_seconds": max(endpoint.latencies_seconds, default=math.nan),
        "breaker": BREAKER_CODES[endpoint.breaker],
        "breaker_opens": endpoint.breaker_opens,
    }
