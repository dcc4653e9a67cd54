"""What was measured is what is kept: a build's bytes, read back from where they are stored."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

from ..values import Artifact
from .bench import MeasurementFailed


def stored_digest(artifact: Artifact) -> str:
    """SHA-256 of the library's bytes as they lie in the cache now; of the program's files where there is no library.

    Raises MeasurementFailed where the library is gone.
    """
    if not artifact.path:
        files = json.dumps(artifact.program.files, ensure_ascii=False)
        return hashlib.sha256(files.encode("utf-8", "surrogatepass")).hexdigest()
    try:
        return hashlib.sha256(Path(artifact.path).read_bytes()).hexdigest()
    except OSError as error:
        raise MeasurementFailed(f"its build cannot be read back ({error.strerror}): evolve again") from error


class Kept:
    """The digests of a run's builds at their first measurement. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}

    def same(self, artifact: Artifact) -> str:
        """The digest of the stored bytes. Raises MeasurementFailed where they are not those of the first time."""
        now = stored_digest(artifact)
        with self._lock:
            first = self._known.setdefault(artifact.key, now)
        if first != now:
            raise MeasurementFailed(
                f"its stored build has changed since it was measured: {first[:16]} became {now[:16]}"
            )
        return now
