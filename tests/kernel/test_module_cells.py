"""Library modules in a notebook: loaded, shown, reloaded and taken out by the verbs of ``%o``."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def kernel_with_a_module(kernel):
    kernel.run(
        "import json, pathlib\n"
        "from project_o import load\n"
        "folder = pathlib.Path('own/tally'); folder.mkdir(parents=True)\n"
        "def write(step, version='1.0.0', state='count: u64 = 0'):\n"
        "    facts = {'name': 'tally', 'version': version, 'description': 'Counts in steps.', 'zig': '0.17',\n"
        "             'exports': ['add', 'bad'], 'hot_reload': True}\n"
        "    (folder / 'module.json').write_text(json.dumps(facts))\n"
        "    (folder / 'tally.zig').write_text('''\n"
        "pub const State = struct { STATE };\n"
        "/// Count n steps.\n"
        "pub fn add(state: *State, n: u64) u64 { state.count += n * STEP; return state.count; }\n"
        "pub fn bad(values: []const u8) u8 { return values[7]; }\n"
        "'''.replace('STATE', state).replace('STEP', str(step)))\n"
        "write(1)"
    )
    return kernel


def test_a_module_is_loaded_shown_and_swapped(kernel_with_a_module):
    kernel = kernel_with_a_module
    shown = kernel.run("tally = load('tally', 'own')\ntally")
    assert shown.status == "ok", shown.text
    assert "add(n: int) -> int" in shown.text
    assert "module zig/tally, version 1.0.0, source " in shown.text
    assert "<strong>" in shown.html
    assert kernel.run("tally.add(5)").text == "5"

    kernel.run("write(10, '1.1.0')")
    told = kernel.run("%o reload tally")
    assert "1.0.0 \u2192 1.1.0" in told.text
    assert "handed over" in told.text
    assert kernel.run("tally.add(1)").text == "15"
    assert "version 1.1.0" in kernel.run("tally").text


def test_what_goes_wrong_in_a_module_is_one_line_and_the_kernel_lives(kernel_with_a_module):
    kernel = kernel_with_a_module
    panic = kernel.run("tally.bad(b'abc')")
    assert panic.error.startswith("NativePanic: bad, line 5: index out of bounds: index 7, len 3")

    kernel.run("write(10, '1.1.0', 'count: u64 = 0, more: u8 = 1')")
    refused = kernel.run("%o reload tally")
    assert refused.status == "error"
    assert "`%o reload zig/tally --fresh` begins with a new one" in refused.error
    kernel.run("write('nonsense')")
    broken = kernel.run("%o reload tally")
    assert "CompileError" in broken.error
    assert "use of undeclared identifier 'nonsense'" in broken.text
    assert kernel.run("tally.add(0)").text == "15"

    kernel.run("write(2)")
    assert kernel.run("%o reload tally --fresh").status == "ok"
    assert kernel.run("tally.add(1)").text == "2"


def test_modules_are_listed_and_taken_out(kernel_with_a_module):
    kernel = kernel_with_a_module
    listed = kernel.run("%o modules").text
    assert "zig/tally" in listed
    assert "loaded" in listed
    assert "zig/counter" in listed
    assert kernel.run("%o unload tally").status == "ok"
    gone = kernel.run("tally.add(1)")
    assert gone.error == 'DeployError: zig/tally was unloaded: load("zig/tally") loads it again'
    assert "no module tally is loaded" in kernel.run("%o unload tally").error


def in_a_terminal(*words, folder):
    command = [sys.executable, "-m", "project_o.cli", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=dict(os.environ))


def test_a_terminal_lists_modules_and_leaves_the_rest_to_a_kernel(tmp_path):
    listed = in_a_terminal("modules", folder=tmp_path)
    assert "zig/counter" in listed.stdout, listed.stderr
    for verb in ("reload", "unload"):
        refused = in_a_terminal(verb, "counter", folder=tmp_path)
        assert refused.returncode == 2
        assert f"say %o {verb} in a notebook" in refused.stderr
