"""Tools that are killed, tools in the sandbox, the built-in ones, and proposals that a person decides."""

import http.server
import threading
import time

import pytest

from project_o import limits
from project_o.agent import Agent, tool
from project_o.agent.python import shown
from project_o.errors import AgentError, LispError, UsageError


def test_a_tool_that_takes_too_long_is_killed_even_in_c(house, lisp):
    agent = lisp(
        '(deftool spin [#^ int n] "Spin." :timeout 0.5 (sum (range (** 10 n))))\n'
        '(deftool sleep-long [] "Sleep." :timeout 0.5 (import time) (time.sleep 60))\n'
        '(defagent a "x" :tools [spin sleep-long] (use message))'
    )
    began = time.monotonic()
    with pytest.raises(AgentError, match=r"the tool spin took longer than its 0\.5 s and was killed"):
        Agent("b", tools=["spin"], body=lambda turn: turn.use("spin", n=12))("go")
    with pytest.raises(AgentError, match="sleep-long took longer"):
        agent("sleep-long")
    assert time.monotonic() - began < 20
    assert agent.state == "idle"
    assert "was killed" in agent.turns[-1].uses[0].error


def test_a_tool_in_a_copy_sees_the_notebook_and_changes_nothing(house):
    seen = {"k": [1]}

    @tool(timeout=20)
    def count(by: int = 1):
        """Count."""
        seen["k"].append(by)
        return {"sum": sum(seen["k"])}

    agent = Agent("a", tools=[count], body=lambda turn: turn.use("count", by=4)["sum"])
    assert agent("go") == "5"
    assert seen == {"k": [1]}


def test_a_tool_in_a_copy_that_raises_or_dies_is_told(house, lisp):
    lisp(
        '(deftool bad [] "Bad." :timeout 20\n  (/ 1 0))\n'
        '(deftool dead [] "Dead." :timeout 20 (import os) (os.abort))'
    )  # fmt: skip
    with pytest.raises(AgentError, match=r"the tool bad failed, line 3: .*ZeroDivisionError: division by zero"):
        Agent("a", tools=["bad"], body=lambda turn: turn.use("bad"))("go")
    with pytest.raises(AgentError, match="the tool dead died"):
        Agent("a", tools=["dead"], body=lambda turn: turn.use("dead"))("go")


UNSAFE = """(setv word "kept")
(deftool careful [#^ str path] "Write." :unsafe True :effects [files]
  (with [file (open path "w")] (.write file word)) (+ "wrote " word))
(deftool harmless [#^ int n] "Double." :unsafe True {"twice" (* 2 n) "word" word})
(defagent a "x" :tools [careful harmless] (if (in "/" message) (use "careful" :path message) (use "harmless" :n 4)))"""


def test_an_unsafe_tool_runs_in_the_sandbox_until_it_is_approved_as_it_is(house, lisp, tmp_path):
    agent, path = lisp(UNSAFE), tmp_path / "out.txt"
    assert agent("double").value == {"twice": 8, "word": "kept"}
    with pytest.raises(AgentError, match=r"careful failed in the sandbox .*%agent approve careful"):
        agent(str(path))
    assert not path.exists()
    house.execution.approve(house.tool("careful"))
    assert agent(str(path)) == "wrote kept"
    assert path.read_text() == "kept"
    lisp(UNSAFE.replace('"wrote "', '"has written "'))
    with pytest.raises(AgentError, match="failed in the sandbox"):
        agent(str(path))


def test_an_unsafe_tool_that_cannot_be_sent_is_refused(house):
    lock = threading.Lock()

    @tool(unsafe=True)
    def hold():
        """Hold."""
        return lock.locked()

    with pytest.raises(AgentError, match=r"hold is unsafe and cannot go into the sandbox: .*%agent approve hold"):
        Agent("a", tools=[hold], body=lambda turn: turn.use("hold"))("go")


def test_a_tool_of_one_agent_has_the_same_options(house):
    agent = Agent("a", body=lambda turn: str(turn.use("wait")))

    @agent.tool(timeout=0.3, effects=["network"])
    def wait():
        """Wait."""
        time.sleep(30)

    assert (agent.tools["wait"].timeout_seconds, agent.tools["wait"].effects) == (0.3, ("network",))
    with pytest.raises(AgentError, match="was killed"):
        agent("go")


def test_any_definition_is_shown_in_both_languages(house, lisp):
    lisp(
        '(deftool t [#^ int n] "T." :timeout 2 (* 2 n))\n'
        '(defparam k 1 :domain [1 2])\n(defagent a "x" :tools [t] (str k))'
    )
    assert shown(house, "t") == ('(deftool t [#^ int n] "T." :timeout 2 (* 2 n))', "lisp")
    text, language = shown(house, "t", python=True)
    assert language == "python"
    assert "@tool(timeout=2)\ndef t(n: int):" in text
    assert "k = param('k', 1, domain=[1, 2])" in shown(house, "a", python=True)[0]
    with pytest.raises(AgentError, match="no agent is called none"):
        shown(house, "none")


# ------------------------------------------------------------------------------- built-in tools


@pytest.fixture
def use(house, tmp_path, monkeypatch):
    """Calls one built-in tool in a turn."""
    monkeypatch.chdir(tmp_path)
    agent = Agent("helper", tools=[
        "run-python", "variable", "list-files", "read-file", "search-memory", "fetch", "propose-edit"
    ], memory=True)  # fmt: skip

    def use(name, /, **arguments):
        agent.body(lambda turn: [turn.use(name, **arguments)])
        return agent("go").value[0]

    use.agent = agent
    return use


def test_python_runs_in_the_sandbox(house, use):
    house.namespace["secret"] = 1
    assert use("run-python", code="a = 20\nprint('so')\na * 2 + 2") == "so\n42"
    assert use("run-python", code="x = 1") == "it printed nothing"
    with pytest.raises(AgentError, match="NameError: name 'secret'"):
        use("run-python", code="secret")
    with pytest.raises(AgentError, match="line 1 is no Python"):
        use("run-python", code="1 +")
    with pytest.raises(AgentError, match="failed in the sandbox"):
        use("run-python", code="open('/etc/passwd').read()")


def test_a_variable_is_summed_up_and_a_secret_is_not_told(house, use):
    house.namespace |= {"rows": list(range(5000)), "api_key": "plain1secret2value"}
    told = use("variable", name="rows")
    assert told.startswith("list, length 5000\n[0, 1, 2")
    assert len(told) < 1_200
    for name, problem in (("api_key", "looks like a secret"), ("nothing", "no variable nothing")):
        with pytest.raises(AgentError, match=problem):
            use("variable", name=name)


def test_only_files_of_the_project_are_seen(house, use, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "plan.md").write_text("one\ntwo\nthree\n")
    (tmp_path / ".env").write_text("KEY=1")
    (tmp_path / "link").symlink_to("/etc")
    assert use("list-files") == "notes/plan.md"
    assert use("read-file", path="notes/plan.md", first_line=2, lines=1) == "two\n"
    for path in ("../x", "/etc/passwd", ".env", "link/passwd", "notes/../../x", "MY_KEY"):
        with pytest.raises(AgentError, match=r"outside of the project|is hidden, or named like a secret"):
            use("read-file", path=path)


def test_memory_is_searched(house, use):
    use.agent.memory.remember("the meeting is on Monday")
    assert "Monday" in use("search-memory", query="meeting")


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        moved = self.path == "/moved"
        self.send_response(302 if moved else 200)
        self.send_header("Content-Type", "image/png" if self.path == "/image" else "text/html; charset=utf-8")
        if moved:
            self.send_header("Location", "/page")
        self.end_headers()
        while self.path == "/trickle":  # never silent for long, and never at an end
            try:
                self.wfile.write(b"more ")
            except OSError:
                return
            time.sleep(0.02)
        self.wfile.write(b"<html><script>bad()</script><p>Hello <b>there</b></p></html>")

    def log_message(self, *args):
        pass


def test_only_allowed_hosts_are_fetched(house, use, monkeypatch):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with pytest.raises(AgentError, match=r"127\.0\.0\.1 is not among the hosts that agents may ask"):
        use("fetch", url=url)
    house.settings["agent_hosts"] = f"example.org, 127.0.0.1:{server.server_port}"
    assert use("fetch", url=url + "/page") == "Hello\nthere"
    for address, problem in (
        ("/moved", "302"),
        ("/image", "only text is fetched"),
    ):
        with pytest.raises(AgentError, match=problem):
            use("fetch", url=url + address)
    with pytest.raises(AgentError, match="is no address"):
        use("fetch", url="file:///etc/passwd")
    monkeypatch.setattr(limits, "FETCH_SECONDS", 0.5)
    with pytest.raises(AgentError, match="it sends for longer than"):
        use("fetch", url=url + "/trickle")
    server.shutdown()
    server.server_close()


# ------------------------------------------------------------------------------- proposals

BEFORE = "".join(f"line {k}\n" for k in range(20))
AFTER = BEFORE.replace("line 3\n", "LINE 3\n").replace("line 15\n", "line 15\nline 15.5\n")


def test_a_file_is_written_when_a_person_accepts_and_can_be_undone(house, use, tmp_path):
    path = tmp_path / "plan.txt"
    path.write_text(BEFORE)
    told = use("propose-edit", target="plan.txt", text=AFTER, why="louder")
    assert "proposed as p1" in told
    assert "@@ hunk 2, line 17 @@" in told
    assert path.read_text() == BEFORE
    accepted = house.proposals.accept("p1", [1])
    assert (accepted.status, path.read_text()) == ("accepted", BEFORE.replace("line 3\n", "LINE 3\n"))
    assert "hunk 1" in accepted.diff()
    assert "hunk 2" not in accepted.diff()  # it shows what was written
    with pytest.raises(AgentError, match="p1 is accepted already"):
        house.proposals.accept("p1")
    house.proposals.undo()
    assert path.read_text() == BEFORE
    use("propose-edit", target="plan.txt", text=AFTER)
    house.proposals.accept("p2")
    assert path.read_text() == AFTER
    path.write_text("mine")
    with pytest.raises(AgentError, match="has changed since p2 was accepted"):
        house.proposals.undo()


def test_a_rejected_or_outdated_proposal_writes_nothing(house, use, tmp_path):
    path = tmp_path / "plan.txt"
    path.write_text(BEFORE)
    use("propose-edit", target="plan.txt", text=AFTER)
    use("propose-edit", target="plan.txt", text="short\n")
    house.proposals.reject("p1")
    path.write_text("edited by hand\n")
    with pytest.raises(AgentError, match="has changed since p2 was proposed"):
        house.proposals.accept("p2")
    assert path.read_text() == "edited by hand\n"
    with pytest.raises(UsageError, match="there is no proposal p9: there are"):
        house.proposals.reject("p9")
    with pytest.raises(UsageError, match="none of them"):
        house.proposals.get("p2").with_hunks([7])


def test_what_is_refused_as_a_target(house, use, tmp_path):
    (tmp_path / "book.ipynb").write_text("{}")
    with pytest.raises(AgentError, match="notebooks are not written"):
        use("propose-edit", target="book.ipynb", text='{"a": 1}')
    (tmp_path / "plan.txt").write_text("a plan")
    use("propose-edit", target="plan.txt", text="another")
    for target in ("../x.py", ".git/config", "In[99]"):
        with pytest.raises(AgentError):
            use("propose-edit", target=target, text="x")
    house.settings["evolution"] = False
    with pytest.raises(AgentError, match="nothing may change itself here"):
        house.proposals.accept("p1")


def test_a_cell_is_put_below_and_a_lisp_definition_is_evaluated(house, lisp, use):
    put = []
    house.proposals.put_cell = put.append
    house.namespace["In"] = ["", "x = 1 / 0"]
    use("propose-edit", target="In[1]", text="x = 1")
    house.proposals.accept("p1")
    house.proposals.undo()
    assert put == ["x = 1", "x = 1 / 0"]

    lisp('(deftool scale [#^ int n] "Scale." ; by three\n  (* 3 n))')
    use("propose-edit", target="scale", text='(deftool scale [#^ int n] "Scale." (* 4 n))')
    assert house.namespace["scale"](2) == 6
    house.proposals.accept("p2")
    assert house.namespace["scale"](2) == 8
    house.proposals.undo()
    assert house.namespace["scale"](2) == 6
    use("propose-edit", target="scale", text="(deftool other [] 1)")
    with pytest.raises(AgentError, match="does not begin with its definition"):
        house.proposals.accept("p3")
    use("propose-edit", target="scale", text="(deftool scale [] (")
    with pytest.raises(LispError, match="is not closed"):
        house.proposals.accept("p4")
    assert house.proposals.get("p4").status == "open"


def test_a_python_function_is_put_below_and_never_becomes_a_file(house, use, tmp_path):
    put = []
    house.proposals.put_cell = put.append
    house.namespace |= {"twice": twice, "rows": [1, 2]}
    use("propose-edit", target="twice", text="def twice(x):\n    return 2 * x\n")
    assert "-    return x + x" in house.proposals.get("p1").diff()
    house.proposals.accept("p1")
    house.proposals.undo()

    assert put == ["def twice(x):\n    return 2 * x\n", "def twice(x):\n    return x + x\n"]
    assert not (tmp_path / "twice").exists()
    with pytest.raises(AgentError, match="rows is of type list, and has no text"):
        use("propose-edit", target="rows", text="[3]")


def twice(x):
    return x + x


GREETER = '(defagent greeter "You greet." (+ "Hello, " (.title message)))'


@pytest.mark.parametrize(
    ("text", "stage", "why"),
    [
        (GREETER.replace(".title", ".no-such-method"), "tests", "no_such_method"),
        (GREETER.replace("(.title message)", "(str (/ 1 0))"), "tests", "ZeroDivisionError"),
        (GREETER.replace('"You greet."', '"You greet." (while True)'), "tests", "ann"),
    ],
)
def test_a_proposed_agent_that_fails_in_the_sandbox_is_refused_and_nothing_changes(
    house, lisp, use, text, stage, why, monkeypatch
):
    if "while" in text:  # what never ends is asked until then
        monkeypatch.setattr(limits, "TRIAL_WALL_SECONDS", 3.0)
    greeter = lisp(GREETER)
    assert greeter("ann") == "Hello, Ann"
    digest = greeter.digest
    use("propose-edit", target="greeter", text=text)
    with pytest.raises(AgentError, match=rf"(?s)p1 was tried and refused.*check {stage}.*{why}"):
        house.proposals.accept("p1")
    assert house.proposals.get("p1").status == "open"
    assert greeter.digest == digest
    assert greeter("ann") == "Hello, Ann"


def test_what_a_tool_may_use_a_proposed_body_may_not(house, lisp, use, tmp_path):
    lisp('(deftool listed [] :unsafe True (do (import os) (.join " " (os.listdir))))')
    text = '(defagent lister "You list." :tools [listed] {} "ok")'
    lister = lisp(text.format(""))
    assert lister("go") == "ok"
    use("propose-edit", target="lister", text=text.format(f'(import os) (os.system "touch {tmp_path}/evil")'))
    with pytest.raises(AgentError, match="check security: line 1: import os"):
        house.proposals.accept("p1")
    assert not (tmp_path / "evil").exists()


def test_a_proposed_agent_that_answers_in_the_sandbox_is_taken_with_its_verdict(house, lisp, use):
    greeter = lisp(GREETER)
    greeter("ann")
    use("propose-edit", target="greeter", text=GREETER.replace("Hello", "Good day"))
    accepted = house.proposals.accept("p1")
    assert accepted.verdict.accepted
    assert accepted.verdict.reasons[0] == "it answered 1 of 1 messages in the sandbox"
    assert [finding.stage for finding in accepted.verdict.trial.findings][:2] == ["syntax", "security"]
    assert greeter("ann") == "Good day, Ann"
    house.proposals.undo()
    assert greeter("ann") == "Hello, Ann"


def test_what_a_proposed_definition_does_as_it_is_evaluated_it_does_in_the_sandbox_first(house, lisp, use, tmp_path):
    lisp(GREETER)
    place = tmp_path / "written"
    harm = f'(with [file (open "{place}" "w")] (.write file "x"))'
    use("propose-edit", target="greeter", text=f"{GREETER}\n{harm}")
    with pytest.raises(AgentError, match="p1 was tried and refused"):
        house.proposals.accept("p1")
    assert not place.exists()
    lisp('(defworkflow flow [x] "F." (step a (* 2 x)) a)')
    use("propose-edit", target="flow", text='(defworkflow flow [x] "F." (step a (* 3 x)) a)')
    house.proposals.accept("p2")
    assert house.namespace["flow"](2) == 6


def test_the_gate_is_outside_of_what_an_agent_may_propose(house, use, monkeypatch):
    from project_o.evolution.gate import PACKAGE

    monkeypatch.chdir(PACKAGE.parent)
    before = (PACKAGE / "evolution" / "decide.py").read_text()
    for target in ("project_o/evolution/decide.py", "project_o/limits.py", "project_o/sandbox/new.py"):
        with pytest.raises(AgentError, match="is part of what judges every version"):
            use("propose-edit", target=target, text="x = 1\n")
    assert (PACKAGE / "evolution" / "decide.py").read_text() == before
