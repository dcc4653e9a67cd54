"""What untrusted code says reaches this side as text in which nothing hides, by whatever way it comes."""

import json
import shutil

import pytest

from project_o import hidden
from project_o.sandbox import Sandbox
from project_o.toolchain import build, guard_path
from project_o.values import Program

TRICKS = (
    "seen \x1b[31m\x1b[2J \x1b]0;title\x07 \x1b]8;;http://x\x1b\\click\x1b]8;;\x1b\\ \x1bP1$r\x1b\\"
    " \x9b31m rejected\raccepted\b"
    " \u202e\u2066\u200e\u200b\ufeff\u00ad\u2028\u3164 \U000e0041 \ufff9\ufffa <script>alert(1)</script> end"
)
SAID = repr(TRICKS)
MOST = 1 << 20


def python(box, source):
    with box.python(source) as job:
        answer = job.ask("f")
        return [job.loaded.log, job.loaded.error, answer.log, answer.error, answer.error_name]


def lisp(box, source):
    with box.lisp(source) as job:
        return [job.loaded.log, job.loaded.error, job.ask("f").error]


def native(box, text, *args):
    artifact = build(Program("hostile", "zig", (("cell.zig", text),)))
    with box.native(artifact.path, artifact.interface, guard_path()) as job:
        answer = job.ask("f", args)
        return [
            answer.log,
            answer.error,
            answer.error_name,
            json.dumps(answer.fault),
            *map(str, (answer.fault or {}).values()),
        ]


def compiler(box, *argv, **files):
    built = box.build(argv, {name.replace("_", "."): text for name, text in files.items()}, outputs=())
    return [built.errors, built.why]


ZIG_TEXT = "".join(f"\\u{{{ord(c):x}}}" for c in TRICKS)
WAYS = {
    "printed": lambda box: python(box, f"def f(): print({SAID})"),
    "written to its errors": lambda box: python(box, f"import os\ndef f(): os.write(2, {SAID}.encode())"),
    "printed while loading": lambda box: python(box, f"print({SAID})\ndef f(): pass"),
    "an error's text": lambda box: python(box, f"def f(): raise ValueError({SAID})"),
    "an error's name": lambda box: python(box, f"def f(): raise type({SAID}, (Exception,), {{}})('x')"),
    "an error while loading": lambda box: python(box, f"raise ValueError({SAID})"),
    "the line of an error": lambda box: python(
        box, f"def f():\n    1 / 0  # {TRICKS.replace(chr(13), '').replace(chr(0x2028), '')}"
    ),
    "the name of a module": lambda box: python(box, f"def f(): __import__({SAID})"),
    "a syntax error": lambda box: python(box, f"def f(): return '{TRICKS.replace(chr(13), ' ')}' +"),
    "a name that is not there": lambda box: python(box, f"def f(): return globals()[{SAID}]"),
    "an error in Lisp": lambda box: lisp(box, f"(defn f [] (raise (ValueError {json.dumps(TRICKS)})))"),
    "Lisp that cannot be read": lambda box: lisp(box, f'(defn f [] "{TRICKS}'),
    "the name of an error value": lambda box: native(
        box, f'pub fn f() error{{@"{ZIG_TEXT}"}}!void {{\n    return error.@"{ZIG_TEXT}";\n}}\n'
    ),
    "a panic's text": lambda box: native(box, f'pub fn f() void {{\n    @panic("{ZIG_TEXT}");\n}}\n'),
    "a compiler's error": lambda box: compiler(
        box,
        "zig",
        "build-obj",
        "a.zig",
        "--cache-dir",
        "c",
        "--global-cache-dir",
        "c",
        a_zig=f'comptime {{ @compileError("{ZIG_TEXT}"); }}',
    ),
    "a C compiler's error": lambda box: compiler(box, "cc", "-c", "a.c", a_c=f"#error {TRICKS}"),
    "a forged answer": lambda box: python(
        box,
        f"""
import json, os, sys
def f():
    frame = sys._getframe()
    while "question" not in frame.f_locals: frame = frame.f_back
    line = {{"id": frame.f_locals["question"]["id"], "ok": False, "error": {SAID}, "name": {SAID}}}
    os.write(4, json.dumps(line).encode() + b"\\n")
""",
    ),
}


@pytest.fixture(scope="module")
def box():
    with Sandbox(wall_seconds=30, cpu_seconds=30) as box:
        yield box


@pytest.mark.parametrize("way", WAYS)
def test_nothing_hides_in_what_is_said(box, way, lacking):
    if "C compiler" in way and not shutil.which("cc"):
        lacking("cc", "there is no C compiler")
    texts = WAYS[way](box)
    assert any("seen" in text for text in texts), texts
    for text in texts:
        assert hidden.replace(text, lambda _: "!") == text
        assert len(text) <= MOST


def test_an_evaluators_words_are_cleaned_too():
    with (
        Sandbox(profile="evaluator", wall_seconds=30) as box,
        box.evaluator(f"def evaluate(path): print({SAID}); raise OSError({SAID})") as job,
    ):
        answer = job.evaluate("")
    for text in (answer.log, answer.error):
        assert "seen" in text
        assert hidden.replace(text, lambda _: "!") == text


def test_what_is_denied_is_named_without_tricks():
    with (
        Sandbox(deny=("import:socket",)) as box,
        box.python("import socket") as job,
    ):
        assert job.loaded.ended == "denied"
        assert hidden.replace(job.loaded.error, lambda _: "!") == job.loaded.error
