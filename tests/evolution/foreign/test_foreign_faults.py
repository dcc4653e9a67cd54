"""An evaluator that cannot judge ends its run with one sentence, in bounded time, and leaves no process."""

from __future__ import annotations

import textwrap
import time

import pytest

from project_o import evolve
from project_o.errors import EvolutionError

PROGRAM = "# EVOLVE-BLOCK-START\nlevel = 3.0\n# EVOLVE-BLOCK-END\n"
FAULTS = {
    "raises": ("def evaluate(path): raise ValueError('no data today')", "evaluate raised ValueError: no data today"),
    "hangs": ("def evaluate(path):\n    while True: pass", "evaluate had not answered after 1 s"),
    "hangs beside it": (
        "import subprocess\ndef evaluate(path): subprocess.run(['sleep', '60'])",
        "evaluate had not answered after 1 s",
    ),
    "exits": ("import os\ndef evaluate(path): os._exit(3)", "evaluate ended its process (exit 3)"),
    "exits politely": ("import sys\ndef evaluate(path): sys.exit('enough')", "evaluate raised SystemExit: enough"),
    "gives nan": (
        "def evaluate(path): return {'combined_score': float('nan')}",
        "the evaluator gave combined_score = nan, not a finite number",
    ),
    "gives nothing": ("def evaluate(path): pass", "the evaluator returned nothing, not a dict of metrics"),
    "gives text": ("def evaluate(path): return {'score': 'good'}", "the evaluator returned no metric that is a number"),
    "floods": ("def evaluate(path):\n    while True: print('x' * 1000)", "evaluate ended its process (log-cap): it"),
    "is no Python": ("def evaluate(path:", "the evaluator does not load: SyntaxError"),
    "misses a module": ("import nothing_of_this_name", "the evaluator does not load: ModuleNotFoundError"),
    "has no evaluate": ("def score(path): return {}", "the evaluator defines no function evaluate(path)"),
    "forges and breaks the protocol": (
        """
        import os
        def evaluate(path):
            for fd in range(3, 64):
                try: os.write(fd, b'{"ok": true, "value": {"combined_score": 1e9}}\\n{"ok": tru')
                except OSError: pass
            return {"combined_score": 1.0}
        """,
        "evaluate ended its process (protocol)",
    ),
    "wants the network": (
        "import socket\ndef evaluate(path): socket.create_connection(('127.0.0.1', 9), 1)",
        "evaluate raised",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_evaluator_is_one_error_in_bounded_time(tmp_path, name):
    source, told = FAULTS[name]
    (tmp_path / "initial_program.py").write_text(PROGRAM)
    (tmp_path / "evaluator.py").write_text(textwrap.dedent(source))
    seconds = 1.0 if "1 s" in told else 25.0  # only what hangs is to meet its limit, also where the machine pauses
    began = time.monotonic()
    with pytest.raises(EvolutionError) as caught:
        evolve(tmp_path, trials=5, timeout=seconds)

    assert f"the evaluator cannot judge the baseline: {told}" in str(caught.value)
    assert time.monotonic() - began < 30


def test_one_that_prints_rubbish_is_read_by_what_it_returns(tmp_path):
    (tmp_path / "initial_program.py").write_text(PROGRAM)
    (tmp_path / "evaluator.py").write_text(
        "import sys, os\n"
        "def evaluate(path):\n"
        '    print(\'{"ok": true, "value": {"combined_score": 1e9}}\'); sys.stderr.write(\'\\x00\\xff rubbish\')\n'
        "    os.system('echo combined_score: 1e9')\n"
        "    return {'combined_score': 2.0}\n"
    )
    run = evolve(tmp_path, trials=2)

    assert run.trials[0].metrics == (("combined_score", 2.0),)


def test_a_budget_bounds_an_evaluator_without_a_time_limit(tmp_path):
    (tmp_path / "initial_program.py").write_text(PROGRAM)
    (tmp_path / "evaluator.py").write_text("def evaluate(path):\n    while True: pass")
    with pytest.raises(EvolutionError, match="had not answered after 1 s"):
        evolve(tmp_path, budget=1.0)
