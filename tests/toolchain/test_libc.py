"""Where the C library is: asked of the compiler once, and told to it from then on."""

from __future__ import annotations

import subprocess
import time
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
    words = libc.told()
    if not words:
        lacking("gcc", "zig finds no C library of the system without it")
    assert words[:1] == ("--libc",)
    assert Path(words[1]).is_file()
    told = toolchain.build(Program("told", "zig", (("cell.zig", source),)))
    told_digest = elf.Library(Path(told.path).read_bytes()).digest()

    toolchain.clear()
    monkeypatch.setitem(toolchain.build.__globals__, "told", tuple)
    found_out = toolchain.build(Program("told", "zig", (("cell.zig", source),)))

    assert not found_out.cached
    assert elf.Library(Path(found_out.path).read_bytes()).digest() == told_digest


def test_it_is_asked_once_and_the_compiler_finds_out_itself_where_a_folder_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = libc.told()
    monkeypatch.setattr(subprocess, "run", lambda *_a, **_k: pytest.fail("it was asked again"))
    assert libc.told() == words

    path, _ = libc._found() or (Path(), ())
    monkeypatch.setattr(libc, "_found", lambda: (path, (str(path / "nowhere"),)))
    assert libc.told() == ()


@pytest.mark.parametrize("script", ["exit 1", "echo crt1.o", None])
def test_where_the_c_compiler_knows_of_no_library_zig_finds_out_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None
) -> None:
    if script is not None:
        (tmp_path / "cc").write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        (tmp_path / "cc").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert libc.told() == ()


@pytest.mark.usefixtures("zig_there")
def test_it_says_what_zig_says_and_takes_no_minute_to_find_out(lacking: Callable[..., None]) -> None:
    """``zig libc`` compiles itself where it was never used, so this asks it only in the cache that the user has."""
    began = time.monotonic()
    words = libc.told()
    if not words:
        lacking("gcc", "there is no C compiler to ask")
    assert time.monotonic() - began < 30.0
    lines = Path(words[1]).read_text("utf-8").splitlines()
    found = dict(line.split("=", 1) for line in lines)
    assert (Path(found["include_dir"]) / "stdlib.h").is_file()
    assert (Path(found["sys_include_dir"]) / "sys/errno.h").is_file()
    assert (Path(found["crt_dir"]) / "crt1.o").is_file()
