"""Home: where to look for what."""

from collections.abc import Sequence

from boards.board import Board, Panel, Query, Row, stat


def home(boards: Sequence[Board]) -> Board:
    """Return the dashboard that links to the others."""
    links = "\n".join(f"- [{b.title.removeprefix('G6 / ')}](/d/{b.uid}): {b.description}" for b in boards)
    return Board(
        "g6-home",
        "G6 / Home",
        "Where to look for what.",
        (
            Row("Is all well?", (
                stat("G6 answers", "none", "No: it does not; see the runbook.", 'up{job="g6"}',
                     words=((0, "no", "red"), (1, "yes", "green")), alerts=("G6Down",), height=5),
                stat("Since the last recorded minute", "s", "Red beyond three minutes of an open market.",
                     "instance:g6_cycle_last_success:age_seconds", bad_above=180, height=5),
                stat("Active problems", "none", "`g6 status` names each with what to do.", "g6_problems_active",
                     legend="{{severity}}", bad_above=1, height=5),
                stat("The clock of the minutes", "none", "real, or virtual for a simulated or replayed market.",
                     "g6_clock_info", legend="{{kind}}", by_name=True, height=5),
                stat("Minute recorded last", "dateTimeAsIso", "On the agent's clock.",
                     "1000 * g6_cycle_last_minute_timestamp_seconds", height=5),
            )),
            Row("Where to look", (
                Panel("Dashboards", "text", "none", "One a question.", (Query(links),), height=11),
            )),
        ),
    )  # fmt: skip
