"""The overlay as a PNG picture."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from g6.errors import SinkError
from g6.model.columns import Floats
from g6.reports.axes import gaps_after, hours
from g6.reports.overlay import Overlay, clock

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_INCHES = (11.0, 5.8)
DOTS_PER_INCH = 120
LEGEND_COLUMNS = 5
DAY, MEAN, WEIGHTED, BAND, EDGE, QUIET = "#c2410c", "#1d4ed8", "#0f766e", "#93b4f5", "#d7e2f7", "#5d6878"


def overlay_picture(overlay: Overlay, path: Path) -> None:
    """Write the picture; SinkError when the file cannot be written."""
    # Half a second and 60 MB: only for those who want a picture, and without a screen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _draw(overlay, axes)
    _dress(overlay, axes)
    figure.legend(loc="outside lower center", ncols=LEGEND_COLUMNS, fontsize=9, frameon=False)
    try:
        figure.savefig(path, metadata={"Software": "G6"})
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}") from error


def _draw(overlay: Overlay, axes: "Axes") -> None:
    minutes = overlay.minutes.astype(np.float64)
    if overlay.days:
        days = f"{overlay.days} earlier {overlay.weekday}" + ("s" if overlay.days > 1 else "")
        axes.fill_between(minutes, overlay.lowest, overlay.highest, color=EDGE, lw=0, label="lowest to highest")
        axes.fill_between(
            minutes, overlay.band_low, overlay.band_high, color=BAND, lw=0, label="middle half of the days"
        )
        axes.plot(*_broken(overlay, overlay.mean), color=MEAN, lw=1.8, label=f"mean of {days}")
        weighted = _broken(overlay, overlay.exponential)
        axes.plot(*weighted, color=WEIGHTED, lw=1.2, ls="--", label="exponential mean, the latest weigh most")
    if (at := overlay.last) is not None:
        axes.plot(*_broken(overlay, overlay.today), color=DAY, lw=2.2, label=f"{overlay.day:%d %b %Y}")
        axes.plot([minutes[at]], [overlay.today[at]], "o", color=DAY, ms=6)


def _dress(overlay: Overlay, axes: "Axes") -> None:
    marks = hours(overlay.minutes)
    axes.set_xticks(marks, [clock(minute) for minute in marks])
    axes.set_xlim(float(overlay.minutes[0]), float(overlay.minutes[-1]) + 1)
    axes.set_ylabel("total premium, rupees")
    axes.set_xlabel("IST")
    axes.grid(color=QUIET, alpha=0.22, lw=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=QUIET)
    axes.set_title(str(overlay), loc="left", fontsize=10.5)


def _broken(overlay: Overlay, values: Floats) -> tuple[Floats, Floats]:
    """Return a line with a break, NaN, wherever minutes are missing."""
    known = np.flatnonzero(np.isfinite(values))
    breaks = gaps_after(overlay.minutes[known])
    return np.insert(overlay.minutes[known].astype(np.float64), breaks, np.nan), np.insert(
        values[known], breaks, np.nan
    )
