"""The state of the memory as one sentence for a person."""

from collections.abc import Iterator

from g6.model.pressure_report import LEVEL_NAMES, PressureReport


def sentence_of(report: PressureReport, reason: str = "") -> str:
    """Return for example "memory 1,043 of 1,200 MB (87 %, setting): level 2 high, sheds options page, caches, …".

    `reason` is the word of the signal that made the level; one that is no share of the limit is told.
    """
    shed = ", ".join(_shed_words(report)) or "nothing"
    return f"memory {', '.join(_facts(report, reason))}: level {report.level} {LEVEL_NAMES[report.level]}, sheds {shed}"


def _facts(report: PressureReport, reason: str) -> Iterator[str]:
    used = f"{report.rss_bytes / 1e6:,.0f}"
    if report.limit_bytes:
        yield f"{used} of {report.limit_bytes / 1e6:,.0f} MB ({100 * report.share:.0f} %, {report.limit_source})"
    else:
        yield f"{used} MB, no limit known"
    if reason == "psi" and report.psi_some_ratio is not None:
        yield f"waited for {100 * report.psi_some_ratio:.0f} % of the last 10 s"
    elif reason == "high_events":
        yield "slowed at memory.high"


def _shed_words(report: PressureReport) -> Iterator[str]:
    words = {
        "options_page": "options page",
        "greeks": "Greeks",
        "derived": "derived measures",
        "strike_depth": f"strikes beyond ATM ± {report.strikes_each_side}",
        "far_expiries": "expiries but the nearest",
    }
    return (words.get(kind, kind) for kind in report.shed)
