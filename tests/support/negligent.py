"""Lines of Python that make a program forget its syncs, so that a test of power cuts can show that it would notice."""

# Every commit is believed to be on the disk.
JOURNAL_NOT_SYNCED = """
from g6.storage import journal_file
connect = journal_file.connect_writer
def connect_negligently(path, max_bytes):
    connection = connect(path, max_bytes)
    connection.execute("PRAGMA synchronous=OFF")
    return connection
journal_file.connect_writer = connect_negligently
"""

# The cursor of the daily files moves and nothing was synced before.
FILES_NOT_SYNCED = """
from g6.storage import sync
sync._SYNCFS = lambda descriptor: 0
"""
