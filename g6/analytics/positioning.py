"""Where the open interest stands, in deltas, against yesterday, and puts against calls: whole chain and window."""

from g6.analytics.conventions import Conventions
from g6.analytics.sums import sums_of, sums_of_index
from g6.model.background import IndexView
from g6.model.chain import OptionChain
from g6.model.columns import Aggregate


def call_delta_oi(chain: OptionChain, conventions: Conventions) -> float:
    """Return the delta of the calls' open interest."""
    return sums_of(chain, conventions).of("delta_oi", "call")


def put_delta_oi(chain: OptionChain, conventions: Conventions) -> float:
    """Return the delta of the puts' open interest, which is negative."""
    return sums_of(chain, conventions).of("delta_oi", "put")


def net_delta_oi(chain: OptionChain, conventions: Conventions) -> float:
    """Return the delta of all open interest: that of its buyers together."""
    return call_delta_oi(chain, conventions) + put_delta_oi(chain, conventions)


def call_oi_change(chain: OptionChain, conventions: Conventions) -> float:
    """Return the change of the calls' open interest since yesterday."""
    return sums_of(chain, conventions).of("oi_change", "call")


def put_oi_change(chain: OptionChain, conventions: Conventions) -> float:
    """Return the change of the puts' open interest since yesterday."""
    return sums_of(chain, conventions).of("oi_change", "put")


def pcr_oi_change(chain: OptionChain, conventions: Conventions) -> float:
    """Return put over call change of open interest, over the collected legs."""
    return sums_of(chain, conventions).ratio("oi_change")


def pcr_oi_window(chain: OptionChain, conventions: Conventions) -> float:
    """Return put over call open interest in the window."""
    return sums_of(chain, conventions).ratio("oi", window=True)


def pcr_volume_window(chain: OptionChain, conventions: Conventions) -> float:
    """Return put over call volume in the window."""
    return sums_of(chain, conventions).ratio("volume", window=True)


def pcr_oi_change_window(chain: OptionChain, conventions: Conventions) -> float:
    """Return put over call change of open interest in the window."""
    return sums_of(chain, conventions).ratio("oi_change", window=True)


def window_strikes(_: OptionChain, conventions: Conventions) -> float:
    """Return how many strikes on either side of the ATM the window has."""
    return float(conventions.window_strikes)


def index_call_delta_oi(view: IndexView, conventions: Conventions) -> float:
    """Return the delta of the calls' open interest over all expiries."""
    return sums_of_index(view, conventions).of("delta_oi", "call")


def index_put_delta_oi(view: IndexView, conventions: Conventions) -> float:
    """Return the delta of the puts' open interest over all expiries, which is negative."""
    return sums_of_index(view, conventions).of("delta_oi", "put")


def index_net_delta_oi(view: IndexView, conventions: Conventions) -> float:
    """Return the delta of all open interest over all expiries."""
    return index_call_delta_oi(view, conventions) + index_put_delta_oi(view, conventions)


def index_call_oi_change(view: IndexView, conventions: Conventions) -> float:
    """Return the change of the calls' open interest since yesterday, over all expiries."""
    return sums_of_index(view, conventions).of("oi_change", "call")


def index_put_oi_change(view: IndexView, conventions: Conventions) -> float:
    """Return the change of the puts' open interest since yesterday, over all expiries."""
    return sums_of_index(view, conventions).of("oi_change", "put")


def index_pcr_oi(view: IndexView, conventions: Conventions) -> float:
    """Return put over call open interest over all expiries."""
    return sums_of_index(view, conventions).ratio("oi")


def index_pcr_volume(view: IndexView, conventions: Conventions) -> float:
    """Return put over call volume over all expiries."""
    return sums_of_index(view, conventions).ratio("volume")


def index_pcr_oi_change(view: IndexView, conventions: Conventions) -> float:
    """Return put over call change of open interest over all expiries."""
    return sums_of_index(view, conventions).ratio("oi_change")


def index_pcr_oi_window(view: IndexView, conventions: Conventions) -> float:
    """Return put over call open interest over the windows of all expiries."""
    return sums_of_index(view, conventions).ratio("oi", window=True)


def index_pcr_volume_window(view: IndexView, conventions: Conventions) -> float:
    """Return put over call volume over the windows of all expiries."""
    return sums_of_index(view, conventions).ratio("volume", window=True)


def index_pcr_oi_change_window(view: IndexView, conventions: Conventions) -> float:
    """Return put over call change of open interest over the windows of all expiries."""
    return sums_of_index(view, conventions).ratio("oi_change", window=True)


_SIGNS = "NaN unless the calls' sum is positive and the puts' not negative"
_WINDOW = "the strikes at most window_strikes listed strikes from the ATM"
_ALL = "all collected expiries"

POSITIONING = (
    (Aggregate("call_delta_oi", "units", "Sum over the calls of delta * OI: units of index that their buyers are long"),
     call_delta_oi),
    (Aggregate("put_delta_oi", "units", "Sum over the puts of delta * OI, negative: their buyers are short"),
     put_delta_oi),
    (Aggregate("net_delta_oi", "units", "Sum over all legs of delta * OI: of all buyers together"), net_delta_oi),
    (Aggregate("call_oi_change", "units", "Sum over the calls known yesterday of OI less yesterday's"), call_oi_change),
    (Aggregate("put_oi_change", "units", "Sum over the puts known yesterday of OI less yesterday's"), put_oi_change),
    (Aggregate("pcr_oi_change", "ratio", f"put_oi_change over call_oi_change, collected legs; {_SIGNS}"),
     pcr_oi_change),
    (Aggregate("pcr_oi_window", "ratio", f"Put over call open interest of {_WINDOW}"), pcr_oi_window),
    (Aggregate("pcr_volume_window", "ratio", f"Put over call volume of {_WINDOW}"), pcr_volume_window),
    (Aggregate("pcr_oi_change_window", "ratio", f"Put over call change of OI since yesterday of {_WINDOW}; {_SIGNS}"),
     pcr_oi_change_window),
    (Aggregate("window_strikes", "strikes", "Listed strikes on either side of the ATM that the window has"),
     window_strikes),
)  # fmt: skip

INDEX_POSITIONING = (
    (Aggregate("index_call_delta_oi", "units", f"Sum of call_delta_oi over {_ALL}", "index"), index_call_delta_oi),
    (Aggregate("index_put_delta_oi", "units", f"Sum of put_delta_oi over {_ALL}, negative", "index"),
     index_put_delta_oi),
    (Aggregate("index_net_delta_oi", "units", f"Sum of delta * OI over {_ALL}", "index"), index_net_delta_oi),
    (Aggregate("index_call_oi_change", "units", f"Sum of call_oi_change over {_ALL}", "index"), index_call_oi_change),
    (Aggregate("index_put_oi_change", "units", f"Sum of put_oi_change over {_ALL}", "index"), index_put_oi_change),
    (Aggregate("index_pcr_oi", "ratio", f"Put over call open interest, collected legs of {_ALL}", "index"),
     index_pcr_oi),
    (Aggregate("index_pcr_volume", "ratio", f"Put over call volume, collected legs of {_ALL}", "index"),
     index_pcr_volume),
    (Aggregate("index_pcr_oi_change", "ratio", f"index_put_oi_change over index_call_oi_change; {_SIGNS}", "index"),
     index_pcr_oi_change),
    (Aggregate("index_pcr_oi_window", "ratio", f"Put over call open interest of {_WINDOW}, {_ALL}", "index"),
     index_pcr_oi_window),
    (Aggregate("index_pcr_volume_window", "ratio", f"Put over call volume of {_WINDOW}, {_ALL}", "index"),
     index_pcr_volume_window),
    (Aggregate("index_pcr_oi_change_window", "ratio",
               f"Put over call change of OI since yesterday of {_WINDOW}, {_ALL}; {_SIGNS}", "index"),
     index_pcr_oi_change_window),
)  # fmt: skip
