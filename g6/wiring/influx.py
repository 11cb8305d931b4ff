"""What the settings and the environment say about InfluxDB. The token is in the environment alone."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from g6.errors import ConfigError
from g6.logs import register_secret
from g6.model.columns import Aggregate
from g6.resilience.supervisor import Supervisor
from g6.settings import Settings

if TYPE_CHECKING:
    from g6.storage.influx_feed import Masters
    from g6.storage.influx_sink import InfluxSink
    from g6.storage.influx_writer import InfluxOptions

# Key of storage.influx → the variable that stands in where it is not set, as other tools know it.
VARIABLES = {"url": "INFLUXDB_URL", "org": "INFLUXDB_ORG", "bucket": "INFLUXDB_BUCKET"}
TOKEN_VARIABLE = "INFLUXDB_TOKEN"  # noqa: S105  the name of it
# How long a thread that wants the interpreter waits for one that computes, instead of Python's 5 ms: a cycle touches
# files often, and waits again after each, while a backlog is made into requests beside it.
SWITCH_SECONDS = 0.001


def influx_options(settings: Settings, environ: Mapping[str, str] = os.environ) -> "InfluxOptions":
    """Return the options of the database's client; ConfigError when the file of certificates is not there."""
    from g6.storage.influx_writer import InfluxOptions  # noqa: PLC0415  its client takes a while to import

    influx = settings.storage.influx
    if influx.ca_file and not influx.ca_file.is_file():
        origin = settings.origins["storage.influx.ca_file"]
        raise ConfigError(f"{origin}: storage.influx.ca_file: there is no file {influx.ca_file}")
    unset = {key for key in VARIABLES if settings.origins[f"storage.influx.{key}"] == "default"}
    named = {key: environ.get(VARIABLES[key]) for key in unset}
    token = environ.get(TOKEN_VARIABLE, "")
    register_secret(token)
    return InfluxOptions(
        url=named.get("url") or influx.url,
        org=named.get("org") or influx.org,
        bucket=named.get("bucket") or influx.bucket,
        token=token,
        batch_lines=influx.batch_lines,
        batch_bytes=influx.batch_bytes,
        compress=influx.compress,
        ca_file=str(influx.ca_file) if influx.ca_file else None,
        timeout_seconds=influx.timeout_seconds,
        maximum_wait_seconds=influx.maximum_wait_seconds,
        unconfirmed_seconds=influx.unconfirmed_seconds,
        # Where cycles are shorter than a minute, the minute's last tick is waited for.
        settle_seconds=60.0 if settings.collection.interval_seconds < 60 else 0.0,
    )


def influx_sink(
    settings: Settings, root: Path, aggregates: Sequence[Aggregate], price_basis: str, supervisor: Supervisor
) -> "InfluxSink":
    """Return the store; `price_basis` is the column whose sums are the masters' total premium."""
    from g6.storage.influx_sink import InfluxSink  # noqa: PLC0415  its client takes a while to import

    sys.setswitchinterval(min(SWITCH_SECONDS, sys.getswitchinterval()))
    masters = master_updates(settings, root, price_basis)
    return InfluxSink(root, influx_options(settings), aggregates, masters=masters, supervisor=supervisor)


def master_updates(settings: Settings, root: Path, price_basis: str) -> "Masters | None":
    """Return what says of each minute what it did to the weekday masters; None where no masters are kept."""
    from g6.masters.updates import MasterUpdates  # noqa: PLC0415  only those who keep masters

    masters = settings.storage.masters
    return MasterUpdates(root, price_basis, masters.smoothing) if masters.enabled else None
