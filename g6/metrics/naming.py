"""How a quantity becomes a metric's name: prefix, what it belongs to, its own name, its unit last."""

import re
from collections.abc import Mapping

PREFIX = "g6"

# Units whose words would not make a readable suffix; every other unit is spelled out by `unit_suffix`.
UNIT_SUFFIXES: Mapping[str, str] = {
    "1": "ratio",
    "1/sqrt(year)": "ratio",  # an annualised volatility: 0.12 is 12 %
    "%": "percent",
    "": "",
    "bool": "",
    "code": "",
}


def unit_suffix(unit: str) -> str:
    """Return a unit as the end of a name: `rupees/vol point` gives `rupees_per_vol_point`, `1/points` `per_point`."""
    if unit in UNIT_SUFFIXES:
        return UNIT_SUFFIXES[unit]
    if unit.startswith("1/"):
        unit = unit[1:].removesuffix("s")
    words = re.sub(r"[^a-z0-9]+", "_", unit.lower().replace("/", " per ").replace("%", "percent"))
    return words.strip("_")


def metric_name(family: str, name: str, unit: str) -> str:
    """Return `g6_<family>_<name>_<unit>`; a name that ends in its unit does not say it twice."""
    suffix = unit_suffix(unit)
    words = [PREFIX, family, name]
    if suffix and name != suffix and not name.endswith(f"_{suffix}"):
        words.append(suffix)
    return "_".join(words)


def escaped(value: str) -> str:
    """Return a label's value as the text format wants it between its quotes."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
