"""What a proposed text asks its compiler to read is not there: nothing of it is in the artifact or in the error.

Each case has its control: the same text, built with the user's rights, has the secret in the library or in the error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from project_o import sandbox, toolchain
from project_o.errors import CompileError, ProjectOError
from project_o.toolchain.compiler import Finished, Job, run
from project_o.toolchain.locked import Locked
from project_o.values import Program

SECRET = "swordfish_4711_" * 8  # long enough not to end up in the code itself

ZIG = {
    "assembly": """comptime {
    asm (
        \\\\.data
        \\\\.incbin "PATH"
    );
}
pub fn f() usize { return 1; }
""",
}
RUST = {
    "include_str": 'pub fn f() -> String { include_str!("PATH").to_string() }\n',
    "include_bytes": 'pub fn f() -> Vec<u8> { include_bytes!("PATH").to_vec() }\n',
    "include_bytes upwards": 'pub fn f() -> Vec<u8> { include_bytes!("UPWARDS").to_vec() }\n',
    "include": 'pub fn f() { include!("PATH") }\n',
    "assembly": """core::arch::global_asm!(".data\\n.globl seen\\nseen: .incbin \\"PATH\\"");
unsafe extern "C" { static seen: u8; }
pub fn f() -> u8 { unsafe { seen } }
""",
    "a variable": 'pub fn f() -> String { env!("O_TEST_SECRET").to_string() }\n',
    "a variable that may be there": 'pub fn f() -> String { option_env!("O_TEST_SECRET").unwrap_or("").to_string() }\n',
    "the environment's file": 'pub fn f() -> Vec<u8> { include_bytes!("/proc/self/environ").to_vec() }\n',
}
REFUSED_BY_ZIG = {
    "absolute": 'pub fn f() usize { const s = @embedFile("PATH"); return s.len + s[0]; }\n',
    "upwards": 'pub fn f() usize { const s = @embedFile("UPWARDS"); return s.len + s[0]; }\n',
    "import": 'const m = @import("PATH");\npub fn f() usize { return m.x; }\n',
    "C": 'const c = @cImport(@cInclude("PATH"));\npub fn f() usize { return c.x; }\n',
}
"""What Zig itself lets no file do, whoever builds it."""


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file and a variable that a build must not see."""
    path = tmp_path / "secret.txt"
    path.write_text(f"{SECRET}\n")
    monkeypatch.setenv("O_TEST_SECRET", SECRET)
    return path


@pytest.fixture(scope="module")
def box(rust_there: str) -> Iterator[sandbox.Sandbox]:
    with sandbox.Sandbox(wall_seconds=60, cpu_seconds=60) as made:
        yield made


def program(language: str, source: str, secret: Path) -> Program:
    upwards = "../" * 12 + str(secret).lstrip("/")
    text = source.replace("PATH", str(secret)).replace("UPWARDS", upwards)
    return Program("cell", language, ((f"cell.{'zig' if language == 'zig' else 'rs'}", text),))


def told(build: Callable[[], Any]) -> str:
    """All that a build gives away: its library's bytes, or the error with everything that it carries."""
    try:
        return Path(build().path).read_bytes().decode("latin-1")
    except CompileError as error:
        return f"{error} {error.diagnostics}"
    except ProjectOError as error:
        return str(error)


CASES = [("zig", name, text) for name, text in ZIG.items()] + [("rust", name, text) for name, text in RUST.items()]


@pytest.mark.parametrize(("language", "name", "text"), CASES, ids=[f"{a} {b}" for a, b, _ in CASES])
def test_a_proposed_text_reads_nothing(
    box: sandbox.Sandbox, secret: Path, build_cache: Path, language: str, name: str, text: str
) -> None:
    wanted = program(language, text, secret)

    assert SECRET in told(lambda: toolchain.build(wanted)), "the control shows nothing"
    assert SECRET not in told(lambda: toolchain.build(wanted, box=box))
    for path in (build_cache / "zig").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


@pytest.mark.parametrize("name", REFUSED_BY_ZIG)
def test_what_zig_refuses_everybody_says_nothing_of_the_file(box: sandbox.Sandbox, secret: Path, name: str) -> None:
    wanted = program("zig", REFUSED_BY_ZIG[name], secret)

    with pytest.raises(CompileError) as caught:
        toolchain.build(wanted, box=box)
    assert SECRET not in f"{caught.value} {caught.value.diagnostics}"
    assert caught.value.diagnostics[0].line == 1


class Plants:
    """A runner that leaves a link to the secret beside the text before the build begins."""

    def __init__(self, runner: Callable[[Job], Finished], secret: Path) -> None:
        self.runner, self.secret = runner, secret

    def __call__(self, job: Job) -> Finished:
        link = job.folder / "cell" / "link"
        if not link.is_symlink():
            link.symlink_to(self.secret)
        return self.runner(job)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zig", 'pub fn f() []const u8 { return @embedFile("link"); }\n'),
        ("rust", 'pub fn f() -> String { include_str!("link").to_string() }\n'),
    ],
)
def test_a_link_beside_the_text_leads_nowhere(box: sandbox.Sandbox, secret: Path, language: str, text: str) -> None:
    wanted = program(language, text, secret)

    assert SECRET in told(lambda: toolchain.build(wanted, runner=Plants(run, secret)))
    assert SECRET not in told(lambda: toolchain.build(wanted, box=box, runner=Plants(Locked(box, language), secret)))


def test_the_compiler_sees_neither_our_environment_nor_our_folder(box: sandbox.Sandbox, secret: Path) -> None:
    text = 'pub fn f() -> String { concat!(env!("HOME"), env!("PATH"), env!("TMPDIR")).to_string() }\n'

    seen = told(lambda: toolchain.build(program("rust", text, secret), box=box))

    assert os.environ["HOME"] + "/" not in seen.replace(str(Path(toolchain.locate_rust().path).parent), "")
    assert str(Path.cwd()) not in seen
