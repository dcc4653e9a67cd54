"""What a foreign evaluator finds around it, on the sandboxed side, and how its file is loaded and asked."""

from __future__ import annotations

import builtins
import importlib.util
import os
import signal
import site
import subprocess
import sys
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from .. import limits
from . import own_memory

MODULE = "evaluation_module"
"""The name under which evaluators of this kind are loaded elsewhere: some look for themselves by it."""
_SITE_TEXT = Path(own_memory.__file__).read_text("utf-8")
"""Read here, in the warm process: no job can read what is ours."""
_WORK, _HOME, _TEMPORARY, _MEMORY, _SITE = "work", "home", "tmp", ".memory", ".site"
_CANDIDATE = "candidate-"


def settle(config: Mapping[str, Any]) -> None:
    """Make the surroundings: folders, variables, where modules are looked for. The process is locked already."""
    scratch, python = Path(config["scratch"]), config["python"]
    for name in (_WORK, _HOME, _TEMPORARY, _MEMORY, _SITE):
        (scratch / name).mkdir()
    (scratch / _SITE / "sitecustomize.py").write_text(_SITE_TEXT, "utf-8")
    kept = {name: os.environ[name] for name in os.environ if name.endswith("_NUM_THREADS")}
    os.environ.clear()
    os.environ.update(
        kept,
        **python["environment"],
        HOME=str(scratch / _HOME),
        TMPDIR=str(scratch / _TEMPORARY),
        LC_ALL="C.UTF-8",
        PATH=":".join(python["programs"]),
        PYTHONPATH=str(scratch / _SITE),
        PYTHONDONTWRITEBYTECODE="1",
    )
    sys.executable = python["executable"]
    sys._base_executable = python["executable"]  # type: ignore[attr-defined] # for processes that are started afresh
    sys.path[:] = [str(scratch / _WORK), *python["path"]]
    sys.argv[:] = ["evaluator.py"]
    # The warm process was started without site; what is started from here is not.
    subprocess._args_from_interpreter_flags = list  # type: ignore[attr-defined]
    sys.dont_write_bytecode = True
    site.setquit()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    own_memory.install(str(scratch / _MEMORY))
    if not config["namespaces"]:
        os.environ[own_memory.NO_PROCESSES_VARIABLE] = "1"
    os.chdir(scratch / _WORK)
    for name in [name for name in sys.modules if name == "project_o"]:
        del sys.modules[name]  # what is there is our own side of the wall, without what users import
    if "openevolve" not in sys.modules:
        found = importlib.util.find_spec("openevolve")
        if found is None or found.loader is None:
            _stand_in()
        else:
            _light(found)


@dataclass
class EvaluationResult:
    """Scores, and texts or bytes beside them: what an evaluator may return in place of a dict."""

    metrics: dict[str, Any]
    artifacts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, metrics: dict[str, Any]) -> EvaluationResult:
        """Scores alone."""
        return cls(metrics)

    def to_dict(self) -> dict[str, Any]:
        """The scores."""
        return self.metrics

    def has_artifacts(self) -> bool:
        """Whether there is anything beside the scores."""
        return bool(self.artifacts)

    def get_artifact_keys(self) -> list[str]:
        """What there is beside the scores."""
        return list(self.artifacts)

    def get_artifact_size(self, key: str) -> int:
        """The bytes of one artifact; 0 where there is none of that name."""
        value = self.artifacts.get(key, b"")
        return len(value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass"))

    def get_total_artifact_size(self) -> int:
        """The bytes of all of them."""
        return sum(self.get_artifact_size(key) for key in self.artifacts)


def _stand_in() -> None:
    """Evaluators name the class of their results by its package, which need not be installed for that."""
    package, module = types.ModuleType("openevolve"), types.ModuleType("openevolve.evaluation_result")
    package.__path__ = []
    module.EvaluationResult = EvaluationResult  # type: ignore[attr-defined]
    package.evaluation_result = module  # type: ignore[attr-defined]
    sys.modules.update({"openevolve": package, "openevolve.evaluation_result": module})


def _light(found: ModuleSpec) -> None:
    """The installed package, whose own beginning is run when something of it is asked for: what evaluators want is one
    of its parts, and the rest takes a second of every candidate.
    """
    package = types.ModuleType(found.name)
    package.__spec__, package.__file__, package.__package__ = found, found.origin, found.name
    package.__path__ = list(found.submodule_search_locations or ())
    begun: list[bool] = []

    def whole(name: str) -> Any:
        if not begun and found.loader is not None:
            begun.append(True)
            found.loader.exec_module(package)
            if name in vars(package):
                return vars(package)[name]
        raise AttributeError(f"module {found.name!r} has no attribute {name!r}")

    package.__getattr__ = whole  # type: ignore[method-assign]
    sys.modules[found.name] = package


def write(files: Mapping[str, str], folder: Path) -> list[Path]:
    """Put the files there, each byte given as one character."""
    written = []
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode("latin-1"))
        written.append(target)
    return written


def load(files: Mapping[str, str]) -> dict[str, Any]:
    """Write the files, load the first of them as a module, and give its names."""
    path = write(files, Path.cwd())[0]
    spec = importlib.util.spec_from_file_location(MODULE, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    spec.loader.exec_module(module)
    return vars(module)


def evaluate(namespace: Mapping[str, Any], question: Mapping[str, Any], number: int) -> Any:
    """Ask the evaluator about a candidate in a file of its own."""
    name = question["fn"]
    if name not in namespace:
        raise NameError(f"the evaluator defines no {name}")
    folder = Path(os.environ["TMPDIR"], f"{_CANDIDATE}{number}")
    folder.mkdir()
    path, *beside = write(question["files"], folder)
    if number > 1:
        _forget_imported(folder.parent)
    with _importable(folder) if beside else nullcontext():
        found = namespace[name](str(path), **question.get("named", {}))
    if not isinstance(found, builtins.dict) and hasattr(found, "metrics"):
        return {"metrics": _plain(found.metrics), "artifacts": _plain(getattr(found, "artifacts", {}))}
    return _plain(found)


def _forget_imported(folder: Path) -> None:
    """No candidate finds a module that one before it imported from its own files."""
    earlier = str(folder / _CANDIDATE)
    for name, module in list(sys.modules.items()):
        known = vars(module) if isinstance(module, types.ModuleType) else {}
        if any(str(path).startswith(earlier) for path in (known.get("__file__"), *(known.get("__path__") or ()))):
            del sys.modules[name]


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """A candidate of several files imports its own, whatever else has their names."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        if str(folder) in sys.path:
            sys.path.remove(str(folder))


def _plain(found: Any) -> Any:
    """What can cross: numbers as they are, all else as text that is cut; what is no dict is left to the caller."""
    if not isinstance(found, builtins.dict):
        return found
    return {str(key): value if _crosses(value) else _cut(value) for key, value in found.items()}


def _crosses(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return isinstance(value, (int, float)) or (numpy is not None and isinstance(value, numpy.number))


def _cut(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if len(text) <= limits.ARTIFACT_CHARACTERS_MAX:
        return text
    half = limits.ARTIFACT_CHARACTERS_MAX // 2
    return f"{text[:half]}\n... {len(text) - 2 * half:,} characters are left out ...\n{text[-half:]}"
