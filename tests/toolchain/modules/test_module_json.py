"""What a module.json may say, where modules are found, and the name of a folder as git has it."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from project_o.errors import UsageError
from project_o.toolchain import modules
from project_o.toolchain.modules.manifest import read
from project_o.toolchain.naming import git_tree

GOOD = {
    "name": "sample",
    "version": "1.2.3",
    "description": "A sample.",
    "zig": "0.17.1",
    "exports": ["f"],
    "dependencies": {"other": "1.0"},
    "system_libs": ["m"],
    "hot_reload": True,
}


def written(folder, body):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "module.json").write_text(body if isinstance(body, str) else json.dumps(body))
    return folder


def test_all_of_it_is_read(tmp_path):
    found = read(written(tmp_path / "sample", GOOD))

    assert (found.name, found.version, found.language, found.language_version) == ("sample", "1.2.3", "zig", "0.17.1")
    assert (found.dependencies, found.system_libs, found.exports) == ((("other", "1.0"),), ("m",), ("f",))
    assert (found.hot_reload, found.place, found.source.name) == (True, "zig/sample", "sample.zig")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Sample"}, "name is 'Sample': it wants a name of small letters"),
        ({"name": "../sample"}, "name is"),
        ({"version": "1.2"}, "version is '1.2': it wants a version such as \"1.2.3\""),
        ({"version": "01.2.3"}, "version is"),
        ({"version": 1}, "version is 1"),
        ({"description": " "}, "description is ' ': it wants a sentence"),
        ({"exports": []}, r"exports is \[\]: it wants the names"),
        ({"exports": ["f", "f"]}, "exports is"),
        ({"exports": "f"}, "exports is 'f'"),
        ({"exports": ["a b"]}, "exports is"),
        ({"dependencies": ["other"]}, "dependencies is"),
        ({"system_libs": ["-lm"]}, "system_libs is"),
        ({"system_libs": ["m\nx"]}, "system_libs is"),
        ({"hot_reload": "yes"}, "hot_reload is 'yes': it wants true or false"),
        ({"zig": "latest"}, "zig is 'latest'"),
        ({"rust": "1.85"}, "name the language and its version in one field"),
        ({"zig": None, "rust": None}, "name the language"),
        ({"licence": "MIT"}, "has licence, which is no field: the fields are name, version"),
    ],
)
def test_what_cannot_be_meant_is_named_with_what_is_wanted(tmp_path, change, words):
    with pytest.raises(UsageError, match=words) as raised:
        read(written(tmp_path / "sample", {**GOOD, **change}))
    assert "module.json" in str(raised.value)


@pytest.mark.parametrize("field", ["name", "version", "description", "exports"])
def test_a_field_that_is_missing_is_named(tmp_path, field):
    with pytest.raises(UsageError, match=f"has no {field}"):
        read(written(tmp_path / "sample", {key: value for key, value in GOOD.items() if key != field}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not valid JSON"),
        ("[1]", "has to be an object"),
        ("\udcff".encode("utf-8", "surrogateescape").decode("latin1"), "not valid JSON"),
    ],
)
def test_a_file_that_is_no_object_is_named(tmp_path, text, words):
    with pytest.raises(UsageError, match=words):
        read(written(tmp_path / "sample", text))


def test_a_module_is_found_in_the_first_folder_that_has_it(tmp_path):
    near = written(tmp_path / "a" / "counter", {**GOOD, "name": "counter"})
    deep = written(
        tmp_path / "b" / "rust" / "counter",
        {**{k: v for k, v in GOOD.items() if k != "zig"}, "name": "counter", "rust": "1.85"},
    )

    assert modules.find("counter", [tmp_path / "a", tmp_path / "b"]).folder == near
    assert modules.find("rust/counter", [tmp_path / "a", tmp_path / "b"]).folder == deep
    assert modules.find("counter", [near]).folder == near, "the folder of the module itself"
    assert modules.find("zig/counter", [tmp_path / "b"]).folder == modules.ours() / "zig" / "counter"
    assert modules.find("counter", []).place == "zig/counter", "Zig before Rust"


def test_what_is_not_found_is_told_with_what_is_there(tmp_path):
    written(tmp_path / "sample", GOOD)
    with pytest.raises(UsageError, match=r"no module simple in .*: the modules there are zig/sample, .*zig/counter"):
        modules.find("simple", [tmp_path])
    with pytest.raises(UsageError, match="names no module"):
        modules.find("go/simple", [tmp_path])
    with pytest.raises(UsageError, match="is no folder"):
        modules.find("counter", [tmp_path / "nowhere"])
    (tmp_path / "sample").rename(tmp_path / "other")
    with pytest.raises(UsageError, match="holds the module sample: the folder has to have the module's name"):
        modules.find("other", [tmp_path])


def test_a_list_leaves_out_what_cannot_be_meant(tmp_path):
    written(tmp_path / "sample", GOOD)
    written(tmp_path / "broken", "{")

    assert [item.place for item in modules.found_in([tmp_path])][:1] == ["zig/sample"]
    assert not any("broken" in item.place for item in modules.found_in([tmp_path]))


def test_a_module_for_another_compiler_is_refused(tmp_path):
    old = written(tmp_path / "sample", {**GOOD, "zig": "0.13.0"})
    with pytest.raises(UsageError, match=r"was written for Zig 0\.13\.0, and this is Zig 0\.17\.1"):
        modules.program_of(read(old))


def test_a_module_for_a_newer_rust_is_refused(tmp_path, rust_there):
    body = {**{key: value for key, value in GOOD.items() if key != "zig"}, "rust": "9.0"}
    with pytest.raises(UsageError, match=r"needs Rust 9\.0, and this is Rust 1\.\d+\.\d+: update it"):
        modules.program_of(read(written(tmp_path / "sample", body)))


def test_the_sources_are_those_of_the_module_and_not_what_stands_beside_it(tmp_path):
    folder = written(tmp_path / "sample", {**GOOD, "dependencies": {}})
    for name in ("sample.zig", "helper.zig", "parts/deep.zig", "sample_fuzz.zig", "sample_benchmark.zig", ".x.zig"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")

    assert [path for path, _ in modules.program_of(read(folder)).files] == [
        "sample.zig",
        "helper.zig",
        "parts/deep.zig",
    ]
    (folder / "sample.zig").unlink()
    with pytest.raises(UsageError, match="the module sample cannot be read"):
        modules.program_of(read(folder))


def test_a_folder_has_the_name_that_git_gives_it(tmp_path):
    folder = tmp_path / "repository"
    files = {"a.zig": "x", "a/b.zig": "y", "a.b/c": "z", "deep/er/d": "", "run.sh": "#!/bin/sh\n", "umlaut-\u00fc": "1"}
    for name, text in files.items():
        (folder / "m" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "m" / name).write_text(text)
    (folder / "m" / "run.sh").chmod(0o755)
    (folder / "m" / "link").symlink_to("a.zig")
    (folder / "m" / "empty").mkdir()
    git = [str(shutil.which("git")), "-C", str(folder), "-c", "core.excludesFile="]
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    tree = subprocess.run([*git, "write-tree"], check=True, capture_output=True, text=True).stdout.strip()
    expected = subprocess.run(
        [*git, "rev-parse", f"{tree}:m"], check=True, capture_output=True, text=True
    ).stdout.strip()

    (folder / "m" / "__pycache__").mkdir()
    (folder / "m" / "__pycache__" / "x.pyc").write_text("made while it ran")
    (folder / "m" / ".hidden").write_text("of an editor")
    assert git_tree(folder / "m") == expected
    (folder / "m" / "a.zig").write_text("changed")
    assert git_tree(folder / "m") != expected
