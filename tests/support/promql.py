"""What a PromQL expression selects, by the parser's own account."""

from collections.abc import Iterator, Mapping

import promql_parser

Node = promql_parser.Expr


def walk(node: Node) -> Iterator[Node]:
    """Yield every node of an expression, itself first."""
    yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        child = getattr(node, name, None)
        if child is not None and not isinstance(child, str | int | float):
            yield from walk(child)
    for child in getattr(node, "args", ()):
        yield from walk(child)


def selectors(expr: str) -> Iterator[promql_parser.VectorSelector]:
    """Yield every series that an expression selects."""
    yield from (n for n in walk(promql_parser.parse(expr)) if isinstance(n, promql_parser.VectorSelector))


def ranges(expr: str) -> Iterator[promql_parser.MatrixSelector]:
    """Yield every series that it looks at over a range."""
    yield from (n for n in walk(promql_parser.parse(expr)) if isinstance(n, promql_parser.MatrixSelector))


def needed(expr: str, recorded: Mapping[str, str]) -> set[str]:
    """Return the series that an expression needs, those behind recorded ones among them."""
    names = {str(selector.name) for selector in selectors(expr)}
    return names.union(*(needed(recorded[name], recorded) for name in names if name in recorded))
