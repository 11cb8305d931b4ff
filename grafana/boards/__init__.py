"""The dashboards, as tables in Python; `scripts/generate` makes Grafana's files of them."""

from collections.abc import Mapping

from boards import collection, index, levels, liquidity, overlay, positioning, quality, resources, sentiment, storage
from boards.board import Board
from boards.building import to_json
from boards.home import home

TOPICS: tuple[Board, ...] = (
    collection.BOARD,
    index.BOARD,
    resources.BOARD,
    quality.BOARD,
    storage.BOARD,
    sentiment.BOARD,
    liquidity.BOARD,
    positioning.BOARD,
    levels.BOARD,
    overlay.BOARD,
)
TITLE = "G6 / "
BOARDS: tuple[Board, ...] = (home(TOPICS), *TOPICS)


def questions() -> Mapping[str, tuple[str, ...]]:
    """Return title of a dashboard, without the name that all begin with → the PromQL of its panels."""
    return {
        board.title.removeprefix(TITLE): tuple(
            query.expr for row in board.rows for panel in row.panels if panel.asks_prometheus for query in panel.queries
        )
        for board in BOARDS
    }


def dashboards() -> Mapping[str, str]:
    """Return path, from the project's top folder → JSON."""
    return {f"grafana/dashboards/{board.uid}.json": to_json(board) for board in BOARDS}
