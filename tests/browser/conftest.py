"""One JupyterLab server, one browser and one JupyterLab page for all tests; Notebook 7 is served by the same server.

    def test_something(open_notebook):
        notebook = open_notebook(["x = 1", "print(x)"])         # a tab of the one page: a second, not five
        notebook = open_notebook([...], window=True)             # a page of its own: to reload it, to have two
        notebook = open_notebook([...], app="notebook")          # Notebook 7, in a page of its own
        notebook.run_cell(1)                                     # runs and waits for the cell's own prompt
        notebook.cell(1).locator(".jp-OutputArea").inner_text()
        notebook.screenshot("what it shows")

Screenshots go to the folder that PROJECT_O_SCREENSHOTS names, then in the light and the dark theme, else to pytest's.
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
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest

WAIT_SECONDS = 90
PORTS = 3  # which one is free is known before the server has it
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
# Notebook 7 fails so as it starts: the first also where our extension is disabled, the second names a command that is
# JupyterLab's file browser's and that nothing of ours calls.
OF_NOTEBOOK_7 = ("undefined (reading 'schema')", "filebrowser:open-path")
FRONT = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell"
DONE = """(i) => { const w = window.jupyterapp.shell.currentWidget.content.widgets[i];
  return w.prompt && w.prompt !== '*' && w.model.executionCount }"""
OPEN = "path => window.jupyterapp.commands.execute('docmanager:open', {path}).then(() => 1)"
# A kernel that is still there would run until the server ends. What was not saved is thrown away without a question.
CLOSE = """async () => { for (const w of [...window.jupyterapp.shell.widgets('main')]) if (w.context?.sessionContext) {
  await w.context.sessionContext.shutdown().catch(() => 0); w.dispose() } }"""


class Lab(NamedTuple):
    """A running server: where it answers, its token, and the folder whose notebooks it serves."""

    url: str
    token: str
    folder: Path


class Notebook:
    """An open notebook: the page it is in, and what a user does with it."""

    def __init__(self, page, path, shots, before=0):
        self.page, self.path, self.shots = page, path, shots
        self._faults, self._before = page.faults, before

    @property
    def faults(self):
        """What failed in the page since this notebook was opened, without what Notebook 7 does by itself."""
        return [fault for fault in self._faults[self._before :] if not any(own in fault for own in OF_NOTEBOOK_7)]

    def show(self):
        """Bring this notebook to the front of its page."""
        self.page.evaluate(
            "name => { const { shell } = window.jupyterapp;"
            " shell.activateById([...shell.widgets('main')].find(w => w.context?.path === name).id) }",
            self.path.name,
        )
        self.page.wait_for_function(
            "name => window.jupyterapp.shell.currentWidget?.context?.path === name", arg=self.path.name
        )

    def wait_ready(self):
        """Until the kernel can take a cell."""
        self.page.wait_for_function(READY)

    def cell(self, index):
        return self.page.locator(FRONT).nth(index)

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
        if os.environ.get("PROJECT_O_SCREENSHOTS") and self.page.evaluate("() => !!window.jupyterapp"):
            self.theme("JupyterLab Dark")
            self.page.screenshot(path=place.with_stem(place.stem + "-dark"))
            self.theme("JupyterLab Light")
        return place

    def theme(self, name):
        """Change the theme, and wait until it is there."""
        change = "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})"
        self.page.evaluate(change, name)
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")


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
    if find_spec("jupyterlab") is None:
        lacking("browser", "the package jupyterlab is not installed")
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
    for attempt in range(PORTS):
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
        last = attempt == PORTS - 1
        if _answers(f"http://127.0.0.1:{port}/api?token={token}", server, home / "log.txt", last=last):
            break
    try:
        yield Lab(f"http://127.0.0.1:{port}", token, folder)
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


class Pages:
    """The pages that are open: the one that tests share, and those of a single test."""

    def __init__(self, lab, browser):
        self.lab, self._browser = lab, browser
        self._shared = None
        self._own = []

    def new(self, where, *, own=True):
        """A page in a browser context of its own."""
        context = self._browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(WAIT_SECONDS * 1000)
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(f"{error}\n{error.stack}"))
        if own:
            self._own.append(page)
        page.goto(f"{self.lab.url}/{where}token={self.lab.token}")
        if where.startswith("lab"):
            page.locator("#jupyterlab-splash").wait_for(state="detached")
            page.wait_for_function("() => window.jupyterapp?.restored.then(() => true)")
        return page

    def shared(self):
        """The page of JupyterLab that tests share."""
        if self._shared is None:
            self._shared = self.new("lab/workspaces/shared?reset&", own=False)
        return self._shared

    def close(self):
        """End a test: its kernels, its pages, its tabs. A shared page in which something stayed open is given up."""
        for page in [*self._own, *([self._shared] if self._shared else [])]:
            with contextlib.suppress(Exception):
                page.evaluate(CLOSE)
        for page in self._own:
            page.context.close()
        self._own = []
        if self._shared and self._shared.locator(".jp-Dialog, .jp-NotebookPanel, .project-o-status-list").count():
            self._shared.context.close()
            self._shared = None


@pytest.fixture(scope="session")
def pages(lab, browser):
    """All pages of a session."""
    opened = Pages(lab, browser)
    yield opened
    opened.close()


@pytest.fixture
def open_notebook(lab, pages, shots):
    """A function that writes a notebook of code cells, or takes one that is there, and opens it."""

    def opened(cells=None, *, path=None, app="lab", window=False, kernel="python3"):
        if path is None:
            path = lab.folder / f"notebook-{time.monotonic_ns()}.ipynb"
            book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
            book.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
            nbformat.write(book, path)
        name = path.relative_to(lab.folder)
        if app == "notebook":
            notebook = Notebook(pages.new(f"notebooks/{name}?"), path, shots)
        elif window:
            where = f"lab/workspaces/{path.stem}-{time.monotonic_ns()}/tree/{name}?reset&"
            notebook = Notebook(pages.new(where), path, shots)
        else:
            page = pages.shared()
            notebook = Notebook(page, path, shots, len(page.faults))
            page.evaluate(OPEN, str(name))
            notebook.show()
        notebook.cell(0).wait_for()
        notebook.wait_ready()
        return notebook

    yield opened
    pages.close()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(url, server, log, *, last):
    """Wait until it answers; False where it ended since somebody else has the port, and this was not the last try."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200 and server.poll() is None:
                    return True
        except OSError:
            pass
        if server.poll() is not None and "already in use" in log.read_text() and not last:
            return False
        assert server.poll() is None, f"JupyterLab ended: {log.read_text()[-2000:]}"
        assert time.monotonic() < until, f"JupyterLab does not answer: {log.read_text()[-2000:]}"
        time.sleep(0.2)
