"""How the dispatcher comes to be: by any C compiler or Zig's own, in the background, or not at all and why."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from project_o.deploy import NativeModule, Slot
from project_o.toolchain import Version, dispatcher
from project_o.values import Artifact

CALL = """
import sys
from project_o import abi
from project_o.deploy import NativeModule, Slot
from project_o.toolchain import Version, build, dispatcher
from project_o.values import Program
dispatcher.source.FLAGS += tuple(sys.argv[1:])
artifact = build(Program("p", "zig", (("cell.zig", "pub fn f(a: i32) i32 { return a; }"),)))
dispatcher.prepare()
first = dispatcher.status()
module = NativeModule(Slot("m", Version(artifact)))
early = type(module.f).__mro__[1].__name__ == "Function"
assert module.f(1) == 1
last = dispatcher.wait(100)
assert [module.f(2), module.f(3)] == [2, 3]
print(first.made, early, last.made, getattr(module.f, "_entry", None) is not None)
print(last.how, "|", last.todo)
"""

TWO = """
import shutil, sys
from project_o import abi
from project_o.deploy import NativeModule, Slot
from project_o.toolchain import Version, build, dispatcher
from project_o.values import Program
artifact = build(Program("p", "zig", (("cell.zig", "pub fn f(a: i32) i32 { return a; }"),)))
assert dispatcher.wait(100).made
one = abi.dispatch.made()
other = dispatcher._imported(shutil.copy(one.__file__, sys.argv[1]))
for module in (one, other, one, other):
    abi.dispatch.put(module)
    kernels = NativeModule(Slot("m", Version(artifact)))
    print(kernels.f(1), kernels.f(2), hasattr(kernels, "g"))
"""


def said(environment: dict[str, str], *flags: str, script: str = CALL) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", script, *flags],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def environment(build_cache: Path, zig_there: Path) -> dict[str, str]:
    """Ours, with the build cache of the tests, and no C compiler on the PATH."""
    return {"PATH": "/nowhere", "HOME": "/nowhere", "PROJECT_O_CACHE": str(build_cache)}


def test_zigs_own_compiler_makes_it_where_there_is_no_other(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, compiled: Callable[..., Artifact]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(dispatcher.source, "FLAGS", (*dispatcher.source.FLAGS, "-DOTHER_FLAGS"))
    made = dispatcher._Dispatcher()
    found = made.wait(120)

    assert (found.made, found.how) == (True, "compiled by zig"), found
    module = NativeModule(Slot("m", Version(compiled("pub fn f(a: i32) i32 {\n    return a;\n}\n"))))
    assert [module.f(k) for k in range(40)] == list(range(40))
    assert module.f._entry is not None


def test_the_first_cell_does_not_wait_and_the_next_kernel_finds_it(environment: dict[str, str], tmp_path: Path) -> None:
    """A compiler that takes its time: until it is done calls go through cffi."""
    slow = tmp_path / "slow-cc"
    slow.write_text('#!/bin/sh\n/bin/sleep 2\nPATH=/usr/bin:/bin exec cc "$@"\n')
    slow.chmod(0o755)
    first, second = (said({**environment, "CC": str(slow)}, "-DNOT_YET_MADE") for _ in range(2))

    assert first == ["False False True True", "compiled by slow-cc | "]
    assert second == ["True True True True", "from the cache | "]


def test_it_can_be_asked_not_to_be(environment: dict[str, str]) -> None:
    first, how = said({**environment, "PROJECT_O_DISPATCHER": "off"})

    assert first == "False False False False"
    assert how.startswith("off (PROJECT_O_DISPATCHER")


def test_without_the_headers_of_python_calls_go_through_cffi(
    zig_there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = sysconfig.get_path
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path) if name == "include" else paths(name))
    monkeypatch.setenv("PROJECT_O_CACHE", str(tmp_path))
    found = dispatcher._Dispatcher().wait(1)

    assert not found.made
    assert "no Python.h: calls go through cffi" in found.how
    assert "install its headers" in found.todo


def test_a_compiler_that_fails_says_so_and_nothing_else_does(
    zig_there: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken-cc"
    broken.write_text("#!/bin/sh\necho this compiler is out of order >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CC", str(broken))
    monkeypatch.setenv("PROJECT_O_CACHE", str(tmp_path))
    found = dispatcher._Dispatcher().wait(30)

    assert not found.made
    assert "this compiler is out of order" in found.how


def test_two_of_them_in_one_process_find_the_attributes_by_turns(environment: dict[str, str], tmp_path: Path) -> None:
    assert said(environment, str(tmp_path / "other.so"), script=TWO) == ["1 2 False"] * 4
