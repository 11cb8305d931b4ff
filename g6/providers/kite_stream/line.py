"""One of the account's connections over the day: whichever link carries it now, and what became of earlier ones."""

from collections import Counter
from dataclasses import dataclass, field

from g6.model.provider_report import ConnectionReport
from g6.providers.kite_stream.link import Link


@dataclass(slots=True)
class Line:
    """`number` is 1 to 3 and stays; `connection` is the present link's and never comes twice (0: there is no link)."""

    number: int
    link: Link | None = None
    connection: int = 0
    access_token: str = field(default="", repr=False)
    opened_at: float | None = None  # machine's seconds; None while it is not open
    # When the broker last said anything, over whichever link; until it did, when the first link began.
    heard_at: float | None = None
    retry_at: float = 0.0  # the clock's seconds
    failures: int = 0  # in a row
    reason: str = ""  # why there is no open link
    in_doubt: bool = False  # something that it said was lost
    messages: int = 0
    ticks: int = 0
    losses: Counter[str] = field(default_factory=Counter)

    @property
    def is_open(self) -> bool:
        """Tell whether the upgrade was accepted and nothing has ended the connection since."""
        return self.opened_at is not None

    def carried(self, link: Link, connection: int, access_token: str, now: float) -> None:
        """Be carried by a new link, which has only begun."""
        self.link, self.connection, self.access_token = link, connection, access_token
        self.opened_at, self.in_doubt = None, False
        # That a link was made says nothing: one silent link after another is one silence.
        self.heard_at = now if self.heard_at is None else self.heard_at

    def lost(self) -> None:
        """Be carried by no link."""
        if self.link is not None:
            self.link.leave()
        self.link, self.connection, self.opened_at = None, 0, None

    def report(self, instruments: int, now: float) -> ConnectionReport:
        """Return the counts since the last report, and how it is now."""
        silent = None if self.heard_at is None or not self.is_open else now - self.heard_at
        report = ConnectionReport(
            self.number, self.is_open, instruments, silent, self.messages, self.ticks, dict(self.losses)
        )
        self.messages, self.ticks = 0, 0
        self.losses.clear()
        return report
