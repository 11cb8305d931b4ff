"""A supervisor whose parts break on command, in their own threads: they raise, they die, they hang."""

import threading

from supervisor_by_hand import SupervisorByHand, until

from g6.resilience.supervisor import RestartBudget

HANGS, RAISES, DIES = "hangs", "raises", "dies"
FAULTS = (RAISES, DIES, HANGS)
SILENT_LIMIT_SECONDS = 60.0


class BreakingParts(SupervisorByHand):
    """The part that is watched breaks in this way with its next sign of life, each time when told to.

    Time passes with `pass_seconds`. Only a part that is to hang is held to a limit of silence: the hand is faster than
    the other threads.
    """

    def __init__(self, watched, fault):
        super().__init__(RestartBudget())
        self._watched, self._fault, self._release = watched, fault, threading.Event()
        self._told = False
        self.broke = threading.Event()

    def run(self, name, body, *, silent_limit_seconds=None):
        if name != self._watched:
            super().run(name, body)
            return

        def breaking(stop, beat):
            def heard():
                self._break()
                beat()

            body(stop, heard)

        assert silent_limit_seconds, f"nobody would notice that {name} hangs"
        super().run(name, breaking, silent_limit_seconds=SILENT_LIMIT_SECONDS if self._fault == HANGS else None)

    def break_it(self):
        """Return when it has happened, and long enough for it to be noticed with the next look."""
        self.broke.clear()
        self._told = True
        assert self.broke.wait(30), f"{self._watched} gives no sign of life"
        until(lambda: self._fault == HANGS or self._parts[self._watched].life.ended)
        if self._fault == HANGS:
            self.pass_seconds(int(SILENT_LIMIT_SECONDS) + 1)

    def let_go(self):
        self._release.set()

    def _break(self):
        told, self._told = self._told, False
        if not told:
            return
        self.broke.set()
        if self._fault == RAISES:
            raise RuntimeError("broken by hand")
        if self._fault == DIES:
            raise SystemExit(3)
        self._release.wait()
