"""Tools that every agent may name: for the notebook, the project's files, the memory, and proposals.

``:tools [run-python variable list-files read-file search-memory fetch propose-edit]``. A tool of the user's own with
such a name comes first. To add one: a method of ``Builtin`` with typed parameters, and its name in ``NAMES``.
"""

from __future__ import annotations

import ast
import contextlib
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from .. import limits
from ..errors import AgentError
from ..lisp.context import current
from ..lisp.replies import cut
from ..lisp.specs import ToolSpec, canonical
from .tools import python_tool

if TYPE_CHECKING:
    from ..sandbox import Sandbox
    from .agents import Agents
    from .project import Project

NAMES = ("run-python", "variable", "list-files", "read-file", "search-memory", "fetch", "propose-edit")
_RESULT = "__o_result__"


class Builtin:
    """The tools of one kernel's agents. ``hosts`` says which hosts ``fetch`` may ask now."""

    def __init__(self, house: Agents, project: Project, hosts: Callable[[], str]) -> None:
        self._house = house
        self._project = project
        self._hosts = hosts
        self._box: Sandbox | None = None
        self._made: dict[str, ToolSpec] = {}

    def tool(self, name: str) -> ToolSpec | None:
        """The tool of that name; None where there is none."""
        plain = canonical(name)
        if plain not in map(canonical, NAMES):
            return None
        if plain not in self._made:
            spelled = next(one for one in NAMES if canonical(one) == plain)
            effects = {"fetch": ["network"], "read-file": ["files"], "list-files": ["files"]}.get(spelled, [])
            self._made[plain] = python_tool(getattr(self, plain), spelled, options={"effects": tuple(effects)})
        return self._made[plain]

    def run_python(self, code: Annotated[str, "Python; the value of its last expression is the result"]) -> str:
        """Run Python in the sandbox: no files, no network, none of the notebook's variables."""
        from ..sandbox import Sandbox

        if self._box is None:
            self._box = Sandbox(wall_seconds=limits.TRIAL_WALL_SECONDS)
        with self._box.python(_with_result(code)) as job:
            answer = job.ask(_RESULT) if job.loaded.ok else job.loaded
        printed = "".join((job.loaded.log, answer.log if answer is not job.loaded else ""))
        if not answer.ok:
            raise AgentError(f"the code failed in the sandbox ({answer.ended or 'error'}): {answer.error}")
        return "\n".join(part for part in (printed.rstrip("\n"), answer.value) if part) or "it printed nothing"

    def variable(self, name: Annotated[str, "the name of a variable of the notebook"]) -> str:
        """What a variable of the notebook is: its type, its size, its beginning."""
        value = self._house.namespace.get(name, self)
        if value is self or name.startswith("_"):
            raise AgentError(f"the notebook has no variable {name}")
        if self._house.is_secret(name, value):
            raise AgentError(f"{name} looks like a secret, and is not told")
        return summary(value)

    def list_files(self, folder: Annotated[str, "a folder of the project"] = ".") -> str:
        """The files of the project's folder."""
        return "\n".join(self._project.files(folder)) or "there are none"

    def read_file(self, path: str, first_line: int = 1, lines: int = 0) -> str:
        """The text of a file of the project, or some lines of it (0: all)."""
        return self._project.read(path, first_line, lines)

    def search_memory(self, query: str, top: int = 5) -> str:
        """What the agent remembers that fits a question."""
        return "\n".join(current().recall(query, top)) or "nothing fits"

    def fetch(self, url: str) -> str:
        """The text at an address of an allowed host."""
        return fetched(url, self._hosts())

    def propose_edit(
        self,
        target: Annotated[
            str, "In[3] for a cell, a path for a file, or the name of a Python function or of a Lisp definition"
        ],
        text: Annotated[str, "the whole new text"],
        why: str = "",
    ) -> str:
        """Propose a change. A person sees the difference and decides; nothing is written before."""
        agent = getattr(current(), "agent", "an agent")
        made = self._house.proposals.propose(str(agent), target, text, why)
        return f"proposed as {made.id}: a person accepts or rejects it\n{made.diff()}"


def summary(value: Any) -> str:
    """The type, the size and the beginning of a value; nothing of it is changed."""
    facts = [f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")]
    for name in ("shape", "dtype", "columns"):
        found = getattr(value, name, None)
        if found is not None and not callable(found):
            facts.append(f"{name} {cut(str(found), 300)}")
    with contextlib.suppress(TypeError):
        facts.append(f"length {len(value)}")
    try:
        shown = repr(value)
    except Exception as error:  # noqa: BLE001 - a value of the user's own that cannot be shown
        shown = f"it cannot be shown: {type(error).__name__}"
    return ", ".join(facts) + "\n" + cut(shown, limits.VARIABLE_SHOWN_CHARACTERS_MAX)


def _with_result(code: str) -> str:
    """The code with a function that returns the text of its last expression."""
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise AgentError(f"line {error.lineno} is no Python: {error.msg}") from None
    last = tree.body[-1] if tree.body else None
    text = code
    if isinstance(last, ast.Expr):
        head = "\n".join(code.splitlines()[: last.lineno - 1])
        text = f"{head}\n{_RESULT}value = ({ast.unparse(last.value)})"
        text += f"\n{_RESULT}text = '' if {_RESULT}value is None else repr({_RESULT}value)"
    else:
        text += f"\n{_RESULT}text = ''"
    return f"{text}\ndef {_RESULT}():\n    return {_RESULT}text\n"


def _in_time(answer: Any) -> bytes:
    """What a server sends, up to a byte more than is taken. A socket's time limit is one of silence: this is of all."""
    until, data = time.monotonic() + limits.FETCH_SECONDS, bytearray()
    while len(data) <= limits.FETCH_BYTES_MAX and (piece := answer.read1(65_536)):
        data += piece
        if time.monotonic() > until:
            raise TimeoutError(f"it sends for longer than {limits.FETCH_SECONDS} s")
    return bytes(data)


def fetched(url: str, hosts: str) -> str:
    """The text at an address, if its host is one of ``hosts``, with commas between. Redirections are not followed.

    Raises AgentError for another host, for what is no text, and where nothing usable came.
    """
    import urllib.error
    import urllib.request

    parts = urlsplit(url)
    allowed = {host.strip().lower() for host in hosts.split(",") if host.strip()}
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise AgentError(f"{url!r} is no address to fetch: write it like https://example.org/page")
    if parts.netloc.lower() not in allowed and parts.hostname.lower() not in allowed:
        known = ", ".join(sorted(allowed)) or "none"
        raise AgentError(
            f"{parts.hostname} is not among the hosts that agents may ask ({known}): a person allows one with "
            f"%config ProjectO.agent_hosts = {json.dumps(parts.hostname)}"
        )

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    opener = urllib.request.build_opener(NoRedirect)
    try:
        with opener.open(urllib.request.Request(url), timeout=limits.FETCH_SECONDS) as answer:
            kind = answer.headers.get_content_type()
            data = _in_time(answer)
            charset = answer.headers.get_content_charset() or "utf-8"
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise AgentError(f"{url} could not be fetched: {error}") from None
    if not (kind.startswith("text/") or kind in ("application/json", "application/xml")):
        raise AgentError(f"{url} is {kind}, and only text is fetched")
    if len(data) > limits.FETCH_BYTES_MAX:
        raise AgentError(f"{url} has more than {limits.FETCH_BYTES_MAX:,} bytes: fetch a part of it")
    text = data.decode(charset, "replace")
    return _text_of(text) if kind == "text/html" else text


def _text_of(page: str) -> str:
    """What a page says, without its markup, its scripts and its styles."""
    from html.parser import HTMLParser

    parts: list[str] = []

    class Reader(HTMLParser):
        silent = 0

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            self.silent += tag in ("script", "style")

        def handle_endtag(self, tag: str) -> None:
            self.silent -= tag in ("script", "style")

        def handle_data(self, data: str) -> None:
            if not self.silent and data.strip():
                parts.append(data.strip())

    Reader().feed(page)
    return "\n".join(parts)
