"""One Parquet file of the archive: written beside its place, read back from the disk, and only then put there.

Importing this module loads pyarrow, a quarter of a second; whoever collects does without it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from g6.errors import SinkError
from g6.storage.archive_manifest import Part, sha256_of
from g6.storage.archive_tables import VARIED, checksums
from g6.storage.care import CAREFREE, Care
from g6.storage.data_directory import sync_directory

COMPRESSION_LEVEL = 9
NAME = "part.parquet"


@contextmanager
def systems_memory() -> Iterator[None]:
    """Have Arrow take its memory from the C library meanwhile: its own allocator keeps what it once had."""
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


class PartWriter:
    """A Parquet file in the making; each table becomes a row group. OSError and pyarrow's errors are the caller's."""

    def __init__(self, archive: Path, folder: Path, kind: str, index: str) -> None:
        self._archive, self._kind, self._index = archive, kind, index
        self.path = folder / NAME
        self._temporary = folder / f"{NAME}.tmp"
        self._writer: pq.ParquetWriter | None = None
        self._checksums: dict[str, int] = {}
        self._rows = 0
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, table: pa.Table) -> None:
        """Write a row group; an empty table is none."""
        if not len(table):
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self._temporary, table.schema, compression="zstd", compression_level=COMPRESSION_LEVEL,
                use_dictionary=[name for name in table.column_names if name not in VARIED],
            )  # fmt: skip
        self._writer.write_table(table, row_group_size=len(table))
        self._checksums = checksums(table, self._checksums)
        self._rows += len(table)

    def finish(self, care: Care = CAREFREE) -> Part | None:
        """Close and sync the file, read it back and compare; None when there was nothing to write.

        SinkError when what is on the disk is not what was given.
        """
        if self._writer is None:
            return None
        self._writer.close()
        with self._temporary.open("rb") as file:
            os.fsync(file.fileno())
        found = self._read_back(care)
        care.give_back()
        if found != (self._rows, self._checksums):
            raise SinkError(f"{self._temporary} does not hold what was written into it; is the disk sound?")
        return Part(
            path=self.path.relative_to(self._archive).as_posix(),
            kind=self._kind,
            index=self._index,
            rows=self._rows,
            bytes=self._temporary.stat().st_size,
            sha256=sha256_of(self._temporary),
            columns=self._checksums,
        )

    def _read_back(self, care: Care) -> tuple[int, dict[str, int]]:
        rows, sums = 0, dict[str, int]()
        with pq.ParquetFile(self._temporary, pre_buffer=False) as file:
            for number in range(file.num_row_groups):
                group = file.read_row_group(number, use_threads=False)
                rows, sums = rows + len(group), checksums(group, sums)
                care.alive()
        return rows, sums

    def publish(self) -> None:
        """Put the file in its place, durably."""
        self._temporary.replace(self.path)
        sync_directory(self.path.parent)

    def abandon(self) -> None:
        """Leave nothing behind; harmless after `publish`."""
        if self._writer is not None:
            self._writer.close()
        self._temporary.unlink(missing_ok=True)
