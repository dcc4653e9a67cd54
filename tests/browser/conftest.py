"""One JupyterLab server and one browser for all tests of a session; Notebook 7 is served by the same server.

    def test_something(open_notebook):
        notebook = open_notebook(["x = 1", "print(x)"])         # app="notebook" opens Notebook 7
        notebook.run_cell(1)                                     # runs and waits for the cell's own prompt
        notebook.cell(1).locator(".jp-OutputArea").inner_text()
        notebook.screenshot("what it shows")

Screenshots go to the folder that PROJECT_O_SCREENSHOTS names, else to pytest's own.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest

WAIT_SECONDS = 30
EXTENSION = Path(__file__).resolve().parents[2] / "kernel" / "project_o" / "labextension"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}

# The kernel's status says "idle" while a cell runs as soon as a comm is answered: a cell's own prompt does not.
READY = """() => { const w = window.jupyterapp?.shell?.currentWidget;
  const k = w?.context?.sessionContext?.session?.kernel;
  return w?.context?.isReady && k && k.connectionStatus === 'connected' && k.status === 'idle' }"""
DONE = """(i) => { const w = window.jupyterapp.shell.currentWidget.content.widgets[i];
  return w.prompt && w.prompt !== '*' && w.model.executionCount }"""


class Lab(NamedTuple):
    """A running server: where it answers, its token, and the folder whose notebooks it serves."""

    url: str
    token: str
    folder: Path


class Notebook:
    """An open notebook: the page it is in, and what a user does with it."""

    def __init__(self, page, path, shots):
        self.page, self.path, self.shots = page, path, shots
        self.faults = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    def wait_ready(self):
        """Until the kernel can take a cell."""
        self.page.wait_for_function(READY)

    def cell(self, index):
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def outputs(self, index):
        return self.cell(index).locator(".jp-Cell-outputArea")

    def start_cell(self, index):
        """Run a cell and do not wait for it."""
        self.page.evaluate("i => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = i }", index)
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell') }")

    def wait_done(self, index):
        self.page.wait_for_function(DONE, arg=index)

    def run_cell(self, index):
        self.page.evaluate(
            "i => { window.jupyterapp.shell.currentWidget.content.widgets[i].model.executionCount = null }", index
        )
        self.start_cell(index)
        self.wait_done(index)

    def set_source(self, index, source):
        self.page.evaluate(
            "([i, s]) => { window.jupyterapp.shell.currentWidget.content.widgets[i].model.sharedModel.setSource(s) }",
            [index, source],
        )

    def save(self):
        """Save, and give the saved notebook."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        self.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
        return nbformat.read(self.path, as_version=4)

    def restart_kernel(self):
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()"
        )
        self.wait_ready()

    def shut_down_kernel(self):
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")

    def screenshot(self, name):
        """A picture of the page, named by what it shows."""
        place = self.shots / (re.sub(r"\W+", "-", name) + ".png")
        self.page.screenshot(path=place)
        return place


@pytest.fixture(scope="session")
def shots(tmp_path_factory):
    """Where pictures go."""
    folder = Path(os.environ.get("PROJECT_O_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def browser(lacking):
    """The system's Chromium, without a window."""
    program = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if program is None:
        lacking("browser", "no Chromium was found: install the package chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        lacking("browser", "the package playwright is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, headless=True, args=list(QUIET))
        yield started
        started.close()


@pytest.fixture(scope="session")
def lab(lacking, tmp_path_factory):
    """A JupyterLab server with settings, kernels and caches of its own, as (url, token, folder)."""
    pytest.importorskip("jupyterlab") if "browser" not in os.environ.get("PROJECT_O_REQUIRE", "") else None
    home, folder, token = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("notebooks"), "test-token"
    config = home / "config"
    (config / "labconfig").mkdir(parents=True)
    (config / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(OVERRIDES))
    places = {
        "JUPYTER_CONFIG_DIR": config,
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
    }
    # The checkout's own bundle, whatever is installed in the environment.
    (home / "labextensions").mkdir()
    (home / "labextensions" / "project-o").symlink_to(EXTENSION)
    port = _free_port()
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
        *(f"--ServerApp.root_dir={folder}", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
        *("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"),
        *("--LabApp.extension_manager=readonly", f"--LabServerApp.extra_labextensions_path={home}/labextensions"),
    ]
    environment = {**os.environ, **{name: str(place) for name, place in places.items()}}
    with open(home / "log.txt", "wb") as log:
        server = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}/api?token={token}", server, home / "log.txt")
        yield Lab(f"http://127.0.0.1:{port}", token, folder)
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture
def open_notebook(lab, browser, shots):
    """A function that writes a notebook of code cells, or takes one that is there, and opens it in a new window."""
    contexts = []

    def opened(cells=None, *, path=None, app="lab", dark=False, kernel="python3", ready=True):
        if path is None:
            path = lab.folder / f"notebook-{time.monotonic_ns()}.ipynb"
            book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
            book.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
            nbformat.write(book, path)
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(WAIT_SECONDS * 1000)
        contexts.append(context)
        notebook = Notebook(context.new_page(), path, shots)
        name = path.relative_to(lab.folder)
        where = f"lab/workspaces/{path.stem}/tree/{name}?reset&" if app == "lab" else f"notebooks/{name}?"
        notebook.page.goto(f"{lab.url}/{where}token={lab.token}")
        if app == "lab":
            notebook.page.locator("#jupyterlab-splash").wait_for(state="detached")
        notebook.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell").first.wait_for()
        if ready:
            notebook.wait_ready()
        if dark:
            theme = {"theme": "JupyterLab Dark"}
            notebook.page.evaluate("args => window.jupyterapp.commands.execute('apputils:change-theme', args)", theme)
        return notebook

    yield opened
    for context in contexts:
        # A kernel that is still there would run until the server ends.
        for page in context.pages:
            with contextlib.suppress(Exception):
                page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")
        context.close()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_it_answers(url, server, log):
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        assert server.poll() is None, f"JupyterLab ended: {log.read_text()[-2000:]}"
        assert time.monotonic() < until, f"JupyterLab does not answer: {log.read_text()[-2000:]}"
        time.sleep(0.2)
