"""A database in memory over the files of a data directory: it reads those and nothing else, and writes nothing.

Importing this module loads DuckDB, a quarter of a second.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import duckdb

from g6.errors import ConfigError, SinkError
from g6.history.files import MASTERS, Files, Wanted
from g6.history.table import Table
from g6.history.views import name, pattern, text, views
from g6.storage.archive_manifest import ARCHIVE
from g6.storage.data_directory import CSV

# No extension is fetched from the network.
CONFIG: Mapping[str, str] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
READING = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})

Values = Sequence[object] | Mapping[str, object]


def ask(root: Path, wanted: Wanted, query: str, values: Values = ()) -> Table:
    """Answer one SELECT over the views; ConfigError for a query that is wrong or does more than read.

    SinkError when a file cannot be read.
    """
    root = root.resolve()
    files = Files.find(root, wanted)
    with closing(duckdb.connect(config=dict(CONFIG))) as connection:
        try:
            _refuse_all_but_reading(connection, query)
            _prepare(connection, root, files, query)
            relation = connection.sql(query, params=values or None)
            return Table(relation.to_arrow_table())
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            raise SinkError(f"a file below {root} cannot be read: {_one_line(error)}") from error
        except duckdb.Error as error:
            raise ConfigError(f"the query cannot be answered: {_one_line(error)}") from error


def _prepare(connection: duckdb.DuckDBPyConnection, root: Path, files: Files, query: str) -> None:
    connection.execute("SET TimeZone = 'Asia/Kolkata'")
    selects = views(files)
    mentioned = _mentioned(query, selects)
    for view, select in selects.items():
        if view in mentioned:
            connection.execute(f"CREATE VIEW {name(view)} AS {select}")
    folders = [f"{root}/{folder}/" for folder in (ARCHIVE, CSV, MASTERS)]
    allowed = ", ".join(map(text, dict.fromkeys([*folders, *map(pattern, folders)])))
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _mentioned(query: str, known: Collection[str]) -> Collection[str]:
    """Return the views that a query may need, all where it names none: each opens files when it is made."""
    return {view for view in known if view in query.lower()} or known


def _refuse_all_but_reading(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    statements = connection.extract_statements(query)
    if len(statements) != 1:
        raise ConfigError(f"one query at a time: this is {len(statements)}")
    if statements[0].type not in READING:
        raise ConfigError("a query only reads: begin it with SELECT, WITH, FROM, SHOW, DESCRIBE, SUMMARIZE or EXPLAIN")


def _one_line(error: duckdb.Error) -> str:
    """Return the error's first sentences; the copy of the query with an arrow below it is left out."""
    return re.sub(r"\s+", " ", str(error).partition("\nLINE ")[0]).strip()
