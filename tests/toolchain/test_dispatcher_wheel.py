"""A wheel that brings the dispatcher compiled, as pip builds and installs it: it needs no compiler and no headers."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from project_o.toolchain import dispatcher_source as source

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ENABLED = "HATCH_BUILD_HOOK_ENABLE_CUSTOM"
UNREACHED = ("No matching distribution found", "No module named pip")

BEGIN = """
import importlib.metadata, sys, sysconfig
headers, numpy = sys.argv[1:3]
path, version = sysconfig.get_path, importlib.metadata.version
if headers == "no":
    sysconfig.get_path = lambda name, *rest: "/nowhere" if name in ("include", "platinclude") else path(name, *rest)
if numpy:
    importlib.metadata.version = lambda name: numpy if name == "numpy" else version(name)
import project_o
from project_o.toolchain import dispatcher
print(project_o.__file__)
status = dispatcher.wait(100)
print(status.made)
print(status.how)
"""
CALLS = """
import numpy as np
kernels = project_o.zig('''
pub fn sum(a: []const f64, more: ?i8) f64 {
    var all: f64 = @floatFromInt(more orelse 0);
    for (a) |x| all += x;
    return all;
}
pub fn ones(gpa: @import("std").mem.Allocator, n: usize) ![]u16 {
    const out = try gpa.alloc(u16, n);
    @memset(out, 1);
    return out;
}
''')
for _ in range(3):
    assert kernels.sum(np.arange(4.0), 2) == 8
    assert kernels.ones(3).tolist() == [1, 1, 1]
try:
    kernels.sum(np.arange(4), 2)
except TypeError as error:
    assert "float64" in str(error), error
print([getattr(function, "_entry", None) is not None for function in (kernels.sum, kernels.ones)])
"""

REFUSING = """
import numpy
core = sys.modules.get("numpy._core._multiarray_umath") or sys.modules["numpy.core._multiarray_umath"]
core._ARRAY_API = None
import project_o
"""


@pytest.fixture(scope="module")
def backend(lacking: Callable[[str, str], None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what builds wheels. It is small; numpy and Zig, which pip would download again, are those here."""
    if metadata.version("numpy").split(".")[0] != str(source.NUMPY_NEWEST_MAJOR):
        lacking("numpy2", "a wheel with the dispatcher is compiled with the headers of numpy 2")
    folder = tmp_path_factory.mktemp("backend")
    done = pip("install", "--target", str(folder), *PROJECT["build-system"]["requires"])
    if any(words in done.stderr for words in UNREACHED):
        lacking("index", "pip finds nothing to build a wheel with: it needs a package index")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel_of(backend: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    """``wheel_of(hook)``: as pip builds it."""

    def build(hook: bool) -> Path:
        folder = tmp_path_factory.mktemp("wheel")
        words = ("--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", str(folder), str(ROOT))
        done = pip("wheel", *words, environment=hooked(backend, hook))
        assert done.returncode == 0, done.stdout + done.stderr
        (wheel,) = folder.glob("*.whl")
        return wheel

    return build


def hooked(backend: Path, hook: bool) -> dict[str, str]:
    """The environment of a build, with the hook or without."""
    ours = {name: value for name, value in os.environ.items() if name != ENABLED}
    return {**ours, "PYTHONPATH": str(backend), **({ENABLED: "true"} if hook else {})}


def pip(verb: str, *words: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", verb, "--quiet", "--disable-pip-version-check", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def wheel(wheel_of: Callable[[bool], Path]) -> Path:
    return wheel_of(True)


@pytest.fixture(scope="module")
def once_installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what pip installs of it."""
    folder = tmp_path_factory.mktemp("installed") / "once"
    done = pip("install", "--no-deps", "--no-index", "--target", str(folder), str(wheel))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def installed(once_installed: Path, tmp_path: Path) -> Path:
    """One of one's own, to spoil."""
    return Path(shutil.copytree(once_installed, tmp_path / "installed"))


@pytest.fixture
def said(
    own_cache: Callable[[Path], str], build_cache: Path, zig_there: Path, tmp_path: Path
) -> Callable[..., list[str]]:
    """What a new Python says of the dispatcher, with no build in its cache and no C compiler but Zig's."""

    def run(installed: Path, script: str = BEGIN, *, headers: bool = False, numpy: str = "") -> list[str]:
        cache = tmp_path / "cache"
        done = subprocess.run(
            [sys.executable, "-c", script, "yes" if headers else "no", numpy],
            cwd=tmp_path,
            env={
                "PATH": "/nowhere",
                "HOME": str(tmp_path),
                "PYTHONPATH": str(installed),
                "PROJECT_O_CACHE": own_cache(cache) if CALLS in script else str(cache),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        place, *rest = done.stdout.splitlines()
        assert Path(place).is_relative_to(installed)
        return rest

    return run


def shipped(installed: Path) -> tuple[Path, Path]:
    folder = installed / "project_o" / "toolchain" / "dispatcher"
    return folder / source.shipped_name(), folder / source.facts_name()


def test_it_says_what_it_is_for_and_asks_for_no_newer_c_library(wheel: Path) -> None:
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    name = f"project_o/toolchain/dispatcher/{source.shipped_name()}"
    with zipfile.ZipFile(wheel) as opened:
        (facts,) = (item for item in opened.namelist() if item.endswith(".dist-info/WHEEL"))
        said = opened.read(facts).decode()
        elf = ELFFile(io.BytesIO(opened.read(name)))

    assert re.search(rf"-{version}-{version}-manylinux_2_17_\w+\.whl$", wheel.name)
    assert "Root-Is-Purelib: false" in said
    asked = [
        tuple(map(int, wanted.name.removeprefix("GLIBC_").split(".")))
        for section in elf.iter_sections()
        if isinstance(section, GNUVerNeedSection)
        for _, wanteds in section.iter_versions()
        for wanted in wanteds
    ]
    assert asked
    assert max(asked) <= (2, 17)


def test_calls_go_through_it_without_headers_and_without_a_compiler(
    installed: Path, said: Callable[..., list[str]], tmp_path: Path
) -> None:
    assert said(installed, BEGIN + CALLS) == ["True", "from the wheel", "[True, True]"]
    made = [json.loads(path.read_text()) for path in (tmp_path / "cache" / "artifacts").glob("*/facts.json")]
    assert made
    assert not any("dispatcher" in facts for facts in made)


def test_one_of_other_texts_is_never_loaded(installed: Path, said: Callable[..., list[str]]) -> None:
    with (installed / "project_o" / "toolchain" / "dispatcher" / "results.h").open("a") as text:
        text.write("/* of a later version */\n")
    made, how, entries = said(installed, BEGIN + CALLS)

    assert (made, entries) == ("False", "[False, False]")
    assert how.startswith(
        "this Python has no Python.h: calls go through cffi (that of the wheel was made from other texts"
    )
    assert "install project-o again" in how


def cut(library: Path, facts: Path) -> None:
    """Longer than its header, so that the system's loader would map what is not there, and the process end."""
    library.write_bytes(library.read_bytes()[:8192])


def without_facts(library: Path, facts: Path) -> None:
    facts.unlink()


def no_library(library: Path, facts: Path) -> None:
    """Whole, as far as its digest goes."""
    library.write_bytes(b"no library")
    told = json.loads(facts.read_text())
    facts.write_text(json.dumps({**told, "sha256": hashlib.sha256(b"no library").hexdigest()}))


@pytest.mark.parametrize(
    ("spoil", "why"), [(cut, "is damaged"), (without_facts, "is damaged"), (no_library, "does not load")]
)
def test_a_damaged_one_is_passed_over(
    installed: Path, said: Callable[..., list[str]], spoil: Callable[[Path, Path], None], why: str
) -> None:
    spoil(*shipped(installed))
    made, how = said(installed)

    assert made == "False"
    assert how.startswith(f"this Python has no Python.h: calls go through cffi (that of the wheel {why}")


def test_where_there_are_headers_it_is_then_compiled(installed: Path, said: Callable[..., list[str]]) -> None:
    cut(*shipped(installed))

    compiled = ["True", "compiled by zig (that of the wheel is damaged: install project-o again)", "[True, True]"]
    assert said(installed, BEGIN + CALLS, headers=True) == compiled


@pytest.mark.parametrize(("numpy", "fits"), [("1.25.2", False), ("1.26.0", True), ("2.99.0rc1", True), ("3.0", False)])
def test_it_is_for_the_numpys_whose_binary_interface_it_has(
    installed: Path, said: Callable[..., list[str]], numpy: str, fits: bool
) -> None:
    made, how = said(installed, numpy=numpy)

    assert made == str(fits)
    assert how == "from the wheel" if fits else f"for numpy 1.26 to 2, and this is {numpy}" in how


def test_numpys_own_refusal_is_heard(installed: Path, said: Callable[..., list[str]]) -> None:
    """Where its version says that it fits, and its table that it does not."""
    refused = BEGIN.replace("import project_o\n", REFUSING)
    made, how = said(installed, refused)

    assert made == "False"
    assert "that of the wheel does not load: _ARRAY_API is not PyCapsule object" in how


def test_the_ordinary_wheel_is_for_every_python_and_has_nothing_compiled(wheel_of: Callable[[bool], Path]) -> None:
    wheel = wheel_of(False)
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()

    assert wheel.name.endswith("-py3-none-any.whl")
    assert "project_o/toolchain/dispatcher/dispatch.c" in names
    assert not [name for name in names if source.NAME in name]


def test_only_the_wheel_with_it_asks_for_a_compiler_and_headers(backend: Path) -> None:
    """What pip would install to build each of the two."""
    ask = "from hatchling.build import get_requires_for_build_wheel as ask; print(*ask())"
    command = [sys.executable, "-c", ask]
    ordinary, compiled = (
        subprocess.run(command, cwd=ROOT, env=hooked(backend, hook), capture_output=True, text=True, check=True)
        for hook in (False, True)
    )
    (zig,) = (item for item in PROJECT["project"]["dependencies"] if item.startswith("ziglang"))

    assert ordinary.stdout.split() == []
    assert compiled.stdout.split() == ["numpy>=2,<3", zig]


def test_what_the_hook_reads_needs_nothing_that_is_installed() -> None:
    tell = "import runpy, sys; print(runpy.run_path(sys.argv[1])['digest']())"
    place = source.__file__
    done = subprocess.run([sys.executable, "-I", "-S", "-c", tell, place], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == source.digest()


def test_the_oldest_numpy_is_the_one_that_the_package_asks_for() -> None:
    assert f"numpy>={'.'.join(map(str, source.NUMPY_OLDEST))}" in PROJECT["project"]["dependencies"]
