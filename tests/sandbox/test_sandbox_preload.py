"""Modules that a box loads with the user's rights before any job begins."""

import os
import sys

import pytest

from project_o import Sandbox
from project_o.errors import SandboxError
from project_o.sandbox import helper

USES_HY = "import hy.models\ndef told():\n    return int(hy.models.Integer(3))"


def ask(box, source, name, *args):
    with box.python(source) as job:
        assert job.loaded.ok, job.loaded.error
        return job.ask(name, args)


def test_a_module_that_is_not_preloaded_cannot_be_imported():
    with Sandbox() as box, box.python("import hy") as job:
        assert "ModuleNotFoundError" in job.loaded.error
        assert job.loaded.denied


def test_a_preloaded_module_can_be():
    with Sandbox(preload=("hy.models",)) as box:
        assert box.preload == ("hy.models",)
        answer = ask(box, USES_HY, "told")

    assert (answer.value, answer.error) == (3, "")


def test_a_module_of_the_users_own_folder_is_found(tmp_path, monkeypatch):
    (tmp_path / "own_words.py").write_text("def greet():\n    return 'hello'\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    with Sandbox(preload="own_words") as box:
        answer = ask(box, "import own_words\ndef f(): return own_words.greet()", "f")

    assert answer.value == "hello"


def test_a_module_that_does_not_load_is_named_with_its_reason(tmp_path, monkeypatch):
    (tmp_path / "broken_words.py").write_text("raise RuntimeError('not today')\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with (
        Sandbox(preload=("broken_words", "no_such_module_at_all")) as box,
        pytest.raises(SandboxError, match=r"broken_words .RuntimeError: not today.*no_such_module_at_all"),
    ):
        box.python("pass")


def test_boxes_with_the_same_modules_share_one_process_that_ends_with_the_last():
    with Sandbox(preload=("graphlib", "sched")) as first:
        first.python("pass").close()
        pid = helper._helpers[helper.Kind(("graphlib", "sched"))].pid
        with Sandbox(preload=("sched", "graphlib")) as second, Sandbox() as plain:
            second.python("pass").close()
            plain.python("pass").close()
            assert helper._helpers[helper.Kind(("graphlib", "sched"))].pid == pid
            assert all(one.pid != pid for kind, one in helper._helpers.items() if not kind.modules)
        first.python("pass").close()
        assert os.getsid(pid) == pid  # a session of its own: an interrupt of the notebook does not reach it

    assert helper.Kind(("graphlib", "sched")) not in helper._helpers
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_preloading_opens_no_door():
    with Sandbox(preload=("sched",)) as box:
        answer = ask(box, "def f(): return open('/etc/passwd').read()", "f")

    assert answer.denied
