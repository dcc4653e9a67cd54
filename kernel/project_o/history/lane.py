"""Records become commits: the one writer of a lane.

A lane is the ref of one kernel session, ``refs/o/<notebook>/<date>-<4 hex>``. Its first commit's parent is the
newest state of the notebook; nothing is ever rewound. Each commit carries its sequence number, so replaying a
journal twice commits nothing twice.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from ..errors import HistoryError
from ..limits import SUMMARY_CHARACTERS_MAX
from .contents import PROGRAMS, SOURCES, Contents, encode
from .filemerge import FileMerge
from .livemerge import LiveMerge
from .objects import ObjectStore, git_environment
from .places import slug, user_head
from .refs import LANES, TAGS, is_free, list_refs, point_latest, read_ref, update_ref

COMMITTER = "project-o <history@project-o.invalid>"
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_TIME = re.compile(r"[0-9]{1,11}\.[0-9]{3}")
_TRAILER = re.compile(r"O-([A-Za-z0-9-]+): (.*)")


def one_line(text: str) -> str:
    """``text`` without line breaks and control characters, as a commit message can hold it."""
    return _UNSAFE.sub(" ", text).strip()


def trailer_name(key: str) -> str:
    """A fact's key as a trailer: ``duration_ms`` becomes ``O-Duration-Ms``."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", re.sub(r"^[Oo]-", "", key)) if word]
    return "O-" + "-".join(word[:1].upper() + word[1:] for word in words) if words else "O-Fact"


def parse_commit(data: bytes) -> dict[str, Any]:
    """A commit object's tree, parents, time, subject and trailers. Raises HistoryError."""
    head, _, message = data.partition(b"\n\n")
    tree, parents, when = "", [], 0.0
    for line in head.decode("utf-8", "replace").split("\n"):
        key, _, value = line.partition(" ")
        if key == "tree":
            tree = value
        elif key == "parent":
            parents.append(value)
        elif key == "committer":
            when = float(value.rsplit(" ", 2)[1])
    if not tree:
        raise HistoryError("a commit without a tree: `git fsck` in the store says what is damaged")
    lines = message.decode("utf-8", "replace").split("\n")
    facts = {m[1].lower().replace("-", "_"): m[2] for m in map(_TRAILER.fullmatch, lines[1:]) if m}
    # Git's own times are whole seconds, in which a quick notebook runs a hundred cells.
    if _TIME.fullmatch(facts.get("time", "")):
        when = float(facts["time"])
    return {"tree": tree, "parents": parents, "when": when, "subject": lines[0], "facts": facts}


def build_commit(tree: str, parents: list[str], author: str, when: float, message: str) -> bytes:
    """The bytes of a commit object."""
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [f"author {author} {stamp(when)}", f"committer {COMMITTER} {stamp(when)}", "", message]
    return "\n".join(lines).encode("utf-8", "replace")


def stamp(when: float) -> str:
    """A time as Git's objects have it."""
    offset = time.localtime(when).tm_gmtoff // 60
    return f"{int(when)} {'-' if offset < 0 else '+'}{abs(offset) // 60:02d}{abs(offset) % 60:02d}"


def user_identity(directory: str) -> str:
    """``name <email>`` as Git is configured where the notebook lies; ``notebook <notebook@...>`` otherwise."""
    found: dict[str, str] = {}
    try:
        answer = subprocess.run(
            ["git", "config", "--null", "--get-regexp", r"^user\.(name|email)$"],
            cwd=directory,
            env=git_environment(),
            capture_output=True,
            timeout=10,
            check=False,
        )
        for item in answer.stdout.decode("utf-8", "replace").split("\0"):
            key, _, value = item.partition("\n")
            found[key] = re.sub(r"[<>\x00-\x1f]", "", value).strip()
    except (OSError, subprocess.SubprocessError):
        pass
    return f"{found.get('user.name') or 'notebook'} <{found.get('user.email') or 'notebook@project-o.invalid'}>"


class LaneWriter:
    """Applies a lane's records. The caller holds the lane's lock. Raises OSError or HistoryError when a write fails;
    it must then be made anew, for its picture of the tree may be ahead of the ref.
    """

    def __init__(self, store: str, lane: str, facts: Mapping[str, Any]) -> None:
        self.objects = ObjectStore(store)
        self.lane = lane
        self.ref = LANES + lane
        self.facts = dict(facts)
        self.sequence = 0
        self.commits: dict[int, str] = {}
        self.pending: dict[str, dict[str, Any]] = {}
        self._store = store
        self._author = ""
        self._old = read_ref(store, self.ref)
        self._parents: list[str] = []
        self._last: str | None = None
        self._recorded: dict[int, str] = {}
        self.live = LiveMerge()
        self.merge = FileMerge(self.facts.get("notebook") or "", self.live.dropped)
        self.contents = self._open()

    def _open(self) -> Contents:
        if self._old:
            try:
                tip = parse_commit(self.objects.read_as(self._old, "commit"))
                contents = Contents(self.objects, tip["tree"])
            except (HistoryError, ValueError, KeyError):
                # After a power loss the ref may name what never reached the disk: the journal still has it.
                return Contents(self.objects)
            self._parents = [self._old]
            self.sequence = int(tip["facts"].get("seq", 0))
            self._recorded = self._cells_of_lane()
            return contents
        given = self.facts.get("from")
        for tip_id in [given] if given else newest_tips(self.objects, self._store, self.lane.partition("/")[0]):
            try:
                tip = parse_commit(self.objects.read_as(tip_id, "commit"))
                contents = Contents(self.objects, tip["tree"])
            except (HistoryError, ValueError, KeyError):
                continue
            self._parents = [tip_id]
            self.merge.carried_on = tip["when"]
            if not given and not self.facts.get("notebook"):
                contents.empty_cells()
            return contents
        return Contents(self.objects)

    def _cells_of_lane(self) -> dict[int, str]:
        """Which cell each committed sequence number of this lane was about; the commits, too."""
        found: dict[int, str] = {}
        at = self._old
        while at:
            commit = parse_commit(self.objects.read_as(at, "commit"))
            if commit["facts"].get("lane") != self.lane:
                break
            number = int(commit["facts"]["seq"])
            self.commits[number] = at
            if "cell" in commit["facts"]:
                found[number] = commit["facts"]["cell"]
            at = commit["parents"][0] if commit["parents"] else None
        return found

    def apply(self, record: Mapping[str, Any]) -> str | None:
        """Carry out one record; the commit's id if it made one."""
        match record.get("k"):
            case "begin":
                self.pending[record["cell"]["id"]] = dict(record)
            case "drop":
                self.pending.pop(record["id"], None)
            case "notebook":
                self.facts["notebook"] = record["path"]
                self.merge.follow(record["path"])
            case "document":
                self.live.take(record, committed=record["seq"] < self.sequence)
            case "cell":
                self.pending.pop(record["cell"]["id"], None)
                return self._cell(record)
            case "note":
                return self._note(record)
        return None

    def bury(self, now: float) -> int:
        """The kernel is gone: commit each cell that was begun and never ended, with status ``died``."""
        buried = 0
        for record in list(self.pending.values()):
            cell = {**record["cell"], "status": "died", "outputs": [], "execution_count": record["cell"].get("count")}
            del self.pending[record["cell"]["id"]]
            self._cell({"seq": record["seq"] + 1 + buried, "when": now, "cell": cell})
            buried += 1
        return buried

    # ------------------------------------------------------------------------------- records

    def _cell(self, record: Mapping[str, Any]) -> str | None:
        cell = record["cell"]
        if record["seq"] <= self.sequence:
            self._last = self._recorded.get(record["seq"], cell["id"])
            self.merge.remember(cell["id"], self._last)
            return None
        self.live.fold(self.contents, file_changed=self.merge.refresh(self.contents))
        name = self.merge.identify(cell["id"], cell["source"])
        self._last, before = name, self._last
        self.contents.put_source(name, "code", cell["source"], after=before)
        self.contents.put_outputs(name, cell.get("outputs", []), cell.get("execution_count"))
        self.live.executed(name, cell["source"])
        for other, outputs in cell.get("changed", []):
            known = self.merge.current(other)
            if self.contents.find(known) is not None:
                self.contents.put_outputs(known, outputs, self.contents.outputs(known)[1])
        programs = self._put_files(record)
        facts = {"Cell": name, "Exec": cell.get("execution_count"), "Status": cell["status"]}
        facts["Duration-Ms"] = f"{cell.get('duration_ms', 0.0):.1f}"
        if programs:
            facts["Lib"] = ", ".join(programs)
        summary = first_line(cell["source"])
        if cell["status"] != "ok":
            summary = f"{cell['status']}: {summary}"
        return self._commit(record, cell.get("kind", "run"), name, summary, facts)

    def _put_files(self, record: Mapping[str, Any]) -> list[str]:
        """Put the caller's files into the tree; the programs whose text that changes, as ``name@sha256-12``."""
        programs = []
        for path, text in record.get("files", {}).items():
            changed, parts = self.contents.put_file(path, text), path.split("/")
            if changed and text is not None and len(parts) == 3 and path.startswith(PROGRAMS) and parts[2] in SOURCES:
                programs.append(f"{parts[1]}@{hashlib.sha256(encode(text)).hexdigest()[:12]}")
        return programs

    def _note(self, record: Mapping[str, Any]) -> str | None:
        source = record.get("tree_of")
        if record["seq"] <= self.sequence:
            if source or record.get("cells") is not None:
                self.merge.forget()
                self.live.forget()
            return None
        if source:
            tree = parse_commit(self.objects.read_as(source, "commit"))["tree"]
            self.contents = Contents(self.objects, tree)
            self.merge.forget()
            self.live.forget()
            self._last = None
        elif record.get("cells") is not None:
            self.merge.replace(self.contents, record["cells"], record.get("metadata", {}))
            self.live.forget()
        else:
            self.live.fold(self.contents, file_changed=False)
        self._put_files(record)
        commit = self._commit(record, record["kind"], record["scope"], record["summary"], record.get("facts", {}))
        if record.get("tag"):
            tag_state(self._store, record["tag"], commit)
        if record.get("version"):
            tag_version(self.objects, record["version"], commit, f"{self._author} {stamp(record['when'])}")
        return commit

    def _commit(self, record: Mapping[str, Any], kind: str, scope: str, summary: str, facts: Mapping[str, Any]) -> str:
        state = {
            "schema": 1,
            "lane": self.lane,
            "sequence": record["seq"],
            "session": self.facts.get("session", ""),
            "python": self.facts.get("python") or sys.version.split()[0],
            "platform": f"{os.uname().machine} {sys.platform}",
            "notebook": self.facts.get("notebook") or "",
        }
        if not self._author:
            self._author = self.merge.redact.text(user_identity(self.facts.get("directory") or "."))
        trailers = {"O-Seq": str(record["seq"]), "O-Lane": self.lane, "O-Time": f"{record['when']:.3f}"}
        given = {trailer_name(key): one_line(str(value)) for key, value in facts.items() if value is not None}
        trailers |= {key: value for key, value in given.items() if key not in trailers}
        if not record.get("tree_of"):
            trailers["O-Source"] = self._source()
        base = user_head(self.facts["repository"]) if self.facts.get("repository") else ""
        if base:
            trailers["O-Base"] = base
        head = one_line(subject(kind, scope, summary))
        message = head + "\n\n" + "".join(f"{key}: {value}\n" for key, value in trailers.items())
        tree = self.contents.write(state)
        commit = self.objects.write("commit", build_commit(tree, self._parents, self._author, record["when"], message))
        update_ref(self._store, self.ref, commit, self._old, sole_writer=True)
        point_latest(self._store, commit)
        self._old, self._parents = commit, [commit]
        self.sequence = record["seq"]
        self.commits[self.sequence] = commit
        return commit

    def _source(self) -> str:
        """Where order and markdown of the contents come from."""
        if self.live.known:
            return "live document"
        return "file" if self.merge.known else "messages"

    @property
    def tip(self) -> str:
        """The newest commit of the lane; empty before the first."""
        return self._old or ""


def subject(kind: str, scope: str, summary: str) -> str:
    """``type(scope): summary`` as Conventional Commits have it."""
    kind = re.sub(r"[^a-z0-9-]+", "-", kind.lower()).strip("-") or "note"
    scope = re.sub(r"[\s():]+", "-", one_line(scope)).strip("-")
    head = f"{kind}({scope}): " if scope else f"{kind}: "
    text = one_line(summary)
    return head + (text if len(text) <= SUMMARY_CHARACTERS_MAX else text[: SUMMARY_CHARACTERS_MAX - 1] + "…")


def first_line(source: str) -> str:
    """The first line of a cell that says something."""
    for line in source.splitlines():
        if line.strip():
            return line.strip()
    return "(empty)"


def newest_tips(objects: ObjectStore, store: str, notebook: str) -> list[str]:
    """The tips of a notebook's lanes, newest first; unreadable ones are left out."""
    found = []
    for ref, tip in list_refs(store, f"{LANES}{notebook}/").items():
        try:
            found.append((parse_commit(objects.read_as(tip, "commit"))["when"], ref, tip))
        except HistoryError:
            continue
    return [tip for _, _, tip in sorted(found, reverse=True)]


def tag_version(objects: ObjectStore, version: str, commit: str, tagger: str) -> None:
    """Name a commit by an annotated tag ``o/<program>/v<version>``; one that is there already stays as it is."""
    program, _, number = version.rpartition("/")
    folder = re.sub(r"[^A-Za-z0-9_-]+", "-", program).strip("-") or "program"
    if read_ref(objects.path, TAGS + folder) is not None:
        folder += "-versions"  # a state was saved under the program's name
    ref = f"{TAGS}{folder}/{number}"
    if read_ref(objects.path, ref) is not None:
        return
    name = ref.removeprefix("refs/tags/")
    body = f"object {commit}\ntype commit\ntag {name}\ntagger {tagger}\n\n{program} {number}\n"
    update_ref(objects.path, ref, objects.write("tag", body.encode("utf-8", "replace")), None)


def tag_state(store: str, why: str, commit: str) -> str:
    """Name a commit ``refs/tags/o/<slug>``, with a number behind it where the name is taken; the name."""
    base = slug(why)
    for number in range(1, 10_000):
        name = base if number == 1 else f"{base}-{number}"
        if read_ref(store, TAGS + name) == commit:
            return name
        if is_free(store, TAGS + name):
            update_ref(store, TAGS + name, commit, None)
            return name
    raise HistoryError(f"there are 10,000 states called {base!r} in {store}: choose another name")
