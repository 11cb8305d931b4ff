"""What a day's measures showed together, `<root>/anomalies/<day>.json`: it is found when the day is over."""

from g6.model.anomaly import JudgedDay
from g6.storage.day_file import DayFile

FOLDER = "anomalies"
_FILE = DayFile(FOLDER, JudgedDay, "judgement", "remove it, and {day} is judged anew")
store, load, path_of = _FILE.store, _FILE.load, _FILE.path
