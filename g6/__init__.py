"""G6 records the option chains of Indian index derivatives, minute after minute, and says how well it does."""

__version__ = "0.1.0"
