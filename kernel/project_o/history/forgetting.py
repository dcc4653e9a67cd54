"""Forgetting: a text is taken out of everything that is kept, as if it had never been recorded.

Every commit, tree and file that holds it is written anew without it; the commits that come after such a one have new
ids, and what names them (refs, tags, trailers, the record of what serves) follows. Then Git throws away what no ref
reaches, at once, and the journals, temporary files and logs go. In the end every object that is left is searched once
more. All of it happens while no other kernel records here, so nothing that is being written can be thrown away.

What the kernel writes from then on is cleaned of that text, too: the cell that asked for this holds it itself.
"""

# Plain os.path, as in the rest of the history.
# ruff: noqa: PTH108, PTH110, PTH112, PTH118

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import subprocess
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import HistoryError
from ..limits import BARRIER_SECONDS, FORGOTTEN_CHARACTERS_MIN
from .journal import LANES_LOCK, lanes_with_journal
from .objects import git_environment, need_git
from .places import RUNS
from .records import Forgotten
from .refs import LANES, TAGS, list_refs, update_ref
from .rewriting import WORDS, Rewriter
from .worker import PACK_LOCK, recover

if TYPE_CHECKING:
    from .history import History

_SECONDS = 600
_UNFINISHED = "forgetting"
_LATEST = "refs/heads/"


def forget(history: History, pattern: str, *, regex: bool) -> Forgotten:
    """Take what the pattern matches out of the whole store. Raises HistoryError."""
    began = time.monotonic()
    find = _compiled(pattern, regex=regex)
    need_git("to forget")  # before anything is let go of
    path = history._recording.place.path
    with history._lock:
        if not path or not os.path.isdir(os.path.join(path, "refs")):
            raise HistoryError("there is no history yet, so there is nothing to forget")
        with _locked(path, LANES_LOCK):  # no lane begins meanwhile
            history.refuse_others()
            # Before anything is written again: this very cell, and what an open page shows, may hold it.
            history.hide(set() if regex else {pattern})
            for name in list(history._begun):
                history._drop(name)  # the cell that asks goes on, on a new lane
            history._recording.leave()
            history.close(BARRIER_SECONDS)
            _finish_all(path)
            with _locked(path, PACK_LOCK), _noted(path):
                found = _rewrite(path, find)
            history.hide(found.texts)
        return Forgotten(found.matches, found.commits_changed, found.refs_changed, time.monotonic() - began)


def _compiled(pattern: str, *, regex: bool) -> re.Pattern[str]:
    if len(pattern.strip()) < FORGOTTEN_CHARACTERS_MIN:
        raise HistoryError(
            f"{pattern!r} is too short to be forgotten: it would be cut out of every word that holds it; give at least "
            f"{FORGOTTEN_CHARACTERS_MIN} characters"
        )
    try:
        find = re.compile(pattern if regex else re.escape(pattern))
    except re.error as error:
        raise HistoryError(f"{pattern!r} is no regular expression: {error}") from None
    if find.search(""):
        raise HistoryError(f"{pattern!r} matches the empty text, so it would match everywhere")
    if word := next((word for word in WORDS if find.search(word)), ""):
        raise HistoryError(f"{pattern!r} matches {word!r}, a word of the format itself: give more of what is meant")
    return find


def _finish_all(store: str) -> None:
    """Recorders of kernels that have ended may still be at work. Raises HistoryError where one cannot finish."""
    deadline = time.monotonic() + BARRIER_SECONDS
    while unfinished := [journal.lane for journal in lanes_with_journal(store) if not journal.done]:
        recover(store)
        if time.monotonic() > deadline:
            raise HistoryError(f"what {unfinished[0]} recorded is not committed yet: see `%o where`, then say it again")
        time.sleep(0.02)


@contextlib.contextmanager
def _locked(store: str, name: str) -> Iterator[None]:
    lock = os.open(os.path.join(store, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def _noted(store: str) -> Iterator[None]:
    """A note stays behind where this is not finished."""
    note = os.path.join(store, _UNFINISHED)
    try:
        with open(note, "w", encoding="ascii"):
            pass
        yield
        os.unlink(note)
    except OSError as error:
        raise HistoryError(f"the history could not be rewritten ({error}): say forget again") from error


def is_unfinished(store: str) -> bool:
    """Whether a forgetting was interrupted here."""
    return os.path.exists(os.path.join(store, _UNFINISHED))


def _rewrite(store: str, find: re.Pattern[str]) -> Rewriter:
    rewriter = Rewriter(store, find)
    try:
        refs = {name: tip for prefix in (LANES, TAGS, _LATEST) for name, tip in list_refs(store, prefix).items()}
        changed = {name: (tip, rewriter.commit_or_tag(tip)) for name, tip in refs.items()}
    finally:
        rewriter.close()
    for name, (old, new) in changed.items():
        kept = rewriter.ref_name(name, old)
        if kept != name:
            update_ref(store, kept, new, None)
            _drop_ref(store, name)
        elif old != new:
            update_ref(store, name, new, old, sole_writer=True)
        rewriter.refs_changed += kept != name or old != new
    _wipe(store, rewriter)
    rewriter.search_what_is_left()
    return rewriter


def _drop_ref(store: str, name: str) -> None:
    _git(store, "update-ref", "--no-deref", "-d", name)


def _wipe(store: str, rewriter: Rewriter) -> None:
    """Throw away what no ref reaches, and everything that is no object and may hold the text."""
    for journal in lanes_with_journal(store):
        if not journal.kernel_is_gone():
            raise HistoryError(f"a kernel began to record in {store} meanwhile: shut it down and say forget again")
        journal.remove()
    for folder, _, names in os.walk(store):
        for name in names:
            path = os.path.join(folder, name)
            passing = (f"{os.sep}logs{os.sep}", f"{os.sep}{RUNS}{os.sep}")
            if name.startswith("tmp_obj_") or name == "recorder.log" or any(part in path for part in passing):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
    rewriter.clean_files()
    rewriter.drop_databases()
    rewriter.drop_large_outputs()
    _git(store, "repack", "-a", "-d", "-q", "--no-write-bitmap-index")
    _git(store, "prune", "--expire=now")


def _git(store: str, *words: str) -> None:
    try:
        done = subprocess.run(
            ["git", f"--git-dir={store}", *words],
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.SubprocessError as error:
        raise HistoryError(f"git {words[0]} did not end: {error}") from error
    if done.returncode:
        raise HistoryError(f"git {words[0]} failed in {store}: {done.stderr.decode('utf-8', 'replace').strip()[-300:]}")
