"""The files that agents may see: those of the project's folder, not hidden ones, text only, nothing outside."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .. import limits
from ..errors import AgentError
from ..history.redact import SECRET_NAME


class Project:
    """One folder and what is below it."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where the notebook works."""
        return (self._folder or Path.cwd()).resolve()

    def files(self, folder: str = ".") -> list[str]:
        """The files below a folder, as paths from the project's, at most ``limits.FILES_LISTED_MAX``.

        Raises AgentError for a folder outside.
        """
        start = self._inside(folder)
        if not start.is_dir():
            raise AgentError(f"{folder} is no folder of the project")
        found: list[str] = []
        for place, folders, names in os.walk(start):
            folders[:] = sorted(name for name in folders if not _is_hidden(name))
            found += [
                str((Path(place) / name).relative_to(self.folder)) for name in sorted(names) if not _is_hidden(name)
            ]
            if len(found) > limits.FILES_LISTED_MAX:
                left = [f"[more than {limits.FILES_LISTED_MAX} files: name a folder]"]
                return found[: limits.FILES_LISTED_MAX] + left
        return found

    def read(self, path: str, first: int = 1, lines: int = 0, *, whole: bool = False) -> str:
        """The text of a file, from line ``first`` (1-based), ``lines`` of them, 0: all; a new file, "", with ``whole``.

        Raises AgentError for what is outside, hidden, no text, or too large.
        """
        place = self._inside(path)
        if whole and not place.exists() and place.parent.is_dir():
            return ""
        try:
            if place.stat().st_size > limits.FILE_READ_BYTES_MAX:
                raise AgentError(f"{path} is larger than the {limits.FILE_READ_BYTES_MAX:,} bytes that are read")
            text = place.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise AgentError(f"{path} cannot be read as text: {error}") from None
        if first == 1 and not lines:
            return text
        return "".join(text.splitlines(keepends=True)[max(0, first - 1) :][: lines or None])

    def check_writable(self, path: str) -> Path:
        """Where a file is. Raises AgentError for what no agent may write, and no person in its name."""
        from ..evolution.gate import is_gate

        place = self._inside(path)
        if place.suffix == ".ipynb":
            raise AgentError(f"{path} is a notebook, and notebooks are not written: propose a change of In[n]")
        if place != self.folder and is_gate(place):
            raise AgentError(f"{path} is part of what judges every version: agents change nothing there")
        return place

    def write(self, path: str, text: str) -> None:
        """Put a text into a file, whole or not at all. Raises AgentError for what may not be written."""
        place = self.check_writable(path)
        try:
            with tempfile.NamedTemporaryFile("w", dir=place.parent, delete=False, encoding="utf-8") as file:
                file.write(text)
            if place.exists():
                Path(file.name).chmod(place.stat().st_mode & 0o777)
            Path(file.name).replace(place)
        except OSError as error:
            raise AgentError(f"{path} cannot be written: {error}") from None

    def _inside(self, path: str) -> Path:
        place = (self.folder / path).resolve()
        if not place.is_relative_to(self.folder):
            raise AgentError(f"{path} is outside of the project's folder, and agents see what is inside")
        parts = place.relative_to(self.folder).parts
        if any(_is_hidden(part) for part in parts) or any(SECRET_NAME.search(part) for part in parts):
            raise AgentError(f"{path} is hidden, or named like a secret, and agents do not see it")
        return place


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in ("__pycache__", "node_modules")
