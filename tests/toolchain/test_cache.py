"""The cache: whole entries or none, shared by processes, bounded, and never in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from project_o import toolchain
from project_o.errors import NativeFault, ToolchainError
from project_o.toolchain import cache
from project_o.values import Artifact, Program

Build = Callable[..., Artifact]


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    monkeypatch.setenv("PROJECT_O_CACHE", str(folder))
    return folder


@pytest.fixture
def fresh_warnings() -> Iterator[None]:
    """As in a process that has not yet met a cache that it cannot write."""
    for item in (cache._warn_once, cache._temporary):
        item.cache_clear()
    yield
    for item in (cache._warn_once, cache._temporary):
        item.cache_clear()


def test_an_entry_is_found_again(own_cache: Path) -> None:
    assert cache.find("k") is None
    entry = cache.publish("k", b"library", {"interface": {"functions": []}})
    found = cache.find("k")

    assert found is not None
    assert found.folder == entry.folder
    assert found.library.read_bytes() == b"library"
    assert found.facts["interface"] == {"functions": []}
    assert found.facts["bytes"] == 7


@pytest.mark.parametrize("damage", ["truncate", "flip", "facts", "no facts", "no library", "empty facts", "list"])
def test_a_damaged_entry_is_removed(own_cache: Path, damage: str) -> None:
    entry = cache.publish("k", b"library", {})
    facts = entry.folder / "facts.json"
    match damage:
        case "truncate":
            entry.library.write_bytes(b"lib")
        case "flip":
            entry.library.write_bytes(b"librarY")
        case "facts":
            facts.write_text("{not json")
        case "no facts":
            facts.unlink()
        case "no library":
            entry.library.unlink()
        case "empty facts":
            facts.write_text("{}")
        case "list":
            facts.write_text("[]")

    assert cache.find("k") is None
    assert not entry.folder.exists()
    assert cache.publish("k", b"library", {}).library.read_bytes() == b"library"


def test_an_entry_of_an_older_format_is_taken_over_and_one_of_a_newer_is_left_alone(own_cache: Path) -> None:
    entry = cache.publish("a" * 64, b"library", {"interface": 1})
    facts = json.loads((entry.folder / "facts.json").read_text())
    assert facts.pop("format") == cache.FORMAT
    (entry.folder / "facts.json").write_text(json.dumps(facts))
    found = cache.find("a" * 64)
    assert found is not None
    assert found.facts["format"] == cache.FORMAT
    (entry.folder / "facts.json").write_text(json.dumps({**facts, "format": cache.FORMAT + 1}))
    assert cache.find("a" * 64) is None
    assert (entry.folder / "library.so").exists()


def test_a_damaged_build_is_built_again(compiled: Build) -> None:
    source = "pub fn damaged() i32 {\n    return 8;\n}\n"
    first = compiled(source)
    Path(first.path).write_bytes(b"\x7fELF junk")
    second = compiled(source)

    assert not second.cached
    assert toolchain.load(second).call("damaged", []) == 8


def test_publishing_what_is_there_keeps_it(own_cache: Path) -> None:
    first = cache.publish("k", b"library", {"n": 1})
    cache.mark_tried("k", "f")
    second = cache.publish("k", b"library", {"n": 2})

    assert second.folder == first.folder
    assert second.facts["n"] == 1
    assert cache.tried("k", "f")
    assert [item.name for item in (own_cache / "artifacts").iterdir()] == ["k"]


def test_publishing_over_a_damaged_entry_replaces_it(own_cache: Path) -> None:
    first = cache.publish("k", b"library", {"n": 1})
    first.library.write_bytes(b"junk")

    assert cache.publish("k", b"library", {"n": 2}).library.read_bytes() == b"library"


@pytest.mark.parametrize("name", ["f", "größe", "a b", "../x", "x" * 500, "", "a/b", "\udc80"])
def test_trials_are_remembered_by_function(own_cache: Path, name: str) -> None:
    cache.publish("k", b"library", {})
    assert not cache.tried("k", name)
    cache.mark_tried("k", name)

    assert cache.tried("k", name)
    assert not cache.tried("k", "another")
    assert not cache.tried("other", name)


def test_nothing_is_remembered_of_what_is_not_there(own_cache: Path) -> None:
    cache.mark_tried("nowhere", "f")

    assert not cache.tried("nowhere", "f")


def test_the_least_recently_used_go_first(own_cache: Path) -> None:
    now = time.time()
    for age, key in enumerate(("new", "middle", "old")):
        entry = cache.publish(key, bytes(1000), {})
        stamp = now - 7200 * (age + 1)
        os.utime(entry.folder / "facts.json", (stamp, stamp))
    assert cache.find("old") is not None  # a use makes it the newest
    freed = cache.evict(bytes_max=2500)

    assert freed >= 1000
    assert cache.find("middle") is None
    assert cache.find("new") is not None
    assert cache.find("old") is not None


def test_what_was_just_used_stays(own_cache: Path) -> None:
    cache.publish("k", bytes(1000), {})

    assert cache.evict(bytes_max=0) == 0
    assert cache.find("k") is not None


def test_remains_of_a_killed_kernel_are_removed(own_cache: Path) -> None:
    cache.publish("k", bytes(10), {})
    left = own_cache / "artifacts" / ".new-left"
    left.mkdir()
    os.utime(left, (1, 1))
    cache.evict()

    assert not left.exists()


def test_used_bytes_and_clear(own_cache: Path) -> None:
    assert cache.used_bytes() == 0
    cache.publish("k", bytes(5000), {})
    used = cache.used_bytes()

    assert used > 5000
    assert cache.clear() == used
    assert cache.used_bytes() == 0
    assert cache.find("k") is None


STATEFUL = """
var n: i32 = 6;
pub fn kept(at: usize) i32 {
    const p: *allowzero volatile u8 = @ptrFromInt(at);
    if (at > 0) p.* = 1;
    n += 1;
    return n;
}
"""


def test_a_cleared_cache_leaves_what_is_loaded(compiled: Build, own_cache: Path) -> None:
    artifact = compiled(STATEFUL)
    library = toolchain.load(artifact)
    cache.clear()

    assert library.call("kept", [0]) == 7
    with pytest.raises(NativeFault):
        library.call("kept", [16])
    assert library.call("kept", [0]) == 7, "loaded afresh, from memory"
    with pytest.raises(ToolchainError, match="gone from the cache"):
        toolchain.load(artifact)


@pytest.mark.usefixtures("fresh_warnings", "zig_there")
@pytest.mark.parametrize("kind", ["a file in the way", "below a file"])
def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> None:
    """A file where the folder should be: the one obstacle that also stops the superuser."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("PROJECT_O_CACHE", str(blocked if kind == "a file in the way" else blocked / "below"))
    program = Program("p", "zig", (("cell.zig", f"pub fn f() i32 {{ return 4; }} // {kind}"),))
    with pytest.warns(RuntimeWarning, match="PROJECT_O_CACHE to another folder") as caught:
        artifact = toolchain.build(program)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = toolchain.build(program)
        toolchain.mark_tried(artifact.key, "f")

    assert len(caught) == 1
    assert again.cached
    assert toolchain.tried(artifact.key, "f")
    assert toolchain.load(artifact).call("f", []) == 4
    *_, check = toolchain.status()
    assert not check.ok
    assert "PROJECT_O_CACHE" in check.todo


@pytest.mark.usefixtures("fresh_warnings")
def test_a_read_only_folder(own_cache: Path, request: pytest.FixtureRequest) -> None:
    own_cache.mkdir()
    own_cache.chmod(0o500)
    request.getfixturevalue("ordinary_user")
    with pytest.warns(RuntimeWarning, match="cannot be written"):
        cache.publish("k", b"library", {})

    assert cache.find("k") is not None


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PROJECT_O_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert toolchain.cache_directory() == tmp_path / "project-o"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert toolchain.cache_directory().is_relative_to(tmp_path)
    monkeypatch.setenv("PROJECT_O_CACHE", "~/here")
    assert toolchain.cache_directory() == tmp_path / "here"


BUILDER = """
import sys
from project_o import toolchain
from project_o.values import Program
for k in range(4):
    source = f"pub fn f() i32 {{ return {k}; }}"
    library = toolchain.load(toolchain.build(Program("p", "zig", (("cell.zig", source),))))
    assert library.call("f", []) == k
print("well")
"""


def test_several_kernels_build_the_same_at_once(own_cache: Path, zig_there: Path) -> None:
    """From an empty cache: the compiler's own, the guard, and four cells, in three processes."""
    running = [
        subprocess.Popen([sys.executable, "-c", BUILDER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=120) for process in running]

    assert [out for out, _ in said] == ["well\n"] * 3, said
    assert all(not item.name.startswith(".") for item in (own_cache / "artifacts").iterdir())
