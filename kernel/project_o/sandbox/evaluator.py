"""A foreign evaluator: Python with files, threads and processes of its own, and nobody else's.

It sees this interpreter's installation and packages, the system's programs and libraries, and what the policy opens;
it writes to its folder alone. Its scores are its own word: whoever asks it must say so.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from .. import limits
from ..errors import UsageError
from . import build_outputs, build_places
from .answer import Answer
from .job import Job
from .namespaces import interpreter as interpreter_of_namespaces
from .rules import Rules

_PARTS = ("bin", "lib", "lib64", "lib32", "include", "share", "pyvenv.cfg")
_PROGRAMS = ("/bin", "/usr/bin", "/usr/local/bin")
_ALSO_READ = (
    "/etc/localtime", "/etc/alternatives", "/usr/share", "/usr/libexec", "/dev/null", "/dev/random",
    "/sys/fs/cgroup",
)  # fmt: skip
_ABOUT_ITSELF = ("/proc/self", "/proc/stat", "/proc/uptime", "/proc/loadavg", "/proc/sys/kernel/pid_max")
_NEEDED_TO_START = ("LD_LIBRARY_PATH", "PYTHONHOME")
"""Of the environment, what this interpreter may need to find its own parts: paths, and no secrets."""


@lru_cache(maxsize=1)
def _python() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(the parts of this Python's installation and of its packages, where it looks for modules)."""
    prefixes = dict.fromkeys((sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix))
    # A prefix as a whole may hold settings with passwords (pip.conf): its parts do not.
    parts = [str(Path(prefix, part)) for prefix in prefixes for part in _PARTS if Path(prefix, part).exists()]
    packages = [*site.getsitepackages(), *sysconfig.get_paths().values()]
    packages += [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    packages += [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    found = [str(Path(path).resolve()) for path in (*parts, *packages) if Path(path).exists()]
    return tuple(dict.fromkeys((*parts, *found))), tuple(str(Path(path).absolute()) for path in sys.path if path)


def _inside(path: str, folders: tuple[str, ...]) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in folders)


def opened(rules: Rules) -> tuple[str, ...]:
    """What must be visible in namespaces beyond the system: this Python, and what the policy opened, as words."""
    parts, _ = _python()
    outside = [part for part in parts if not part.startswith("/usr/")]
    outermost = [part for part in outside if not any(other != part and _inside(part, (other,)) for other in outside)]
    return (*(f"read:{part}" for part in sorted(set(outermost))), *rules.opened)


def configuration(
    *,
    memory_bytes: int,
    cpu_seconds: float,
    scratch_bytes: int,
    landlock: bool,
    seccomp: bool,
    namespaces: bool,
    rules: Rules,
) -> dict[str, Any]:
    """What the child is told to lock, and to find around it: see ``build_locks.lock_evaluator``.

    In ``namespaces`` the list of processes is that of its own kind.
    """
    parts, path = _python()
    compilers = build_places.with_c(build_places.Toolchain("", (), ()))
    about_processes = ("/proc",) if namespaces else _ABOUT_ITSELF
    readable = (*parts, *compilers.readable, *_ALSO_READ, *about_processes, *rules.read)
    interpreter, _ = interpreter_of_namespaces()
    programs = tuple(part for part in parts if Path(part).name == "bin")
    zig = (build_places.wheel_zig(),)  # a package of this interpreter, as those that may be read anyway
    return {
        "profile": "evaluator",
        "address_bytes": memory_bytes + limits.EVALUATOR_ADDRESS_BYTES,
        "data_bytes": memory_bytes + limits.EVALUATOR_STACKS_BYTES,
        "tree": {"memory_bytes": memory_bytes, "threads": limits.EVALUATOR_THREADS_MAX},
        "cpu_backstop_seconds": max(1, int(cpu_seconds * limits.JOB_CPU_QUESTIONS_MAX)),
        "open_files": limits.BUILD_OPEN_FILES_MAX,
        "file_bytes": scratch_bytes,
        "landlock": landlock,
        "seccomp": seccomp,
        "readable": list(readable),
        "writable": ["/dev/null", *rules.write],
        "executable": [*programs, interpreter, *_PROGRAMS, *compilers.executable, *filter(None, zig)],
        "python": {
            "executable": sys.executable,
            "path": [entry for entry in path if _inside(entry, (*parts, *rules.read, *rules.write))],
            "programs": [str(Path(sys.executable).parent), *_PROGRAMS],
            "environment": {name: os.environ[name] for name in _NEEDED_TO_START if name in os.environ},
        },
    }


def checked_files(files: Mapping[str, str | bytes]) -> dict[str, str]:
    """The files by their names, each byte as one character. Raises UsageError."""
    for name, content in files.items():
        if not isinstance(content, (str, bytes, bytearray)):
            raise UsageError(f"{name} must be text or bytes, not a {type(content).__name__}")
    return {
        build_outputs.checked_name(name): (content.encode() if isinstance(content, str) else bytes(content)).decode(
            "latin-1"
        )
        for name, content in files.items()
    }


class EvaluatorJob(Job):
    """A job that has loaded the file of an evaluator; made by ``Sandbox.evaluator``."""

    def evaluate(
        self,
        candidate: str,
        *,
        function: str = "evaluate",
        name: str = "initial_program.py",
        seconds: float = 0.0,
        named: Mapping[str, Any] | None = None,
        beside: Mapping[str, str] | None = None,
    ) -> Answer:
        """Put ``candidate`` into a file of its own, called ``name``, and ask ``function`` about the file's path.

        ``beside`` are the other files of the candidate, by their names below the same folder, from which modules can
        then be imported.

        The value is what the evaluator returned: a dict of scores, or {"metrics": ..., "artifacts": ...}, where what is
        no number is text. ``named`` are JSON values that the function is given beside the path. It is the
        evaluator's own word, and the candidate ran beside it: never accept by it alone. ``seconds`` bounds this
        question in place of the box's ``wall_seconds``.
        """
        given = checked_files({name: candidate, **(beside or {})})
        with self._lock:
            refused = self._refused()
            if refused is not None:
                return refused
            question = {"op": "evaluate", "fn": function, "files": given, "room": self._channel.arena.size}
            question["named"] = dict(named or {})
            return self._put(question, seconds or self._wall_seconds)
