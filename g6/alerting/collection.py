"""Alerts on collection: is every minute of every index recorded? What says that it is not."""

from g6.alerting.alert import Alert
from g6.alerting.phrases import WHILE_OPEN, increase_by
from g6.alerting.recording import BUDGET

HEALTH, INDEX = "g6-collection", "g6-index"


def _burn(factor: float, long: str, short: str, cycles: int) -> str:
    """Return the multi-window burn rate: both windows burn the day's budget so many times too fast.

    The floor of cycles keeps one bad minute after the open from being all there is.
    """
    ratio, limit = "instance:g6_legs_missed:ratio_increase", f"{factor * BUDGET:g}"
    begun = increase_by("g6_cycles_started_total", "", long)
    return (
        f"{ratio}{long} > {limit} and on (job, instance) {ratio}{short} > {limit}"
        f" and on (job, instance) ({begun} > {cycles}.5)"
    )


COLLECTION = (
    Alert(
        "G6Down", "critical",
        'max_over_time(up{job="g6"}[1m]) == 0 or absent(up{job="g6"})', "1m",
        "G6 does not answer",
        "Prometheus has had no answer from G6 at {{ $labels.instance }} for two minutes: it is not running, hangs, or"
        " cannot be reached. Minutes of the session may be passing unrecorded.",
        HEALTH, "agent_killed",
    ),
    Alert(
        "G6CollectionStalled", "critical",
        f"instance:g6_cycle_last_success:age_seconds > $stale_seconds {WHILE_OPEN}", "1m",
        "No minute is being recorded",
        "The market is open and the last minute was recorded {{ $value | humanizeDuration }} ago.",
        HEALTH, "provider_gone", seconds={"stale_seconds": 180}, follows=("G6Down", "G6TokenDead", "G6LoopStalled"),
    ),
    Alert(
        "G6LoopStalled", "critical",
        f"{increase_by('g6_cycles_started_total', '', '5m')} == 0 {WHILE_OPEN}"
        " and on (job, instance) (time() - max by (job, instance)"
        ' (max_over_time(process_start_time_seconds{job="g6"}[5m])) > $start_seconds)', "1m",
        "G6 answers, but its loop does not begin new minutes",
        "The market is open and no minute was begun for five minutes, so nothing is tried either.",
        HEALTH, "loop_hangs", seconds={"start_seconds": 300}, follows=("G6Down",),
    ),
    Alert(
        # Not the problem of that name: health does not tell it beside its cause.
        "G6CyclesFailing", "warning", f"{increase_by('g6_cycles_failed_total', '', '5m')} > 2.5", "2m",
        "Minutes are begun and store nothing",
        "The last minutes failed. The agent's own words: `g6 status`.",
        HEALTH, "provider_gone", follows=("G6Down", "G6CollectionStalled", "G6TokenDead"),
    ),
    Alert(
        "G6QuoteLossFast", "critical", _burn(14.4, "1h", "5m", 10), "2m",
        "Quotes are being lost so fast that the day's budget is gone within two hours",
        "{{ $value | humanizePercentage }} of the quotes of the last hour did not come (objective 1 %).",
        HEALTH, "minutes_failing", keeps="5m", follows=("G6Down", "G6CollectionStalled", "G6TokenDead"),
    ),
    Alert(
        "G6QuoteLossMedium", "warning", _burn(6, "6h", "30m", 20), "5m",
        "Quotes are being lost so fast that the day's budget is gone before the close",
        "{{ $value | humanizePercentage }} of the quotes of the last six hours did not come (objective 1 %).",
        HEALTH, "batch_lost", keeps="10m",
        follows=("G6Down", "G6CollectionStalled", "G6TokenDead", "G6QuoteLossFast"),
    ),
    Alert(
        "G6QuoteLossSlow", "warning", _burn(3, "1d", "2h", 40), "10m",
        "More quotes are lost than the objective allows, for long",
        "{{ $value | humanizePercentage }} of the quotes of the last day did not come (objective 1 %).",
        HEALTH, "batch_lost", keeps="15m",
        follows=("G6Down", "G6CollectionStalled", "G6TokenDead", "G6QuoteLossFast", "G6QuoteLossMedium"),
    ),
    Alert(
        "G6IndexMissing", "critical",
        f"{increase_by('g6_chains_accepted_total', 'index', '5m')} == 0"
        " and on (job, instance, index) (max_over_time(g6_index_expected_codes_mask[10m]) > 0)"
        f" and on (job, instance) ({increase_by('g6_cycles_started_total', '', '5m')} > 3.5) {WHILE_OPEN}", "1m",
        "An index is not recorded at all",
        "No chain of {{ $labels.index }} was stored for five minutes, while minutes are being run.",
        INDEX, "index_missing", follows=("G6Down", "G6CollectionStalled", "G6TokenDead", "G6LoopStalled"),
    ),
    Alert(
        "G6IndexPartial", "warning",
        f"index:g6_legs_received:ratio_increase5m < 0.8 {WHILE_OPEN}", "3m",
        "An index answers only in part",
        "{{ $value | humanizePercentage }} of the quotes of {{ $labels.index }} came in the last five minutes;"
        " 80 % is the least that is worth having.",
        INDEX, "batch_lost", keeps="3m", follows=("G6Down", "G6IndexMissing", "G6CollectionStalled", "G6TokenDead"),
    ),
    Alert(
        "G6ChainsRefused", "warning",
        f"{increase_by('g6_chains_refused_total', 'index', '10m')} > 3.5 {WHILE_OPEN}", "2m",
        "Expiries of an index are refused",
        "{{ printf `%.0f` $value }} chains of {{ $labels.index }} were refused in ten minutes; the minute's sentence,"
        " the log and g6_refusals_total say why.",
        INDEX, "batch_lost", follows=("G6Down", "G6IndexMissing"),
    ),
    Alert(
        "G6MinutesMissed", "warning",
        f"""{increase_by("g6_cycles_skipped_total", "", "15m", '{reason="overrun"}')} > 2.5""", "30s",
        "Minutes passed without being asked for",
        "{{ printf `%.0f` $value }} minutes of the last quarter of an hour have no cycle, since the one before took too"
        " long.",
        HEALTH, "cycles_overrun", keeps="5m",
    ),
    Alert(
        "G6CycleOverrun", "warning",
        f"{increase_by('g6_cycle_overruns_total', '', '10m')} > 2.5", "30s",
        "Minutes begin late because the one before takes too long",
        "{{ printf `%.0f` $value }} minutes of the last ten began late.",
        HEALTH, "cycles_overrun", keeps="5m",
    ),
    Alert(
        "G6CycleSlow", "info",
        "instance:g6_cycle_duration_seconds:p90_rate5m > $slow_seconds", "5m",
        "Minutes take so long that little is left",
        "One of ten minutes takes longer than {{ $value | humanizeDuration }} of the sixty seconds that there are.",
        HEALTH, "cycles_overrun", seconds={"slow_seconds": 30}, follows=("G6CycleOverrun", "G6MinutesMissed"),
    ),
)  # fmt: skip
