"""Each module of ``native/`` has its fuzzer and its benchmark beside it, and they run as their first lines say."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from project_o.errors import ToolchainMissing
from project_o.toolchain import locate, locate_rust, modules

MODULES = {item.place: item for item in modules.found_in([])}


@pytest.fixture
def run(tmp_path, lacking):
    """Run a command of a module's language in its folder; what it said. What it makes goes elsewhere."""
    caches = {"ZIG_LOCAL_CACHE_DIR": str(tmp_path / "zig"), "ZIG_GLOBAL_CACHE_DIR": str(tmp_path / "zig")}

    def run_(module, *words):
        try:
            compiler = str(locate()) if module.language == "zig" else locate_rust().path
        except ToolchainMissing as missing:
            lacking(module.language, str(missing))
            raise
        said = ""
        for command in words if isinstance(words[0], tuple) else (words,):
            full = [compiler if word == "COMPILER" else word.replace("OUT", str(tmp_path)) for word in command]
            done = subprocess.run(
                full, cwd=module.folder, env={**os.environ, **caches}, capture_output=True, text=True, check=False
            )
            said += done.stdout + done.stderr
            assert done.returncode == 0, said
        return said

    return run_


@pytest.mark.parametrize("place", sorted(MODULES))
def test_its_fuzzer_finds_nothing(place, run):
    module = MODULES[place]
    if module.language == "zig":
        said = run(module, "COMPILER", "test", "-lc", f"{module.name}_fuzz.zig")
        assert re.search(r"All \d+ tests passed", said), said
        return
    compiled = ("COMPILER", "--edition", "2024", "-O", "--test", f"{module.name}_fuzz.rs", "-o", "OUT/fuzz")
    said = run(module, compiled, ("OUT/fuzz", "--nocapture"))
    assert "test result: ok" in said
    assert re.search(r"SEED=\d+", said), "without its seed a failure could not be repeated"


@pytest.mark.parametrize("place", sorted(MODULES))
def test_its_benchmark_has_a_number_for_each_thing_that_it_measures(place, run):
    module = MODULES[place]
    if module.language == "zig":
        said = run(module, "COMPILER", "run", "-lc", "-fno-compiler-rt", "-O", "fast", f"{module.name}_benchmark.zig")
    else:
        compiled = ("COMPILER", "--edition", "2024", "-O", f"{module.name}_benchmark.rs", "-o", "OUT/benchmark")
        said = run(module, compiled, ("OUT/benchmark",))
    found = re.findall(r"^(\w+) (\d+\.\d+) an? \w+$", said, re.MULTILINE)
    assert len(found) >= 2, said
    for name, nanoseconds in found:
        assert name in module.exports
        assert 0 < float(nanoseconds) < 1000, said


def test_there_is_one_in_each_language():
    assert {"zig/counter", "rust/counter"} <= set(MODULES)
