"""What is recorded in a real kernel equals what nbclient and papermill store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_core.utils import run_sync
from nbclient import NotebookClient

from project_o.history import CellRun, open_history
from project_o.history.capture import attach
from project_o.history.outputs import Reducer

LOAD = """\
import project_o.history as _room
_history = _room.open_history({folder!r}, session="test")
_detach = _room.attach(get_ipython(), _history)
print("attached")"""

FIGURE = """\
import os
from IPython.display import Image
HEADER = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")
Image(HEADER + os.urandom(100_000), format="png")"""
PLOT = """\
class Plot:
    def _repr_mimebundle_(self, **kw):
        return {"text/plain": "p", "text/html": "<i>p</i>"}, {"text/html": {"isolated": True}}
Plot()"""
CHILD = """\
import multiprocessing
p = multiprocessing.get_context("fork").Process(target=lambda: print("from a child", flush=True))
p.start(); p.join(); time.sleep(1)"""
WIDGET = """\
from comm import create_comm
def widget(**state):
    return create_comm(
        target_name="jupyter.widget", data={"state": state, "buffer_paths": []}, metadata={"version": "2.1.0"}
    )
def view(made):
    shown = {"version_major": 2, "version_minor": 0, "model_id": made.comm_id}
    display({"application/vnd.jupyter.widget-view+json": shown, "text/plain": "a widget"}, raw=True)
slider = widget(_model_module="@jupyter-widgets/controls", _model_name="IntSliderModel", value=3)
view(slider)
slider.send({"method": "update", "state": {"value": 7}, "buffer_paths": []})"""
OUTPUT_WIDGET = """\
out = widget(_model_module="@jupyter-widgets/output", _model_name="OutputModel", msg_id="", outputs=[])
view(out)
def to(msg_id):
    out.send({"method": "update", "state": {"msg_id": msg_id}, "buffer_paths": []})
print("before")
to(get_ipython().kernel.get_parent()["header"]["msg_id"])
print("inside the widget")
to("")
print("behind")"""
CORPUS = [
    "print('one'); print('two')",
    "import sys; print('out'); print('err', file=sys.stderr); print('out again')",
    "1 + 1",
    "None",
    "x = 5\nx",
    "from IPython.display import display, clear_output, HTML, Image, JSON, update_display\ndisplay({'a': 1})",
    "display(HTML('<b>bold</b>')); 'result'",
    "for i in range(3):\n    print(i)\n    clear_output()\nprint('after clear')",
    "for i in range(3):\n    clear_output(wait=True)\n    print('kept', i)",
    "print('goes'); clear_output(wait=True)",
    "handle = display('first', display_id=True)\nhandle.update('second')",
    "shared = display('from an earlier cell', display_id='shared')",
    "update_display('changed by a later cell', display_id='shared'); print('updated')",
    "display('twice', display_id='two'); display('twice', display_id='two'); update_display('both', display_id='two')",
    "display('cleared', display_id='gone'); clear_output(); update_display('unseen', display_id='gone'); print('x')",
    "1 / 0",
    "def broken(:\n    pass",
    "%no_such_magic",
    "%%timeit -n1 -r1 -q\npass",
    "import threading\nt = threading.Thread(target=lambda: print('from a thread')); t.start(); t.join()",
    "import asyncio\nasync def f():\n    await asyncio.sleep(0.01)\n    print('async')\n    return 7\nawait f()",
    "for i in range(4):\n    print(f'\\r{i * 25} %', end='')\nprint()",
    "import time\nfor i in range(5):\n    print(i, flush=True)\n    time.sleep(0.02)",
    "!echo from a shell",
    "import os; os.write(1, b'by descriptor\\n'); time.sleep(1)",
    FIGURE,
    "display(JSON({'deep': [1, 2, {'x': None}]}))",
    "print('umlaut \\u00e4, lone surrogate', ascii('\\udc80'), chr(0x1F600))",
    PLOT,
    "import warnings; warnings.warn('careful')",
    "raise SystemExit('no')",
    "print('a' * 200_000)",
    CHILD,
    WIDGET,
    OUTPUT_WIDGET,
    "from IPython.core.error import UsageError\nraise UsageError('bad line')",
    "print('trailing'); display('middle'); print('end')",
    "get_ipython().run_cell('print(\"nested\"); 3')",
    "raise KeyboardInterrupt",
]


def merged(outputs):
    """nbclient's outputs with neighbouring pieces of a stream joined: how they were cut is timing."""
    result = []
    for output in outputs:
        output = json.loads(json.dumps(output))
        if (
            result
            and output["output_type"] == result[-1]["output_type"] == "stream"
            and result[-1]["name"] == output["name"]
        ):
            result[-1]["text"] += output["text"]
        else:
            result.append(output)
    return result


def run(folder: Path, sources: list[str], **options) -> list[dict]:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(
        notebook, allow_errors=True, kernel_name="python3", resources={"metadata": {"path": str(folder)}}, **options
    ).execute()
    return notebook.cells


def test_recorded_equals_what_nbclient_stores(tmp_path: Path) -> None:
    stored = run(tmp_path, [LOAD.format(folder=str(tmp_path)), *CORPUS])
    history = open_history(tmp_path)
    recorded = {cell.id: cell for cell in history.cells("@")}
    assert [cell.source for cell in recorded.values()] == [cell.source for cell in stored]
    for number, cell in enumerate(stored, 1):
        found = recorded[f"x{number}"]
        assert list(found.outputs) == merged(cell.outputs), cell.source
        assert found.execution_count == cell.execution_count, cell.source
    states = {dict(s.facts)["cell"]: dict(s.facts) for s in history.states(100)}
    for number, source in enumerate([LOAD, *CORPUS], 1):
        bad = source.startswith(("1 / 0", "def broken", "raise", "from IPython.core.error", "%no_such"))
        assert states[f"x{number}"]["status"] == ("error" if bad else "ok"), source
    history.close()


def test_silent_and_unstored_executions_are_not_recorded(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LOAD.format(folder=str(tmp_path)))])
    client = NotebookClient(notebook, kernel_name="python3")
    with client.setup_kernel():
        client.execute_cell(notebook.cells[0], 0)
        assert client.kc is not None
        for options in ({"silent": True}, {"store_history": False}):
            client.wait_for_reply(client.kc.execute("hidden = 1", **options))
        client.wait_for_reply(client.kc.execute("shown = 1"))
    sources = [cell.source for cell in open_history(tmp_path).cells("@")]
    assert sources == [LOAD.format(folder=str(tmp_path)), "shown = 1"]


def answer(coming):
    """nbclient's client answers in the manner of asyncio, in the loop that nbclient itself uses."""

    async def given():
        return await coming

    return run_sync(given)()


def test_what_a_subshell_prints_meanwhile_is_its_own(tmp_path: Path, lacking: Any) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LOAD.format(folder=str(tmp_path)))])
    client = NotebookClient(notebook, kernel_name="python3")
    slow = "import time\nprint('begins', flush=True)\nwhile 'met' not in globals(): time.sleep(0.05)\nprint('ends')"
    with client.setup_kernel():
        client.execute_cell(notebook.cells[0], 0)
        kc = client.kc
        kc.control_channel.send(kc.session.msg("create_subshell_request", {}))
        told = answer(kc.get_control_msg(timeout=30))["content"]
        if "subshell_id" not in told:
            lacking("subshells", "this ipykernel has none")
        main = kc.execute(slow)
        while answer(kc.get_iopub_msg(timeout=30))["content"].get("text") != "begins\n":
            pass
        body = {"code": "print('aside'); met = True", "silent": False, "store_history": True, "allow_stdin": False}
        message = kc.session.msg("execute_request", body)
        message["header"]["subshell_id"] = told["subshell_id"]
        kc.shell_channel.send(message)
        waiting = {main, message["header"]["msg_id"]}
        order = []
        while waiting:
            reply = answer(kc.get_shell_msg(timeout=30))["parent_header"]["msg_id"]
            waiting.discard(reply)
            order.append(reply)
    assert order[-1] == main, "they ran at the same time"
    printed = {cell.source: [output["text"] for output in cell.outputs] for cell in open_history(tmp_path).cells("@")}
    assert printed[slow] == ["begins\nends\n"]
    assert printed["print('aside'); met = True"] == ["aside\n"]


def test_the_cell_id_of_the_front_end_is_used(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LOAD.format(folder=str(tmp_path)))])
    client = NotebookClient(notebook, kernel_name="python3")
    with client.setup_kernel():
        client.execute_cell(notebook.cells[0], 0)
        kc = client.kc
        for source in ("first", "second"):
            body = {
                "code": repr(source),
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
            }
            message = kc.session.msg("execute_request", body, metadata={"cellId": "0f3c-cell", "deletedCells": []})
            kc.shell_channel.send(message)
            client.wait_for_reply(message["header"]["msg_id"])
    cells = {cell.id: cell for cell in open_history(tmp_path).cells("@")}
    assert cells["0f3c-cell"].source == "'second'"
    assert set(cells) == {"x1", "0f3c-cell"}


def test_papermill_loses_no_state_and_the_same_source_twice_is_two_cells(tmp_path: Path) -> None:
    import papermill

    sources = [LOAD.format(folder=str(tmp_path)), "print('same')", "print('same')", "print('last')"]
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources]), tmp_path / "in.ipynb"
    )
    papermill.execute_notebook(
        str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb"), kernel_name="python3", progress_bar=False
    )
    stored = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    recorded = open_history(tmp_path).cells("@")
    assert [list(cell.outputs) for cell in recorded] == [merged(cell.outputs) for cell in stored.cells]
    assert len(recorded) == 4


def test_papermills_injected_path_gives_order_ids_and_markdown(tmp_path: Path) -> None:
    import papermill

    sources = [LOAD.format(folder=str(tmp_path)), "print('same')", "print('same')", "6 * 7"]
    cells = [nbformat.v4.new_code_cell(s) for s in sources]
    cells.insert(2, nbformat.v4.new_markdown_cell("# A title"))
    language = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=language), tmp_path / "in.ipynb")
    papermill.execute_notebook(
        str(tmp_path / "in.ipynb"),
        str(tmp_path / "out.ipynb"),
        kernel_name="python3",
        progress_bar=False,
        parameters={"PAPERMILL_OUTPUT_PATH": str(tmp_path / "out.ipynb")},  # as --inject-output-path does
    )
    stored = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    unnamed = open_history(tmp_path)
    latest = unnamed.states(1)[0]
    recorded = unnamed.cells(latest)
    assert [(cell.type, cell.source) for cell in recorded] == [(cell.cell_type, cell.source) for cell in stored.cells]
    assert [cell.id for cell in recorded] == [cell.id for cell in stored.cells]
    assert [list(cell.outputs) for cell in recorded if cell.type == "code"] == [
        merged(cell.outputs) for cell in stored.cells if cell.cell_type == "code"
    ]


def test_detach_puts_send_back(tmp_path: Path) -> None:
    check = "k = get_ipython().kernel\n'send' in vars(k.session), 'send_multipart' in vars(k.iopub_thread)"
    stored = run(tmp_path, [LOAD.format(folder=str(tmp_path)), check, "_detach(); _detach()", check, "'not recorded'"])
    assert stored[1].outputs[0].data["text/plain"] == "(True, True)"
    assert stored[3].outputs[0].data["text/plain"] == "(False, False)"
    history = open_history(tmp_path)
    assert len(history.cells("@")) == 3
    assert {dict(state.facts)["status"] for state in history.states()} == {"ok"}


def test_switching_off_within_a_cell_leaves_no_trace_of_that_cell(tmp_path: Path) -> None:
    run(tmp_path, [LOAD.format(folder=str(tmp_path)), "_history.off()", "'unseen'", "_history.on()", "'seen'"])
    history = open_history(tmp_path)
    assert [cell.source for cell in history.cells("@")][1:] == ["_history.on()", "'seen'"]
    assert {dict(state.facts)["status"] for state in history.states()} == {"ok"}


def test_a_cell_that_kills_the_kernel_is_kept_with_its_source(tmp_path: Path) -> None:
    from nbclient.exceptions import DeadKernelError

    with pytest.raises(DeadKernelError):
        run(tmp_path, [LOAD.format(folder=str(tmp_path)), "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"])
    history = open_history(tmp_path)
    newest = history.states(1)[0]
    assert dict(newest.facts)["status"] == "died"
    assert history.cells(newest)[-1].source.startswith("import os, signal")


def test_a_forked_child_records_nothing(tmp_path: Path) -> None:
    history = open_history(tmp_path)
    history.record(CellRun("a", "1"))
    pid = os.fork()
    if pid == 0:
        number = history.record(CellRun("b", "2"))
        history.close()
        os._exit(0 if number == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    history.record(CellRun("c", "3"))
    assert [cell.id for cell in history.cells("@")] == ["a", "c"]
    history.close()


def test_a_shell_without_a_kernel_records_source_result_and_error(tmp_path: Path) -> None:
    program = f"""
from IPython.core.interactiveshell import InteractiveShell
from project_o.history import attach, open_history
shell = InteractiveShell.instance()
history = open_history({str(tmp_path)!r})
detach = attach(shell, history)
shell.run_cell("40 + 2", store_history=True)
shell.run_cell("1 / 0", store_history=True)
shell.run_cell("hidden = 1", silent=True)
detach()
shell.run_cell("'gone'", store_history=True)
"""
    environment = os.environ | {"IPYTHONDIR": str(tmp_path / "ipython")}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, capture_output=True, cwd=tmp_path)
    cells = open_history(tmp_path).cells("@")
    assert [(cell.source, cell.outputs[0].get("data", {}).get("text/plain")) for cell in cells] == [
        ("40 + 2", "42"),
        ("1 / 0", None),
    ]
    assert cells[1].outputs[0]["ename"] == "ZeroDivisionError"


def test_a_fault_of_ours_never_reaches_the_cell(tmp_path: Path) -> None:
    class Broken:
        notebook, found = "x.ipynb", ""

        def begin(self, cell):
            raise RuntimeError("ours")

        record = begin

    class Session:
        def send(self, stream, kind, content=None, parent=None, **kw):
            sent.append(kind)

    class Kernel:
        session = Session()

    class Shell:
        kernel = Kernel()
        user_ns: dict = {}

    sent: list[str] = []
    parent = {"header": {"msg_id": "m"}, "metadata": {}, "content": {}}
    detach = attach(Shell(), Broken())
    with pytest.warns(UserWarning, match="not recorded as they should be"):
        Shell.kernel.session.send(None, "execute_input", {"code": "1"}, parent)
    Shell.kernel.session.send(None, "status", {"execution_state": "idle"}, parent)
    detach()
    assert sent == ["execute_input", "status"]


def test_an_endless_print_stays_bounded_with_head_tail_and_hash() -> None:
    from project_o.limits import OUTPUT_BYTES_MAX, OUTPUT_INLINE_BYTES_MAX

    reducer = Reducer()
    cell = reducer.start("a")
    for number in range(40):
        reducer.message(cell, "m", "stream", {"name": "stdout", "text": f"{number:07d}\n" * (1 << 16)})
    text = cell.result()[0]["text"]
    assert text.startswith("0000000\n")
    assert text.endswith("0000039\n")
    assert "left out of the history, sha256" in text
    assert len(text) < 3 * OUTPUT_INLINE_BYTES_MAX < OUTPUT_BYTES_MAX
