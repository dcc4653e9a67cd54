"""Publishing: what was saved and released, as ordinary commits on a branch of the user's own repository.

Nothing of the store reaches the user's repository until this is asked for. Then one commit is made there for each
state that somebody named or released, and for the newest: the notebook as a file, and the sources of the programs
beside it. Git's own fast-import writes them, so the repository may be of any format, SHA-256 included; its index,
its working files and its HEAD are not touched, and no hook of the user's runs.
"""

# Plain os.path, as in the rest of the history.
# ruff: noqa: PTH120, PTH122

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..errors import HistoryError
from .changelog import entries, markdown
from .contents import PROGRAMS, encode
from .objects import git_environment, need_git
from .places import git_directories, notebook_slug
from .pretty import pretty
from .records import Published
from .redact import Redactor
from .refs import LANES

if TYPE_CHECKING:
    from ..values import State
    from .history import History

MILESTONES = frozenset({"save", "fork", "promote", "rollback", "restore"})
TRAILER = "O-State"
_SECONDS = 300
_SOURCE = re.compile(rf"{PROGRAMS}[^/]+/[^/]+\.(?:zig|rs|py|hy|c|h)")


def publish(history: History, branch: str | None, *, states: bool) -> Published:
    """Put the milestones that are not there yet onto ``branch``; ``states``: every state, as it is recorded.

    Raises HistoryError where there is no repository, the branch is somebody else's or checked out, or something that
    looks like a secret would be published.
    """
    with history._lock:
        every = list(history.states(1_000_000))
        if not every:
            raise HistoryError("there are no states yet: run a cell first, or see `%o where`")
        notebook = history.notebook or history.notebook_of(every[0])
        repository = _Repository(os.path.dirname(notebook) if notebook else history.directory)
        branch = branch or f"o/{notebook_slug(notebook or None, history.directory)}"
        ref = repository.usable(branch)
        if states:
            return _publish_lane(history, repository, ref, branch, every[0])
        released = entries(every)
        wanted = [state for state in every if state.kind in MILESTONES or state is every[0]]
        there = repository.published(ref)
        missing = [state for state in reversed(wanted) if state.id not in there]
        pages = [_Page(history, state, repository.top, notebook) for state in missing]
        for page in pages[-1:] if released else ():
            page.add(".changelog.md", markdown(released))
        for page in pages:
            page.refuse_secrets()
        commits = repository.add(ref, pages) if pages else ()
        files = tuple(pages[-1].files) if pages else ()
        return Published(branch, repository.common, commits, tuple(missing), files)


def _publish_lane(history: History, repository: _Repository, ref: str, branch: str, newest: State) -> Published:
    """The states themselves: Git copies the lane, with everything that its states hold."""
    store = history._recording.place.path
    plain = ("--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--no-prune", "--no-recurse-submodules")
    repository.git("fetch", "--quiet", *plain, store, f"{LANES}{newest.lane}:{ref}")
    return Published(branch, repository.common, (newest.id,), (newest,))


class _Page:
    """What one state becomes: the files of a commit."""

    def __init__(self, history: History, state: State, top: str, notebook: str) -> None:
        reader = history._look()
        self.state = state
        self.author = _author(reader.objects.read_as(state.id, "commit"))
        base = os.path.relpath(os.path.realpath(notebook), top) if notebook else "notebook.ipynb"
        self._stem = os.path.splitext(base)[0]
        self.files = {base: pretty(reader.notebook_json(state))}
        for path, text in reader.kept_files(state).items():
            if _SOURCE.fullmatch(path):
                self.add(f".programs/{path.removeprefix(PROGRAMS)}", text)

    def add(self, suffix: str, text: str) -> None:
        """One more file, beside the notebook and called after it."""
        self.files[self._stem + suffix] = text

    def refuse_secrets(self) -> None:
        """Raises HistoryError for what looks like a secret now, though it did not when it was recorded."""
        redact = Redactor()
        for path, text in self.files.items():
            clean = redact.text(text)
            if clean != text:
                found = sorted(set(re.findall(r"\[redacted [0-9a-f]{8}\]", clean)))
                raise HistoryError(
                    f"{path} of state {self.state.short} holds what looks like a secret ({', '.join(found)}), so "
                    "nothing was published: take it out of the history first (forget PATTERN)"
                )

    def stream(self, ref: str, mark: int, previous: str) -> Iterator[bytes]:
        """The commands of fast-import."""
        state = self.state
        scope = dict(state.facts).get("scope", "")
        subject = f"{state.kind}({scope}): {state.summary}" if scope else f"{state.kind}: {state.summary}"
        message = f"{subject}\n\n{TRAILER}: {state.id}\n".encode("utf-8", "replace")
        yield b"commit %s\nmark :%d\nauthor %s\ncommitter %s\n" % (ref.encode(), mark, self.author, self.author)
        yield b"data %d\n%s\n" % (len(message), message)
        if previous:
            yield b"from %s\n" % previous.encode()
        yield b"deleteall\n"
        for path, text in self.files.items():
            data = encode(text)
            yield b"M 100644 inline %s\ndata %d\n" % (_quoted(path), len(data))
            yield data + b"\n"


def _author(commit: bytes) -> bytes:
    found = re.search(rb"^author (.*)$", commit, re.MULTILINE)
    return found[1] if found else b"notebook <notebook@project-o.invalid> 0 +0000"


def _quoted(path: str) -> bytes:
    """A path as fast-import reads it."""
    text = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return b'"%s"' % text.encode("utf-8", "surrogateescape")


class _Repository:
    """The user's repository, by Git's own commands."""

    def __init__(self, directory: str) -> None:
        found = git_directories(directory)
        if found is None:
            raise HistoryError(f"{directory} is in no Git repository: `git init` there first, then publish")
        need_git("to publish")
        self.own, self.common = found
        self.top = os.path.realpath(self.git("rev-parse", "--show-toplevel", directory=directory).strip() or directory)

    def git(self, *words: str, directory: str = "", data: bytes | None = None) -> str:
        """The output of one Git command. Raises HistoryError with what Git said."""
        place = ["-C", directory] if directory else [f"--git-dir={self.common}"]
        try:
            done = subprocess.run(
                ["git", "-c", f"core.hooksPath={os.devnull}", *place, *words],
                input=data if data is not None else b"",
                env=git_environment(),
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise HistoryError(f"git {words[0]} could not be run: {error}") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise HistoryError(f"git {words[0]} failed in {self.common}: {said[-1] if said else done.returncode}")
        return done.stdout.decode("utf-8", "surrogateescape")

    def usable(self, branch: str) -> str:
        """The ref of a branch that may be written. Raises HistoryError."""
        ref = f"refs/heads/{branch}"
        try:
            self.git("check-ref-format", ref)
        except HistoryError:
            raise HistoryError(f"{branch!r} cannot be the name of a branch: say publish o/analysis") from None
        if f"branch {ref}" in self.git("worktree", "list", "--porcelain").splitlines():
            raise HistoryError(f"{branch} is checked out, and its files would no longer fit: publish to another branch")
        return ref

    def tip(self, ref: str) -> str:
        """What a ref holds; "" where there is none."""
        return self.git("for-each-ref", "--format=%(objectname)", ref).strip()

    def published(self, ref: str) -> set[str]:
        """The states on the branch. Raises HistoryError where its newest commit is none of ours."""
        if not self.tip(ref):
            return set()
        told = self.git("log", f"--format=%(trailers:key={TRAILER},valueonly,separator=%x20)", ref, "--")
        lines = told.split("\n")
        if not lines[0].strip():
            raise HistoryError(
                f"the newest commit of {ref.removeprefix('refs/heads/')} was not published from here: choose another "
                "branch (publish BRANCH)"
            )
        return {line.strip() for line in lines if line.strip()}

    def add(self, ref: str, pages: Sequence[_Page]) -> tuple[str, ...]:
        """Append a commit for each page; their ids. All of them are there, or none is. Raises HistoryError."""
        old = self.tip(ref)
        parts: list[bytes] = [b"feature done\n"]
        for number, page in enumerate(pages, 1):
            parts += page.stream(ref, number, old if number == 1 else f":{number - 1}")
        parts += [b"done\n"]
        self.git("fast-import", "--quiet", data=b"".join(parts))
        return tuple(self.git("rev-list", "--reverse", ref, *([f"^{old}"] if old else []), "--").split())
