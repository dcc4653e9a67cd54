"""A job for a library that is not there yet: forked and locked while the compiler is at work.

Forking and locking take most of a trial. Of the library they need to know only where it will be: in a folder of the
job's own, empty until then, from which it may load what it finds there, as it may from the system's.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import limits
from ..errors import SandboxError
from ..values import Interface
from .afterwards import afterwards
from .channel import Channel

if TYPE_CHECKING:
    from .native_job import NativeJob

Make = Callable[[str, Interface], "NativeJob"]


def beside(library: str) -> list[str]:
    """What a build needs beyond the system: it lies beside it, where its own run path points, by the name that it has
    there, since it is a link to what many builds share."""
    return [str(path) for path in Path(library).parent.glob("lib*-*.so")]


class Early:
    """A locked process that waits for its library. Nobody has to ask: it ends by itself after EARLY_SECONDS.

    ``make`` makes the job of it. Any thread may use it; one gets the job.
    """

    def __init__(self, channel: Channel, make: Make) -> None:
        self._channel: Channel | None = channel
        self._make = make
        self._lock = threading.Lock()
        afterwards(limits.EARLY_SECONDS, self.close)

    def native(self, library_path: str | Path, interface: Interface) -> NativeJob | None:
        """The job, once; None where another has it, or it has waited too long. Raises SandboxError."""
        channel = self._take()
        if channel is None or channel.ended or channel.owner != os.getpid():
            return None
        library = str(Path(library_path).resolve())
        try:
            channel.add([library, *beside(library)])
            return self._make(library, interface)
        except OSError as error:
            raise SandboxError(f"the library cannot be tried: {error}") from None
        finally:
            if library not in channel.placed:
                channel.end("closed")

    def _take(self) -> Channel | None:
        with self._lock:
            channel, self._channel = self._channel, None
        return channel

    def close(self) -> None:
        """End it where nobody has it. Idempotent."""
        channel = self._take()
        if channel is not None:
            channel.end("closed")
