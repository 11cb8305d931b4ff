"""The log, on the standard library's: a line carries its cycle, a repetition is a count, and a secret is in none.

`logging.getLogger(__name__)` is all that a stage knows of it. What is here is for those who set it up, run a cycle,
show a panel, or come to hold a secret.
"""

from g6.logs.cycles import cycle
from g6.logs.formatters import MINUTES
from g6.logs.guard import guard_process
from g6.logs.identity import CYCLE
from g6.logs.outlets import set_terminal_writer
from g6.logs.secrets import redact, register_secret
from g6.logs.setup import set_up_logs, sweep_logs, take_down_logs

__all__ = [
    "CYCLE",
    "MINUTES",
    "cycle",
    "guard_process",
    "redact",
    "register_secret",
    "set_terminal_writer",
    "set_up_logs",
    "sweep_logs",
    "take_down_logs",
]
