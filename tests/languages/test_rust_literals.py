"""The compiler as a witness: every literal of Rust means to us what it means to rustc."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from project_o.languages import rust as language
from project_o.languages import tools_for

RUST = tools_for("rust")

STRINGS = ["", "a", 'q"\\', "\n\r\t\0", "é\N{GRINNING FACE}", "\x01\x7f\x85", "\N{RIGHT-TO-LEFT OVERRIDE}", "{}", "'"]
LITERALS = [r'"\x41\u{1_F600}\'\"\0"', '"a\\\n   b"', 'r"a\\n"', 'r#"a"b"#', '"a\nb"']
NUMBERS = ["8_usize", "-1_000i64", "0x1f32", "0o17_u8", "0b1_0", "010"]
REALS = ["1f64", "-1.5e3_f64", "2.", "1e+2", "1_0.5_0e-1_f64"]


def test_the_compiler_reads_every_literal_as_we_do(tmp_path: Path, lacking: Callable[[str, str], None]) -> None:
    if shutil.which(os.environ.get("RUSTC", "rustc")) is None:
        lacking("rust", "there is no rustc here")
    written = [language.spell(text, "string") for text in STRINGS] + LITERALS
    reals = [repr(value) for value in (1e-7, 1e16, 0.1, -2.5)] + REALS
    prints = [f'println!("{{:?}}", ({literal}).as_bytes());' for literal in written]
    prints += [f'println!("{{:?}}", {number});' for number in NUMBERS]
    prints += [f'{{ const A: f64 = {real}; println!("{{:?}}", A); }}' for real in reals]
    (tmp_path / "a.rs").write_text("fn main() {\n" + "\n".join(prints) + "\n}\n", encoding="utf-8")
    subprocess.run(
        [os.environ.get("RUSTC", "rustc"), "--edition=2021", "-Awarnings", "a.rs"],
        cwd=tmp_path,
        check=True,
        timeout=120,
    )
    told = subprocess.run([tmp_path / "a"], capture_output=True, text=True, check=True, timeout=60).stdout.split("\n")

    def ours(literal: str) -> object:
        source = f"const A: T = {literal};"
        found = next(iter(language._scan(source).constants))
        assert source.encode()[found.start : found.end].decode() in literal
        return found.value

    for literal in written:
        assert list(str(ours(literal)).encode()) == [int(byte) for byte in told.pop(0).strip("[]").split(",") if byte]
    for literal in NUMBERS + reals:
        assert float(told.pop(0)) == ours(literal)
