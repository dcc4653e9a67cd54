"""What a job has not, whoever started it and whatever it has seen."""

import pytest

from project_o.sandbox import Sandbox


@pytest.mark.parametrize("options", [{}, {"scratch_bytes": 1 << 20}], ids=["strict", "with a folder"])
def test_the_superusers_rights_are_given_up(options):
    """Some of what is allowed does more for who has them: madvise takes memory from the whole machine."""
    with Sandbox(deny=("namespaces",), **options) as box, box.python("def f(): return 1") as job:
        assert job.ask("f").value == 1
        with open(f"/proc/{job.pid}/status") as f:
            rows = dict(line.split(":", 1) for line in f)
    assert {int(rows[name], 16) for name in ("CapPrm", "CapEff", "CapInh")} == {0}


def test_the_next_questions_name_cannot_be_known():
    source = """
import sys
def seen():
    frame = sys._getframe()
    while "question" not in frame.f_locals: frame = frame.f_back
    return frame.f_locals["question"]["id"]
"""
    with Sandbox() as box, box.python(source) as job:
        first, second, third = (job.ask("seen").value for _ in range(3))
    distances = int(second, 16) - int(first, 16), int(third, 16) - int(second, 16)
    assert min(map(abs, distances)) > 1 << 32
    assert distances[0] != distances[1]
