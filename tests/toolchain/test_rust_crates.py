"""``--dep``: crates by the user's own cargo, from its cache first, and one clear error where they cannot be had."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from project_o import rust, toolchain, zig
from project_o.errors import ToolchainError, ToolchainMissing, UsageError
from project_o.flow import Flow
from project_o.sandbox import shared_builder
from project_o.toolchain.rust import crates
from project_o.values import Program

NOWHERE = "sparse+http://127.0.0.1:9/"


def write_crate(folder: Path, name: str, text: str, version: str = "1.2.3", more: str = "") -> Path:
    """A crate as it is published: no dependency but ``more``."""
    (folder / "src").mkdir(parents=True, exist_ok=True)
    manifest = f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2021"\n[dependencies]\n{more}\n'
    (folder / "Cargo.toml").write_text(manifest)
    (folder / "src" / "lib.rs").write_text(text)
    (folder / ".cargo-checksum.json").write_text(json.dumps({"files": {}, "package": None}))
    return folder


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rust_there: str) -> Path:
    """A cargo of our own whose cache is a folder, and whose network is closed."""
    home, shelf_ = tmp_path / "cargo-home", tmp_path / "shelf"
    home.mkdir()
    write_crate(
        shelf_ / "doubler",
        "doubler",
        "pub fn double(x: u64) -> u64 { helper_crate::twice(x) }",
        more='helper-crate = "1"',
    )
    write_crate(shelf_ / "helper-crate", "helper-crate", "pub fn twice(x: u64) -> u64 { 2 * x }")
    (home / "config.toml").write_text(
        f'[source.crates-io]\nreplace-with = "shelf"\n[source.shelf]\ndirectory = "{shelf_}"\n'
    )
    monkeypatch.setenv("CARGO_HOME", str(home))
    return shelf_


def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path(os.environ["CARGO_HOME"])
    (home / "config.toml").write_text(
        f'[source.crates-io]\nreplace-with = "nowhere"\n[source.nowhere]\nregistry = "{NOWHERE}"\n'
    )
    monkeypatch.setenv("CARGO_NET_RETRY", "0")


def called(source: str, *lines: str, function: str = "f", args: Any = (), files: Any = ()) -> Any:
    options = tuple(crates.PREFIX + line for line in lines)
    program = Program("cell", "rust", (("cell.rs", source), *files), options=options)
    return toolchain.load(toolchain.build(program)).call(function, args)


def test_a_crate_of_the_cache_is_compiled_and_used_with_what_it_needs_itself(shelf: Path) -> None:
    assert called("use doubler::double;\npub fn f(x: u64) -> u64 { double(x) }", 'doubler = "1"', args=(21,)) == 42
    assert called("pub fn f(x: u64) -> u64 { helper_crate::twice(x) }", 'helper-crate = "1.2"', args=(4,)) == 8
    renamed = 'short = { package = "helper-crate", version = "1" }'
    assert called("pub fn f(x: u64) -> u64 { short::twice(x) }", renamed, args=(5,)) == 10


def test_crates_are_compiled_once(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "pub fn f(x: u64) -> u64 { doubler::double(x) + 1 }"
    assert called(source, 'doubler = "1"', args=(1,)) == 3

    def gone(_rust: Any) -> str:
        raise AssertionError("cargo is asked again")

    monkeypatch.setattr(crates, "_locate", gone)
    assert called(source.replace("+ 1", "+ 2"), 'doubler = "1"', args=(1,)) == 4


def test_a_text_that_nobody_has_read_is_built_with_the_crates_of_its_cell(shelf: Path, lacking: Any) -> None:
    source = "pub fn f(x: u64) -> u64 { doubler::double(x) }"
    assert called(source, 'doubler = "1"', args=(1,)) == 2
    proposed = Program("cell", "rust", (("cell.rs", source + " // proposed"),), options=('dep:doubler = "1"',))
    box = shared_builder()
    if box.build_refusal:
        lacking("locked-builds", f"none can be had here: {box.build_refusal}")
    assert toolchain.load(toolchain.build(proposed, box=box)).call("f", (4,)) == 8


def test_a_crate_in_a_folder_is_part_of_the_key(shelf: Path, tmp_path: Path) -> None:
    mine = write_crate(tmp_path / "mine", "mine", "pub fn three() -> u64 { 3 }")
    line = f'mine = {{ path = "{mine}" }}'
    assert called("pub fn f() -> u64 { mine::three() }", line) == 3
    (mine / "src" / "lib.rs").write_text("pub fn three() -> u64 { 33 }")
    assert called("pub fn f() -> u64 { mine::three() }", line) == 33


def test_tests_of_the_cell_annotations_and_importers_have_the_crates_too(shelf: Path) -> None:
    flow = Flow()
    test = "\n#[test] fn doubles() { assert_eq!(f(2), 4); }"
    source = "pub fn f(x: u64) -> u64 { doubler::double(x) }" + test
    flow.cell(source, "rust", "user", tests=True, trial=False, crates=['doubler = "1"'])
    module = flow.cell("use user;\npub fn g(x: u64) -> u64 { user::f(x) + 1 }", "rust", "above", trial=False)

    assert module.g(4) == 9
    assert [name for name, _ in toolchain.annotate(module.slot.version.artifact.program)] == ["g"]


def test_the_same_from_python(shelf: Path) -> None:
    made = rust("pub fn f(x: u64) -> u64 { doubler::double(x) }", "made", crates=['doubler = "1"'], trial=False)
    root = zig('extern "c" fn cbrt(x: f64) f64;\npub fn root(x: f64) f64 { return cbrt(x); }', "made2", links=["m"])

    assert made.f(8) == 16
    assert root.root(8.0) == pytest.approx(2.0)


def test_what_is_neither_in_the_cache_nor_to_be_fetched_is_one_clear_error(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline(monkeypatch)
    with pytest.raises(
        ToolchainError, match=r"--dep absent = \"1\": cargo cannot get it: .*Connect to the network once"
    ) as told:
        called("pub fn f() {}", 'absent = "1"')
    assert "\n" not in str(told.value)


def test_a_text_that_is_not_the_user_s_never_reaches_for_the_network(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline(monkeypatch)
    asked: list[str] = []

    def noted(job: toolchain.Job) -> toolchain.Finished:
        asked.append(" ".join(job.argv))
        return real(job)

    real = crates.run
    monkeypatch.setattr(crates, "run", noted)
    for online, expected in ((False, [True]), (True, [True, False])):
        asked.clear()
        with pytest.raises(ToolchainError):
            crates.compiled(toolchain.locate_rust(), ('absent = "2"',), online=online)
        assert ["--offline" in words for words in asked] == expected


def test_a_crate_or_a_version_that_there_is_not_is_told(shelf: Path) -> None:
    with pytest.raises(
        ToolchainError, match=r"cargo cannot get it: no matching package named `missing` found.*Look at its name"
    ):
        called("pub fn f() {}", 'missing = "1"')
    with pytest.raises(ToolchainError, match=r"cargo cannot get it: failed to select a version .*Look at its name"):
        called("pub fn f() {}", 'doubler = "7"')


def test_a_crate_that_does_not_compile_is_told_in_the_compiler_s_words(shelf: Path, tmp_path: Path) -> None:
    broken = write_crate(tmp_path / "broken", "broken", "pub fn f() -> u64 { missing }")
    with pytest.raises(ToolchainError, match=r"cargo says .*\n(.*\n)*.*cannot find value `missing`"):
        called("pub fn f() {}", f'broken = {{ path = "{broken}" }}')


def test_without_cargo_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, rust_there: str, tmp_path: Path
) -> None:
    compiler = replace(toolchain.locate_rust(), sysroot=str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ToolchainMissing, match="--dep needs cargo, which is not beside rustc and not on the PATH: inst"
    ):
        crates.compiled(compiler, ('doubler = "3"',), online=True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rand", "cannot be read"),
        ("rand = 0.9", "no crate and its version"),
        ('a = "1"\nb = "2"', "names 2 crates"),
        ('"a b" = "1"', "no crate and its version"),
        ('a = { path = "nowhere" }', "there is no Cargo.toml in"),
        ("", "names 0 crates"),
    ],
)
def test_a_line_that_is_no_crate_says_how_to_write_one(line: str, words: str, rust_there: str) -> None:
    with pytest.raises(UsageError, match=words):
        called("pub fn f() {}", line)
