"""What the settings and the environment say about InfluxDB. The token is in the environment alone."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from g6.settings import Settings

if TYPE_CHECKING:
    from g6.storage.influx_writer import InfluxOptions

# Key of storage.influx → the variable that stands in where it is not set, as other tools know it.
VARIABLES = {"url": "INFLUXDB_URL", "org": "INFLUXDB_ORG", "bucket": "INFLUXDB_BUCKET"}
TOKEN_VARIABLE = "INFLUXDB_TOKEN"  # noqa: S105  the name of it


def influx_options(settings: Settings, environ: Mapping[str, str] = os.environ) -> "InfluxOptions":
    """Return the options of the database's client."""
    from g6.storage.influx_writer import InfluxOptions  # noqa: PLC0415  its client takes a while to import

    influx = settings.storage.influx
    unset = {key for key in VARIABLES if settings.origins[f"storage.influx.{key}"] == "default"}
    named = {key: environ.get(VARIABLES[key]) for key in unset}
    return InfluxOptions(
        url=named.get("url") or influx.url,
        org=named.get("org") or influx.org,
        bucket=named.get("bucket") or influx.bucket,
        token=environ.get(TOKEN_VARIABLE, ""),
        batch_lines=influx.batch_lines,
        timeout_seconds=influx.timeout_seconds,
        unconfirmed_seconds=influx.unconfirmed_seconds,
        # Where cycles are shorter than a minute, the minute's last tick is waited for.
        settle_seconds=60.0 if settings.collection.interval_seconds < 60 else 0.0,
    )
