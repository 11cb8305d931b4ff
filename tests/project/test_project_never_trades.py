"""G6 observes. What the official client could do beyond that is named nowhere: orders, GTT, alerts, funds, margins."""

import ast
import re
from pathlib import Path

import pytest
from kiteconnect import KiteConnect

# All that a recorder needs of the client. Everything else that it can do is forbidden, what a later version adds, too.
ALLOWED = {
    "set_access_token", "set_session_expiry_hook", "login_url", "generate_session", "invalidate_access_token",
    "profile", "instruments", "quote", "ohlc", "ltp", "historical_data",
}  # fmt: skip
METHODS = {name for name in vars(KiteConnect) if not name.startswith("_") and callable(getattr(KiteConnect, name))}
FORBIDDEN = METHODS - ALLOWED
# Words of everyday (a book's level has `orders`): forbidden as calls.
EVERYDAY = {"orders", "trades", "positions", "holdings", "margins"}
ALLOWED_ROUTES = {
    "api.token", "api.token.invalidate", "user.profile", "market.instruments.all", "market.instruments",
    "market.historical", "market.quote", "market.quote.ohlc", "market.quote.ltp",
}  # fmt: skip
# Firing alerts are read from Prometheus and Alertmanager; Kite's own, which may place an order, have other paths.
WATCHED = {"/api/v1/alerts", "/api/v2/alerts"}
PATHS = re.compile(r"/(orders|trades|gtt|alerts|portfolio|mf|margins|charges|user/margins|funds)\b")


def sources(project: Path) -> list[Path]:
    return [
        path
        for top in ("g6", "scripts")
        for path in (project / top).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and (path.suffix == ".py" or not path.suffix)
    ]


def names_in(tree: ast.AST) -> set[str]:
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.alias)}
    return found | texts_in(tree)  # getattr(client, "place_order") is a reference, too


def texts_in(tree: ast.AST) -> set[str]:
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def calls_in(tree: ast.AST) -> set[str]:
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {func.attr for func in called if isinstance(func, ast.Attribute)}


def trading_in(text: str) -> set[str]:
    tree = ast.parse(text)
    named = names_in(tree) & ((FORBIDDEN | set(KiteConnect._routes)) - ALLOWED_ROUTES - EVERYDAY)
    paths = {text for text in texts_in(tree) if PATHS.search(text)}
    return named | (calls_in(tree) & EVERYDAY) | (paths - WATCHED)


def test_no_source_names_a_call_that_trades(project: Path) -> None:
    found = {}
    for path in sources(project):
        if path.suffix != ".py":  # a script of the shell
            continue
        if named := trading_in(path.read_text("utf-8")):
            found[str(path.relative_to(project))] = named
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "client.place_order(variety='regular')", "getattr(client, 'place_gtt')", "client.orders()",
        "post('/orders/regular')", "client._get('order.margins')", "client.modify_gtt(1)", "get('/alerts')",
        "def cancel_order(self): ...", "client.convert_position()", "put(root + '/gtt/triggers')",
    ],
)  # fmt: skip
def test_the_guard_sees_every_way_of_naming_one(text: str) -> None:
    assert trading_in(text)


def test_the_client_can_do_what_is_forbidden(project: Path) -> None:
    assert {"place_order", "modify_order", "cancel_order", "place_gtt", "delete_gtt", "orders", "margins"} <= FORBIDDEN
    assert set(vars(KiteConnect)) >= ALLOWED
