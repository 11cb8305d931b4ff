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
BOARDS: tuple[Board, ...] = (home(TOPICS), *TOPICS)


def dashboards() -> Mapping[str, str]:
    """Return path, from the project's top folder → JSON."""
    return {f"grafana/dashboards/{board.uid}.json": to_json(board) for board in BOARDS}
