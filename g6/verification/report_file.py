"""The report of a day as a file, `<root>/verify/<day>.json`: for metrics after a restart, and for other programs."""

from g6.storage.day_file import DayFile, as_json
from g6.verification.result import Verification

__all__ = ["as_json", "latest", "load", "path_of", "store"]

FOLDER = "verify"
_FILE = DayFile(FOLDER, Verification, "verification", "`g6 verify --date {day}` writes it anew")
store, load, latest, path_of = _FILE.store, _FILE.load, _FILE.latest, _FILE.path
