"""What an answer is: columns, to be taken in whatever form is wanted next."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from g6.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation


class Table:
    """Rows of a query. Instants are aware, IST; what is missing is null in Arrow and Polars, NaN or NaT in pandas."""

    __slots__ = ("_arrow",)

    def __init__(self, arrow: "pa.Table") -> None:
        self._arrow = arrow

    def arrow(self) -> "pa.Table":
        """Return the columns as a pyarrow Table, without a copy."""
        return self._arrow

    def duckdb(self, connection: "DuckDBPyConnection | None" = None) -> "DuckDBPyRelation":
        """Return a DuckDB relation over the columns, without a copy; by default of a connection of its own, in IST."""
        if connection is None:
            import duckdb  # noqa: PLC0415 (heavy)

            connection = duckdb.connect()
            connection.execute("SET TimeZone = 'Asia/Kolkata'")
        return connection.from_arrow(self._arrow)

    def pandas(self) -> "pd.DataFrame":
        """Return a pandas DataFrame; ConfigError when pandas is not installed."""
        try:
            return self._arrow.to_pandas()
        except ImportError as error:
            raise ConfigError("pandas is not installed; `pip install pandas`, or take .arrow() or .rows()") from error

    def polars(self) -> "pl.DataFrame":
        """Return a Polars DataFrame, without a copy where that can be; ConfigError when Polars is not installed."""
        try:
            import polars  # noqa: ICN001, PLC0415 (optional, and heavy)
        except ImportError as error:
            raise ConfigError("polars is not installed; `pip install polars`, or take .arrow() or .rows()") from error
        return polars.DataFrame(self._arrow)

    def rows(self) -> list[dict[str, Any]]:
        """Return a dict per row; missing is None."""
        listed: list[dict[str, Any]] = self._arrow.to_pylist()
        return listed

    @property
    def columns(self) -> Sequence[str]:
        """Return the names of the columns, in order."""
        return tuple(self._arrow.column_names)

    def __len__(self) -> int:
        return int(self._arrow.num_rows)

    def __repr__(self) -> str:
        return f"<Table of {len(self)} rows: {', '.join(self.columns)}>"
