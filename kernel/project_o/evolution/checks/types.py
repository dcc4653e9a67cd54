"""Whether a candidate in Python or Lisp has type errors that what serves has not, in the words of mypy.

For Zig and Rust the compiler is this check, at the stage "build". Here nothing is asked, and nothing paid, where there
are no annotations. mypy runs in the sandbox's build profile, since it reads a text that nobody has read: it sees the
standard library's stubs and no other package, and the incumbent's run leaves it a warm cache. An error of a candidate
counts that its incumbent has not as often; undefined names are left to those who run it, who know what is there.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import sysconfig
import tempfile
import threading
import weakref
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import limits
from ...errors import SandboxError
from ...languages.typed import TypedModule
from ...values import CheckStage, Finding
from ..task import Task
from .seam import Subject, failed, inconclusive, passed
from .text import source_line

INSTALL = "mypy is not installed (the extra project-o[checks] brings it)"
FILE, INCUMBENT_FILE, CACHE = "cell.py", "incumbent/cell.py", "cache"
"""What serves lies elsewhere than a candidate: mypy takes a file of the same path, size and second for what its cache
knows, so that a candidate as long as its incumbent passed unread."""
OPTIONS = (
    "--config-file=", "--no-site-packages", "--follow-imports=skip", "--ignore-missing-imports",
    "--allow-redefinition", "--local-partial-types", "--no-error-summary", "--show-error-codes", "--hide-error-context",
    "--no-pretty", "--no-color-output", f"--python-version={sys.version_info[0]}.{sys.version_info[1]}",
)  # fmt: skip
NOT_OF_TYPES = frozenset(
    {"name-defined", "no-redef", "used-before-def", "import", "import-not-found", "import-untyped"}
)
"""What mypy says of names: who runs the text knows better which there are."""
_SAID = re.compile(rf"^(?:{INCUMBENT_FILE}|{FILE}):(\d+): (error|note): (.*?)(?:  \[([\w-]+)\])?$")
_SAID_ERROR = re.compile(rf"^(?:{INCUMBENT_FILE}|{FILE}):\d+: error: ", re.MULTILINE)
_A_LINE = re.compile(r"\bline \d+")


@dataclass(frozen=True)
class Complaint:
    """One error of mypy's: where, in its words, and of which kind."""

    line: int
    message: str
    code: str

    @property
    def key(self) -> tuple[str, str]:
        """The same error wherever it stands."""
        return _A_LINE.sub("line", self.message), self.code


class Types:
    """The stage "types". One object serves all candidates of a run."""

    stage: CheckStage = "types"

    def __init__(self, task: Task) -> None:
        assert task.typed is not None, "there is something to read"
        self._typed = task.typed
        self._lock = threading.Lock()
        self._known: dict[str, Counter[tuple[str, str]] | str] = {}
        self._cache = Path(tempfile.mkdtemp(prefix="project-o-types-"))
        weakref.finalize(self, shutil.rmtree, self._cache, ignore_errors=True)

    def run(self, subject: Subject) -> Finding:
        """The errors of the candidate that are not the incumbent's."""
        if subject.only_settings:
            return passed("types")
        module = self._typed(subject.program)
        if module is None:
            return inconclusive("types", "there are no annotations, so nothing was checked")
        known = self._of_incumbent(subject)
        if isinstance(known, str):
            return inconclusive("types", known)
        found = self._asked(subject, module)
        if isinstance(found, str):
            return inconclusive("types", found)
        left = Counter(known)
        new = []
        for item in found:
            left[item.key] -= 1
            if left[item.key] < 0:
                new.append(item)
        if not new:
            return passed("types", "mypy finds nothing that it does not find in the incumbent")
        reason = f"mypy, line {new[0].line}: {new[0].message}"
        evidence = "\n".join(_told(item, module) for item in new[: limits.DIAGNOSTICS_SHOWN_MAX])
        make = inconclusive if subject.trusted else failed  # a person's own text may have its reasons
        return make("types", reason, evidence, {"type errors": len(new)})

    def _of_incumbent(self, subject: Subject) -> Counter[tuple[str, str]] | str:
        """How often each error is in what serves, or why nothing could be asked. Asked once."""
        digest = subject.incumbent.digest
        with self._lock:
            if digest not in self._known:
                module = self._typed(subject.incumbent) or TypedModule("", ())
                found = self._asked(subject, module, keep=True)
                self._known[digest] = found if isinstance(found, str) else Counter(item.key for item in found)
            return self._known[digest]

    def _asked(self, subject: Subject, module: TypedModule, *, keep: bool = False) -> list[Complaint] | str:
        """mypy's errors in the program's own lines, or why there are none. ``keep`` its cache for those to come."""
        command = _command()
        if command is None:
            return f"{INSTALL}, so types were not checked"
        file = INCUMBENT_FILE if keep else FILE
        try:
            built = subject.task.box.build(
                [*command.argv, *OPTIONS, f"--cache-dir={CACHE}", file],
                {file: module.text.encode("utf-8", "replace")},
                outputs=None if keep else (),
                readable=command.readable,
                executable=command.argv[:1],
                copies={CACHE: self._cache},
            )
        except SandboxError as error:
            return f"types were not checked: {error}"
        if built.ended or built.code not in (0, 1) or (built.code == 1 and not _SAID_ERROR.search(built.errors)):
            words = built.why or " ".join(built.errors.split())[-limits.ERROR_TEXT_CHARACTERS_MAX :]
            return f"types were not checked: mypy gave no answer ({words or built.code})"
        if keep:
            self._keep(built.files)
        return _errors(built.errors, module)

    def _keep(self, files: Any) -> None:
        for name, content in files.items():
            if name.startswith(f"{CACHE}/"):
                path = self._cache / name.removeprefix(f"{CACHE}/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)


def _errors(text: str, module: TypedModule) -> list[Complaint]:
    found = []
    for said in filter(None, map(_SAID.match, text.splitlines())):
        line, kind, message, code = int(said[1]), said[2], said[3], said[4] or ""
        if kind == "error" and line <= len(module.lines) and code not in NOT_OF_TYPES:
            found.append(Complaint(module.lines[line - 1], message, code))
    return found


def _told(item: Complaint, module: TypedModule) -> str:
    text = source_line(module.text, module.lines.index(item.line) + 1)
    return f"line {item.line}: error: {item.message}  [{item.code}]" + (f"\n    {text}" if text else "")


@dataclass(frozen=True)
class Command:
    """How mypy is started without the user's settings, and what it reads."""

    argv: tuple[str, ...]
    readable: tuple[str, ...]


def _command() -> Command | None:
    """None where mypy is not installed."""
    spec = importlib.util.find_spec("mypy")
    if spec is None or not spec.origin:
        return None
    home = str(Path(spec.origin).parent.parent)
    start = (
        f"import sys; sys.path.append({home!r}); sys.argv[0] = 'mypy'\n"
        "from mypy.__main__ import console_entry\nconsole_entry()"
    )
    python = str(getattr(sys, "_base_executable", sys.executable))
    libraries = (str(path) for path in (Path(sys.base_prefix) / "lib").glob("libpython*"))
    paths = sysconfig.get_paths()
    readable = dict.fromkeys((paths["stdlib"], paths["platstdlib"], home, *libraries))
    return Command((python, "-I", "-S", "-c", start), tuple(readable))
