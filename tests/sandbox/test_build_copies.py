"""Folders of which each build has a copy, and where builds work: a private one, gone afterwards, at every level."""

import os
import shutil

import pytest

from project_o import limits
from project_o.errors import UsageError
from project_o.sandbox import Sandbox, build_memory


@pytest.fixture(scope="module", params=[(), ("namespaces",)], ids=["highest level", "without namespaces"])
def box(request, lacking):
    if shutil.which("cc") is None:
        lacking("cc", "no C compiler on the PATH")
    with Sandbox(wall_seconds=30, cpu_seconds=20, deny=request.param) as made:
        yield made


@pytest.fixture
def kept(tmp_path):
    """A folder of the kernel's side, as a compiler's cache is."""
    folder = tmp_path / "kept"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "value.h").write_text("#define VALUE 7\n")
    (folder / ".hidden").write_text("no")
    (folder / "link.h").symlink_to("/etc/hostname")
    return folder


def test_a_build_reads_its_copy_and_cannot_change_the_original(box, kept):
    files = {"a.c": '#include "mine/deep/value.h"\nint seven = VALUE;\n'}

    built = box.build(["cc", "-c", "a.c", "-o", "mine/deep/value.h"], files, outputs=["mine/deep/value.h"],
                      copies={"mine": kept})  # fmt: skip

    assert built.ok, built.errors
    assert built.files["mine/deep/value.h"].startswith(b"\x7fELF")
    assert (kept / "deep" / "value.h").read_text() == "#define VALUE 7\n"


@pytest.mark.parametrize("name", [".hidden", "link.h"])
def test_links_and_what_is_hidden_are_not_copied(box, kept, name):
    built = box.build(["cc", "-c", "a.c"], {"a.c": f'#include "mine/{name}"\n'}, copies={"mine": kept})

    assert not built.ok
    assert "No such file" in built.errors


def test_nothing_of_a_build_stays_in_memory(box, monkeypatch):
    monkeypatch.setattr(limits, "BUILD_MEMORY_FREE_BYTES_MIN", 1 << 20)
    where = build_memory.shared_folder()
    assert where.startswith("/dev/shm/")

    assert box.build(["cc", "-c", "a.c"], {"a.c": "int x;"}).files.keys() == {"a.o"}

    assert [name for name in os.listdir(where) if name.startswith("o-build-")] == []


def test_a_build_works_on_the_disk_where_memory_has_no_room(box, kept, monkeypatch):
    monkeypatch.setattr(limits, "BUILD_MEMORY_FREE_BYTES_MIN", 1 << 60)
    assert build_memory.shared_folder() == ""

    built = box.build(["cc", "-c", "a.c"], {"a.c": '#include "mine/deep/value.h"\nint a = VALUE;\n'},
                      copies={"mine": kept})  # fmt: skip

    assert built.ok, built.errors


def test_a_copy_lies_inside_the_builds_folder(box, kept):
    with pytest.raises(UsageError, match="must be relative"):
        box.build(["cc", "-c", "a.c"], {"a.c": ""}, copies={"../mine": kept})


def test_what_a_build_writes_counts_wherever_it_works(box, monkeypatch):
    monkeypatch.setattr(limits, "BUILD_SCRATCH_BYTES", 3 << 20)
    many = '.incbin "big"\n' * 64

    built = box.build(["cc", "-c", "a.s"], {"a.s": f".data\n{many}", "big": bytes(1 << 20)})

    assert built.ended == "scratch-quota", built
