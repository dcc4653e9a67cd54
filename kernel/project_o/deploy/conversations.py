"""A canary of an agent: whole conversations are of one version, and no turn is answered twice.

An agent uses tools, remembers, and is paid for by the word: a turn that failed is not asked again of the other version,
as a call of a function is. It is counted, and the one who asked is told.
"""

from __future__ import annotations

import hashlib

from .canary import Canary
from .handles import Version


class Conversations(Canary):
    """Two versions of an agent. A conversation is whatever has the same key."""

    def version_for(self, conversation: str) -> Version:
        """Which version answers, the same at each turn of a conversation until something is decided."""
        if self.winner is not None:
            return self.winner
        if self.waits_for:
            return self.old
        digest = hashlib.sha256(f"{self.plan.seed} {conversation}".encode("utf-8", "replace")).digest()
        return self.new if int.from_bytes(digest[:8], "big") < self.plan.share * 2**64 else self.old

    def answered(self, version: Version, seconds: float, error: str, message: str = "", reply: str = "") -> None:
        """How a turn went: how long it took, what it failed with or else what was said to which message."""
        if self.waits_for:
            return
        new = version is self.new
        with self._lock:
            if new:
                self.evidence.calls_new += 1
            else:
                self.evidence.calls_old += 1
            key = (self.artifact.program.name, 0)
            if error:
                self.evidence.failed(error, new=new)
            else:
                self.evidence.took(key, seconds, new=new)
                if new or key in self._values:
                    self._measure(key, (message,), reply, new=new)
        self.look()
