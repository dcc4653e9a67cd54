"""Modules made for a test: a folder with a module.json and a source, in each language."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from project_o import languages
from project_o.toolchain import modules

WRITTEN_FOR = {"zig": "0.17.1", "rust": "1.85"}
SUFFIX = {"zig": ".zig", "rust": ".rs"}


@pytest.fixture
def write_module(tmp_path: Path) -> Callable[..., Path]:
    """``write_module("zig", source, exports=[...], **fields)`` -> the module's folder."""

    def write(language: str, source: str, *, name: str = "sample", **fields: Any) -> Path:
        folder = tmp_path / "modules" / language / name
        folder.mkdir(parents=True, exist_ok=True)
        body = {"name": name, "version": "1.0.0", "description": "A sample.", language: WRITTEN_FOR[language]}
        (folder / "module.json").write_text(json.dumps({**body, "hot_reload": True, **fields}))
        (folder / (name + SUFFIX[language])).write_text(source)
        return folder

    return write


def build(folder: Path, mode: Any = "safe") -> modules.Built:
    found = modules.manifest.read(folder)
    program = modules.program_of(found, mode)
    signatures = languages.tools_for(found.language).signatures(program.source)
    return modules.build_module(found, program, {n: (s.parameters, s.doc, s.line) for n, s in signatures.items()})


@pytest.fixture
def opened(write_module: Callable[..., Path], zig_there: Path) -> Callable[..., modules.Module]:
    """A module's source -> the module, loaded."""

    def open_(language: str, source: str, *, mode: Any = "safe", **fields: Any) -> modules.Module:
        return modules.Module(build(write_module(language, source, **fields), mode))

    return open_


@pytest.fixture(params=["zig", "rust"])
def language(request: pytest.FixtureRequest) -> str:
    """Each language; a machine without Rust skips visibly, unless it is required."""
    if request.param == "rust":
        request.getfixturevalue("rust_there")
    return str(request.param)
