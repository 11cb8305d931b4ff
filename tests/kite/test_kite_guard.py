"""G6 reads: nothing in it refers to a method or a route of the client that orders, alerts, moves or asks for money."""

import ast
from pathlib import Path

import pytest
from kiteconnect import KiteConnect, KiteTicker

# All that is used of the client; everything else it offers must not be named.
USED = {
    "quote", "ohlc", "ltp", "instruments", "historical_data", "profile", "login_url", "generate_session",
    "set_access_token", "invalidate_access_token", "set_session_expiry_hook",
}  # fmt: skip
# Methods of the client that are everyday words too (a book has orders): they count as calls, beside the client.
EVERYDAY = {"orders", "trades", "margins", "positions", "holdings"}
ROUTES = {"market.quote", "market.instruments"}
REQUESTS = {"_get", "_post", "_put", "_delete", "_request"}

FORBIDDEN = {
    name for name in vars(KiteConnect) if not name.startswith("_") and callable(vars(KiteConnect)[name])
} - USED


def sources(project: Path) -> list[tuple[Path, ast.Module]]:
    files = [path for folder in ("g6", "scripts") for path in sorted((project / folder).rglob("*.py"))]
    return [(path, ast.parse(path.read_text("utf-8"))) for path in files]


def imports_client(tree: ast.Module) -> bool:
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    return any(module.split(".")[0] == "kiteconnect" for module in modules)


def test_the_list_of_what_is_forbidden_is_the_clients_own():
    assert {"place_order", "cancel_order", "place_gtt", "margins", "place_mf_order", "convert_position"} <= FORBIDDEN
    assert hasattr(KiteTicker, "subscribe")


def test_no_module_names_a_forbidden_method(project):
    for path, tree in sources(project):
        nodes = list(ast.walk(tree))
        named = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        named |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        assert not named & (FORBIDDEN - EVERYDAY), path
        called = {n.func.attr for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)}
        assert not (imports_client(tree) and called & EVERYDAY), path


def test_only_reading_routes_are_asked_for_past_the_clients_methods(project):
    asked = set()
    for _, tree in sources(project):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in REQUESTS:
                first = node.args[0] if node.args else None
                asked.add(first.value if isinstance(first, ast.Constant) else ast.unparse(node))
    routes = {word for word in asked if isinstance(word, str) and "." in word and " " not in word and "(" not in word}
    assert routes <= ROUTES


@pytest.mark.parametrize("word", ["totp", "twofa", "2fa", "enctoken", "/api/login"])
def test_nothing_stands_in_for_the_person_who_logs_in(project, word):
    for folder in ("providers", "cli", "wiring"):
        for path in sorted((project / "g6" / folder).rglob("*.py")):
            assert word not in path.read_text("utf-8").lower(), path
