"""Panels without a front end: what the buttons do, what is said, what is displayed."""

import subprocess
import sys
import threading

import pytest

from project_o import errors
from project_o.magics import panels as magics_panels
from project_o.values import Measurement, Program, Progress, Proposal, Record, State, ToolUse, Turn, Verdict
from project_o.view.figure import metrics_figure
from project_o.view.panels import Action, Frame, HistoryPanel, RunPanel, TurnPanel
from project_o.view.panels.frame import PANEL_MIME, WIDGET_MIME

LAB = {"metadata": {"cellId": "a", "deletedCells": [], "recordTiming": False, "trusted": True}}


def record(index, ratio, status, lanes):
    program = Program("kernels", "zig", (("cell.zig", f"const lanes = {lanes};\n"),))
    return Record(Proposal(index, program, (), "search", "sweep", "", (("lanes", lanes),)), status, "", 1.0, ratio)


RECORDS = (record(0, 1.0, "baseline", 1), record(1, 2.5, "better", 8), record(2, 0.5, "no better", 2))


def progress(**changes):
    fields = {"name": "kernels", "done": 3, "planned": 10, "elapsed_seconds": 1.0, "budget_seconds": None}
    return Progress(**{**fields, "best_ratio": 2.5, "records": RECORDS, **changes})


def shown(frame):
    """The text of everything the panel shows."""
    drawn = "".join(str(data) for output in frame._drawn.outputs for data in output["data"].values())
    return frame._head.value + frame._said.value + drawn


@pytest.fixture
def run_panel():
    calls = []

    def accept():
        calls.append("accept")
        raise errors.DeployError("the store <is> full")

    panel = RunPanel(
        "kernels",
        stop=lambda: calls.append("stop"),
        accept=accept,
        roll_back=lambda: calls.append("roll back") or "rolled back",
    )
    panel.update(progress())
    yield panel, calls
    panel.close()


def test_a_run_can_be_stopped_once_and_accepted_only_after_its_verdict(run_panel):
    panel, calls = run_panel
    accept, stop = panel.frame._buttons["Accept"], panel.frame._buttons["Stop"]

    assert accept.disabled
    panel.frame.press("Stop")
    assert (calls, stop.disabled) == (["stop"], True)
    panel.finish(progress(finished=True), Verdict(True, ("accepted",), "L2"), 1)
    assert not accept.disabled


def test_an_error_of_a_button_is_said_in_the_panel_and_escaped(run_panel):
    panel, _ = run_panel
    panel.finish(progress(finished=True), Verdict(True, ("accepted",), "L2"), 1)
    panel.frame.press("Accept")

    assert "✗ Accept: the store &lt;is&gt; full" in panel.frame._said.value
    assert 'role="alert"' in panel.frame._said.value


def test_what_was_accepted_serves_and_is_not_accepted_twice():
    panel = RunPanel("kernels", stop=lambda: None, accept=lambda: "accepted", roll_back=lambda: "rolled back")
    measured = Measurement("time", "s", 40, 2.0, 1.0, 2.0, 1.9, 2.1, 0.95, "pairs")
    verdict = Verdict(True, ("both lower bounds are above 1.02",), "L2", None, (measured,), measured)
    panel.finish(progress(finished=True), verdict, 1)
    panel.frame.press("Accept")

    assert panel.frame._buttons["Accept"].disabled
    assert "serves the winner" in panel.frame._head.value
    panel.frame.press("Roll back")
    assert not panel.frame._buttons["Accept"].disabled
    assert "Accept makes it serve" in panel.frame._head.value
    panel.close()


def test_a_run_that_was_stopped_before_anything_was_measured_offers_nothing_to_look_at(run_panel):
    panel, _ = run_panel
    panel.finish(Progress("kernels", 0, None, 1.0, 5.0, 1.0, stopped=True), Verdict(False, ("stopped",), "L2"), None)

    assert panel.frame._buttons["Diff"].disabled
    assert panel.frame._buttons["Metrics"].disabled
    assert "stopped: what was found is kept" in panel.frame._said.value


def test_a_fault_of_ours_is_said_too():
    frame = Frame((Action("Go", "go", lambda: 1 // 0),))
    frame.press("Go")

    assert "Go failed: ZeroDivisionError" in frame._said.value
    frame.close()


def test_a_rejected_run_says_why_it_cannot_be_accepted(run_panel):
    panel, _ = run_panel
    panel.finish(progress(finished=True), Verdict(False, ("the lower bound is 0.99",), "L2"), None)

    assert panel.frame._buttons["Accept"].disabled
    assert "the lower bound is 0.99" in panel.frame._buttons["Accept"].tooltip


def test_diff_and_metrics_open_and_close_while_the_run_goes_on(run_panel):
    panel, _ = run_panel
    panel.frame.press("Diff")
    assert "+const lanes = 8;" in shown(panel.frame)
    assert "leading so far" in shown(panel.frame)
    panel.frame.press("Metrics")
    assert "application/vnd.plotly.v1+json" in panel.frame._drawn.outputs[0]["data"]
    panel.frame.press("Metrics")
    assert panel.frame._drawn.outputs == ()


def test_metrics_without_plotly_are_the_static_picture(run_panel, monkeypatch):
    panel, _ = run_panel
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    panel.frame.press("Metrics")

    assert "<svg" in panel.frame._drawn.outputs[0]["data"]["text/html"]
    with pytest.raises(errors.UsageError, match=r"pip install 'project-o\[widgets\]'"):
        metrics_figure(RECORDS)


def test_the_figure_holds_every_trial_and_tells_them_apart_by_shape():
    figure = metrics_figure(RECORDS, best=1, name="a<b>")
    symbols = {trace.name: trace.marker.symbol for trace in figure.data if trace.mode == "markers"}

    assert symbols == {"baseline 1": "square", "no better 1": "circle-open", "best": "diamond"}
    assert len(str(figure.to_json())) < 20_000
    assert figure.layout.title.text == "a&lt;b&gt;"


def test_what_is_displayed_is_empty_for_all_who_do_not_know_it(run_panel):
    panel, _ = run_panel
    bundle = panel.frame.bundle()

    assert set(bundle) == {PANEL_MIME, "text/html", "text/plain"}
    assert bundle["text/html"] == bundle["text/plain"] == ""
    assert WIDGET_MIME in panel.frame.bundle(plain_widget=True)


def test_every_button_says_what_it_does(run_panel):
    panel, _ = run_panel

    assert all(one.description and one.tooltip for one in panel.frame._buttons.values())


def test_closing_a_panel_leaves_no_widget():
    from ipywidgets.widgets.widget import _instances

    before = set(_instances)
    panel = TurnPanel(Turn("helper", "hi", "ho", (ToolUse("search", (), "x"),)), lambda way, why: None)
    assert set(_instances) - before
    panel.close()

    assert set(_instances) - before == set()


def test_a_turn_takes_a_thumb_with_a_reason_when_it_is_finished():
    noted = []
    running = Turn("helper", "hi", "", (), ("idle", "thinking"), finished=False)
    panel = TurnPanel(running, lambda way, why: noted.append((way, why)), reply=True)
    assert panel.frame._buttons["Good"].disabled
    panel.update(Turn("helper", "hi", "<b onclick=x>ho</b>\n\nha", (ToolUse("search", (("q", 1),), "<i>"),)))
    panel._why.value = " it helped "
    panel.frame.press("Good")

    assert noted == [("up", "it helped")]
    assert "&lt;b onclick=x&gt;ho&lt;/b&gt;" in panel.frame._head.value
    assert "&lt;i&gt;" in panel._uses.children[0].value
    assert panel._uses.selected_index is None, "folded"
    panel.close()


def test_a_restore_asks_first():
    done = []
    states = [State("a" * 40, 1, "main", "cell", "x = <1>", 0.0), State("b" * 40, 0, "main", "cell", "y", 0.0)]
    panel = HistoryPanel(states, show=lambda state: f"show {state}", diff=lambda state: "", restore=done.append)
    panel.choose("b" * 40)
    panel.frame.press("Restore")
    assert done == []
    panel.frame._no.click()
    panel.frame.press("Restore")
    panel.frame._yes.click()

    assert done == ["b" * 40]
    panel.close()


def test_threads_may_report_and_press_at_once(run_panel):
    panel, _ = run_panel
    threads = [threading.Thread(target=panel.update, args=(progress(done=k),)) for k in range(8)]
    for thread in threads:
        thread.start()
    panel.frame.press("Diff")
    for thread in threads:
        thread.join()

    assert "+const lanes = 8;" in shown(panel.frame)


# ------------------------------------------------------------------------------- who is shown panels


class Session:
    def __init__(self, setting, parent):
        self._setting, self.shell = setting, type("Shell", (), {"get_parent": lambda self: parent})()

    def setting(self, name):
        return self._setting


@pytest.mark.parametrize(
    ("setting", "parent", "expected"),
    [
        ("auto", LAB, True),
        ("auto", {"metadata": {}}, False),
        ("auto", {"metadata": {"cellId": "vscode"}}, False),
        ("auto", {}, False),
        ("auto", None, False),
        ("off", LAB, False),
        ("on", {"metadata": {}}, True),
    ],
)
def test_panels_are_for_front_ends_that_say_they_are_notebooks_of_a_lab(setting, parent, expected):
    assert magics_panels.wanted(Session(setting, parent)) is expected


def test_a_plain_shell_is_shown_none():
    session = Session("auto", None)
    session.shell = object()

    assert magics_panels.wanted(session) is False


@pytest.mark.parametrize("missing", ["ipywidgets", "plotly"])
def test_asking_for_panels_without_the_libraries_says_what_to_install(monkeypatch, missing):
    monkeypatch.setattr(magics_panels, "_missing", lambda *names: [name for name in names if name == missing])

    with pytest.raises(errors.UsageError, match=rf"{missing} cannot be found.*pip install 'project-o\[widgets\]'"):
        magics_panels.wanted(Session("on", LAB))
    assert magics_panels.wanted(Session("auto", LAB)) is (missing != "ipywidgets")


def test_importing_the_panels_loads_no_widgets():
    code = "import sys, project_o.view.panels, project_o.magics.panels; print('ipywidgets' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )
