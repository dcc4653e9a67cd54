"""A memory in real kernels: kept through a kill, brought back by a restore, forgotten for good, corrected in a cell."""

import ast
import os
import signal
from pathlib import Path

DEFINED = """%%agent
(defmemory notes :embedding "hash" :block 128 :overlap 20)
(defagent keeper "You keep." :memory notes
  (do (remember message) (.join "; " (recall "door" 9))))"""


def value(kernel, expression):
    return ast.literal_eval(kernel.value(expression))


def files(folder):
    return b"".join(path.read_bytes() for path in Path(folder).rglob("memory-*"))


def test_a_memory_lives_through_a_kill_a_restore_and_forgetting(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    assert kernel.run(DEFINED).status == "ok"
    assert "the door is green" in kernel.run("%agent keeper the door is green").text
    kernel.run('%o save "with the green door"')
    kernel.run(
        "notes.remember('the door has a swordfish on it'); notes.correct('the door is green', 'the door is red')"
    )
    os.kill(int(kernel.value("__import__('os').getpid()")), signal.SIGKILL)
    kernel.close()

    kernel = start_kernel(tmp_path)
    kernel.run(DEFINED)
    assert sorted(value(kernel, "[block.text for block in notes]")) == [
        "the door has a swordfish on it",
        "the door is red",
    ]
    assert b"swordfish" in files(tmp_path)
    ran = kernel.run("%o forget swordfish")
    assert ran.status == "ok", ran.text
    assert b"swordf" not in files(tmp_path)
    assert "swordfish" not in kernel.value("[block.text for block in notes]")
    assert "the door is red" in kernel.value("[item.block.text for item in notes.recall('door')]")

    saved = value(
        kernel, "[state.id for state in get_ipython().run_line_magic('o', 'history') if 'green' in state.summary]"
    )
    ran = kernel.run(f"%o restore {saved[0]}")
    assert ran.status == "ok", ran.text
    assert value(kernel, "[block.text for block in notes]") == ["the door is green"]
