"""A query of InfluxDB 2, which the builders know only in its older languages."""

from grafana_foundation_sdk.cog import builder
from grafana_foundation_sdk.cog import variants as cogvariants
from grafana_foundation_sdk.models.dashboard import DataSourceRef


class Flux(cogvariants.Dataquery):
    """The query as Grafana stores it."""

    def __init__(self, query: str, ref_id: str, datasource: DataSourceRef) -> None:
        self.query, self.ref_id, self.datasource = query, ref_id, datasource

    def to_json(self) -> dict[str, object]:
        """Return what goes into the file."""
        return {"refId": self.ref_id, "query": self.query, "datasource": self.datasource}


class FluxQuery(builder.Builder[cogvariants.Dataquery]):
    """Builds one."""

    def __init__(self, query: str, ref_id: str, datasource: DataSourceRef) -> None:
        self._query = Flux(query, ref_id, datasource)

    def build(self) -> Flux:
        """Return it."""
        return self._query


def stored(measurement: str, fields: tuple[str, ...], tags: dict[str, str]) -> str:
    """Return the Flux for fields of a stored measurement over the dashboard's time range, `tags` chosen."""
    wanted = " or ".join(f'r._field == "{name}"' for name in fields)
    chosen = "".join(f' and r.{tag} == "{value}"' for tag, value in tags.items())
    return (
        "from(bucket: v.defaultBucket)\n"
        "  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)\n"
        f'  |> filter(fn: (r) => r._measurement == "{measurement}"{chosen})\n'
        f"  |> filter(fn: (r) => {wanted})\n"
        "  |> aggregateWindow(every: v.windowPeriod, fn: last, createEmpty: false)"
    )
