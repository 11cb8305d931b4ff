"""A sync reaches the file system of the folder, or says that it did not."""

from pathlib import Path

import pytest

from g6.storage.sync import sync_file_system


def test_folder_can_be_synced_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    sync_file_system(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_file_system(tmp_path / "missing")
