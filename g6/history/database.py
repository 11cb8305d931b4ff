"""A database in memory over the files of a data directory: it reads those and nothing else, and writes nothing.

Importing this module loads DuckDB, a quarter of a second.
"""

import re
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path

import duckdb

from g6.errors import ConfigError, SinkError
from g6.history.files import MASTERS, Files, Wanted
from g6.history.scope import Values, narrower, scope_of
from g6.history.table import Table
from g6.history.views import KINDS, name, pattern, text, views
from g6.participants.store import FOLDER as PARTICIPANTS
from g6.storage.archive_manifest import ARCHIVE
from g6.storage.data_directory import CSV
from g6.storage.judged_file import FOLDER as JUDGED

# No extension is fetched from the network.
CONFIG: Mapping[str, str] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
READING = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})


def ask(root: Path, wanted: Wanted, query: str, values: Values = ()) -> Table:
    """Answer one SELECT over the views; ConfigError for a query that is wrong or does more than read.

    Only files are looked at that the query's own conditions let it need, too. SinkError when a file cannot be read.
    """
    root = root.resolve()
    try:
        with closing(_connected()) as connection:
            _refuse_all_but_reading(connection, query)
            needed = narrower(wanted, scope_of(connection, query, values, KINDS))
            try:
                return _answer(connection, root, needed, query, values)
            except duckdb.BinderException:
                if needed == wanted:
                    raise
        # A column that the days in question lack may be one that other days have: it is there, then, and empty.
        with closing(_connected()) as connection:
            return _answer(connection, root, wanted, query, values)
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        raise SinkError(f"a file below {root} cannot be read: {_one_line(error)}") from error
    except duckdb.Error as error:
        raise ConfigError(f"the query cannot be answered: {_one_line(error)}") from error


def _connected() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config=dict(CONFIG))


def _answer(connection: duckdb.DuckDBPyConnection, root: Path, wanted: Wanted, query: str, values: Values) -> Table:
    mentioned = _mentioned(query)
    files = Files.find(root, wanted, {KINDS[view] for view in mentioned})
    connection.execute("SET TimeZone = 'Asia/Kolkata'")
    for view, select in views(files).items():
        if view in mentioned:
            connection.execute(f"CREATE VIEW {name(view)} AS {select}")
    folders = [f"{root}/{folder}/" for folder in (ARCHIVE, CSV, JUDGED, MASTERS, PARTICIPANTS)]
    allowed = ", ".join(map(text, dict.fromkeys([*folders, *map(pattern, folders)])))
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return Table(connection.sql(query, params=values or None).to_arrow_table())


def _mentioned(query: str) -> Collection[str]:
    """Return the views that a query may need, all where it names none: each opens files when it is made."""
    return {view for view in KINDS if view in query.lower()} or KINDS.keys()


def _refuse_all_but_reading(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    statements = connection.extract_statements(query)
    if len(statements) != 1:
        raise ConfigError(f"one query at a time: this is {len(statements)}")
    if statements[0].type not in READING:
        raise ConfigError("a query only reads: begin it with SELECT, WITH, FROM, SHOW, DESCRIBE, SUMMARIZE or EXPLAIN")


def _one_line(error: duckdb.Error) -> str:
    """Return the error's first sentences; the copy of the query with an arrow below it is left out."""
    return re.sub(r"\s+", " ", str(error).partition("\nLINE ")[0]).strip()
