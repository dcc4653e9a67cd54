"""What agents propose, run and log, in a real kernel: fix, proposals, approvals, workflows after a kill, the log."""

import json
import time

import pytest

MENDER = """%%agent
(defagent mender "You mend." :tools [propose-edit]
  (use "propose-edit" :target (get-arg "cell") :text (.replace (get-arg "source") "/ 0" "/ 2") :why "no zero"))
(deftool write-file [#^ str path] "Write." :unsafe True (with [f (open path "w")] (.write f "x")) "written")
(defagent writer "You write." :tools [write-file] (use "write-file" :path message))
(deftool sleepy [] "Sleep." :timeout 60 (import time) (time.sleep 60))
(deftool lazy [] "Sleep." (import time) (time.sleep 60))
(defagent sleeper "You sleep." :tools [sleepy lazy] (use message))
(deftool shout [] "Shout." (print "<script>alert(2)</script>") "<img src=x onerror=alert(3)>")
(defagent shouter "You shout." :tools [shout] (use "shout"))
(defagent page "You show." (+ "<script>alert(1)</script><b>" message "</b>"))"""


@pytest.fixture(scope="module")
def ready(kernel):
    assert kernel.run(MENDER).status == "ok"
    return kernel


def test_fix_takes_up_the_last_error_and_a_person_decides(ready):
    assert ready.run("%agent fix mender").status == "error"
    ready.run("answer = 84 / 0")
    ran = ready.run("%agent mender fix")
    assert ran.status == "ok", ran.text
    assert "-answer = 84 / 0" in ran.text
    assert "answer" not in ready.value("dir()")
    listed = ready.run("%agent proposals").text
    assert "p1" in listed
    assert "open" in listed
    accepted = ready.run("%agent accept p1")
    assert accepted.status == "ok", accepted.text
    assert "+answer = 84 / 2" in accepted.text
    assert "undone" in ready.run("%agent undo").text
    assert ready.run("%agent accept p1").error.startswith("AgentError: proposal p1 is undone already")
    ready.run("answer = 84 / 0")
    ready.run("%agent mender fix")
    assert "rejected" in ready.run("%agent reject p2").text


def test_an_unsafe_tool_waits_for_approval(ready, tmp_path):
    path = tmp_path / "out.txt"
    refused = ready.run(f"%agent writer {path}")
    assert "%agent approve write-file" in refused.error
    assert not path.exists()
    assert ready.run("%agent approve write-file").status == "ok"
    assert ready.run(f"%agent writer {path}").status == "ok"
    assert path.read_text() == "x"


@pytest.mark.parametrize("tool", ["sleepy", "lazy"])
def test_a_turn_is_cancelled_within_a_second(ready, tool):
    """The time from the interrupt until the cell has ended; a loaded machine may need more than one try."""
    took = []
    for _ in range(8):
        ran, sent = ready.interrupted(f"%agent sleeper {tool}", 1.0)
        took.append(time.monotonic() - sent)
        assert ran.error.startswith("KeyboardInterrupt")
        if took[-1] < 1.0:
            break
    assert min(took) < 1.0, took
    assert ready.value("sleeper.state, sleeper.turns[-1].error") == "('idle', 'interrupted')"


def test_what_a_reply_says_in_html_is_text(ready):
    ran = ready.run("%agent page hi")
    shown = [content["data"] for kind, content in ran.outputs if "data" in content]
    assert ran.status == "ok"
    assert "text/html" not in shown[-1]
    assert "<script" not in shown[-1].get("text/markdown", "")


def test_what_a_tool_prints_in_html_is_text(ready):
    ran = ready.run("%agent shouter go")
    assert ran.status == "ok"
    streams = [content["text"] for kind, content in ran.outputs if kind == "stream"]
    assert "<script>alert(2)</script>" in "".join(streams)
    for _, content in ran.outputs:
        assert "text/html" not in content.get("data", {})
        assert "<img" not in content.get("data", {}).get("text/markdown", "")


def test_every_turn_is_a_line_with_the_id_of_its_state(start_kernel, tmp_path):
    kernel = start_kernel(tmp_path)
    kernel.run(MENDER)
    kernel.run("%agent page one")
    kernel.run("%agent sleeper nothing")
    lines = (tmp_path / ".o" / "store.git" / "turns.jsonl").read_text().splitlines()
    first, second = map(json.loads, lines)
    assert (first["event"], first["agent"], first["error"]) == ("turn", "page", "")
    assert second["error"].startswith("AgentError: sleeper has no tool nothing")
    assert second["tools"] == []
    assert kernel.run(f"%o show {first['state'][:12]}").status == "ok"
    assert {"tokens_in", "dollars", "seconds", "states"} <= set(first)


WORKFLOW = """%%agent
(import os pathlib)
(defn did [word] (with [f (open "did.txt" "a")] (.write f (+ word " "))) word)
(defworkflow long [#^ str name] "Three steps."
  (step first (did "first"))
  (step second (do (did "second") (when (pathlib.Path.exists (pathlib.Path "die")) (os.kill (os.getpid) 9)) "two"))
  (step third (did "third"))
  (+ name ":" first second third))"""


def test_a_workflow_goes_on_after_the_kernel_was_killed(start_kernel, tmp_path):
    (tmp_path / "die").touch()
    kernel = start_kernel(tmp_path)
    assert kernel.run(WORKFLOW).status == "ok"
    kernel.client.execute("long('w')")
    until = time.monotonic() + 60
    while kernel.manager.is_alive() and time.monotonic() < until:
        time.sleep(0.05)
    assert not kernel.manager.is_alive()
    kernel.close()
    assert (tmp_path / "did.txt").read_text() == "first second "
    (tmp_path / "die").unlink()

    again = start_kernel(tmp_path)
    again.run(WORKFLOW)
    assert "cut off" in again.run("%agent runs long").text
    ran = again.run("%agent resume long")
    assert ran.status == "ok", ran.text
    assert "w:firsttwothird" in ran.text
    assert (tmp_path / "did.txt").read_text() == "first second second third "
    assert again.run("%agent resume long").error.startswith("AgentError: no run of long is there to be resumed")
