"""Where the C library is: asked of the compiler once, and told to it from then on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from project_o import toolchain
from project_o.toolchain import elf, libc
from project_o.values import Program


@pytest.fixture(autouse=True)
def unasked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROJECT_O_CACHE", str(tmp_path))
    libc._found.cache_clear()


@pytest.mark.usefixtures("zig_there")
def test_a_build_is_the_same_whether_the_compiler_is_told_or_finds_out(
    monkeypatch: pytest.MonkeyPatch, lacking: Callable[..., None]
) -> None:
    source = "pub fn half(x: f64) f64 {\n    return x / 2;\n}\n"
    words = libc.told(toolchain.locate())
    if not words:
        lacking("gcc", "zig finds no C library of the system without it")
    assert words[:1] == ("--libc",)
    assert Path(words[1]).is_file()
    told = toolchain.build(Program("told", "zig", (("cell.zig", source),)))
    told_digest = elf.Library(Path(told.path).read_bytes()).digest()

    toolchain.clear()
    monkeypatch.setitem(toolchain.build.__globals__, "told", lambda _zig: ())
    found_out = toolchain.build(Program("told", "zig", (("cell.zig", source),)))

    assert not found_out.cached
    assert elf.Library(Path(found_out.path).read_bytes()).digest() == told_digest


@pytest.mark.usefixtures("zig_there")
def test_it_is_asked_once_and_finds_out_itself_where_a_folder_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    zig = toolchain.locate()
    words = libc.told(zig)
    monkeypatch.setattr(subprocess, "run", lambda *_a, **_k: pytest.fail("it was asked again"))
    assert libc.told(zig) == words

    path, _ = libc._found(str(zig)) or (Path(), ())
    monkeypatch.setattr(libc, "_found", lambda _zig: (path, ("/nowhere",)))
    assert libc.told(zig) == ()


def test_a_compiler_that_knows_of_no_library_finds_out_by_itself(tmp_path: Path) -> None:
    silent = tmp_path / "zig"
    silent.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    silent.chmod(0o700)

    assert libc.told(silent) == ()
    assert libc.told(tmp_path / "none") == ()
