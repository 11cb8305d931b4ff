"""What is said of an alert follows from what Prometheus showed and what the receiver was told."""

import json
import urllib.request

from rich.console import Console

from g6.drill.scenario import Course
from g6.drill.table import as_json, courses_table
from g6.drill.watching import Receiver

WHOLE = Course("G6Down", "agent_killed", 1.0, 3.0, 3.5, 4.0, 2.0)


def note(alert, status, fingerprint="a", drill="here"):
    return {"labels": {"alertname": alert, "drill": drill}, "status": status, "fingerprint": fingerprint}


def test_an_alert_is_proven_by_its_whole_course_alone():
    assert WHOLE.is_whole
    assert not Course("A", "f", 1.0, 3.0, None, 4.0).is_whole
    assert not Course("A", "f", 1.0, 3.0, 3.5, 4.0, None).is_whole
    assert not Course("A", "f", 1.0, 3.0, 3.5, 4.0, 2.0, trouble="fires without its fault").is_whole


def test_the_verdict_names_the_first_step_that_is_missing():
    verdicts = [Course("A", "f", *times).verdict for times in ((), (1.0,), (1.0, 2.0), (1.0, 2.0, 3.0, 4.0))]
    assert verdicts == [
        "never pending", "pending, never firing", "fired, and nobody was told", "did not end with its fault",
    ]  # fmt: skip


def test_an_alert_is_over_when_all_of_its_series_are():
    receiver = Receiver()
    receiver.take({"alerts": [note("A", "firing", "a"), note("A", "firing", "b"), note("B", "resolved")]})
    assert receiver.first_firing("here", "A", 0.0) is not None
    assert receiver.first_firing("there", "A", 0.0) is None
    receiver.take({"alerts": [note("A", "resolved", "a")]})
    assert receiver.all_resolved("here", "A", 0.0) is None
    receiver.take({"alerts": [note("A", "resolved", "b")]})
    assert receiver.all_resolved("here", "A", 0.0) is not None


def test_the_receiver_takes_what_is_posted_to_it():
    with Receiver() as receiver:
        body = json.dumps({"alerts": [note("A", "firing")]}).encode()
        with urllib.request.urlopen(urllib.request.Request(receiver.url, body), timeout=5) as reply:
            assert reply.status == 200
        assert [told.alert for told in receiver.told("here", "A", 0.0)] == ["A"]


def test_table_and_json_say_the_same():
    courses = [WHOLE, Course("G6DiskFull", "disk_full", 1.25)]
    console = Console(width=160, record=True, file=None)
    with console.capture() as capture:
        console.print(courses_table(courses))
    document = json.loads(as_json(courses, 30))
    assert document["proven"] is False
    for row, line in zip(document["alerts"], capture.get().splitlines()[1:], strict=True):
        assert line.split()[0] == row["alert"]
        assert line.strip().endswith(row["verdict"])
    assert document["alerts"][1]["pending_seconds"] == 1.25
    assert document["alerts"][1]["firing_seconds"] is None
