"""What holds for every view: no script, nothing from outside, the same numbers in text and HTML, bounded size."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from project_o import errors, limits, view
from project_o.lives import Moment
from project_o.values import (
    Deployment,
    Diagnostic,
    Interface,
    NativeFunction,
    NativeType,
    Program,
    State,
    ToolUse,
    Turn,
    Verdict,
)

HTML_BYTES_MAX = 128 * 1024
VOID = {"br"}
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


class Page(HTMLParser):
    """Parses strictly: every element closed in order; keeps tags, attributes, and the text outside pictures."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "svg" not in self.open:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")

    @property
    def words(self) -> str:
        return " ".join(self.text)


def numbers_of(text: str) -> set[str]:
    return set(NUMBER.findall(text))


def without_drawings(plain: str) -> str:
    """The text without what only text has: line numbers of the gutter stay, rules and bars do not matter."""
    return re.sub(r"[─│├└#\-]+", " ", plain)


def check_harmless(html: str) -> Page:
    parsed = Page(html)
    for tag, attributes in parsed.tags:
        assert tag not in {"script", "style", "iframe", "object", "embed", "link", "img", "a", "form", "foreignobject"}
        for name, value in attributes.items():
            assert not name.startswith("on"), f"{tag} {name}"
            assert name not in {"href", "src", "xlink:href", "action"}
            lowered = (value or "").lower()
            assert name == "aria-label" or not re.search(r"javascript:|https?://|//|url\(|expression\(", lowered)
    return parsed


def test_every_view_is_script_free_and_closed(sample):
    check_harmless(sample().html)


def test_text_and_html_carry_the_same_numbers(sample):
    shown = sample()
    in_html = numbers_of(Page(shown.html).words)
    # An ordered list counts by itself in HTML, and a bar is a drawing with its own percentage beside it.
    plain = re.sub(r"(?m)^  \d+\. ", "  ", shown.plain)

    assert numbers_of(plain) == in_html


def test_every_picture_has_words(sample):
    pictures = [attributes for tag, attributes in Page(sample().html).tags if tag == "svg" or "role" in attributes]
    for attributes in pictures:
        assert attributes["role"] == "img"
        assert (attributes["aria-label"] or "").strip()


def test_every_table_names_its_columns_or_rows(sample):
    for tag, attributes in Page(sample().html).tags:
        if tag == "th":
            assert attributes["scope"] in ("col", "row")


def test_sizes_are_bounded(sample):
    shown = sample()

    assert len(shown.html.encode()) < HTML_BYTES_MAX
    assert max(map(len, shown.plain.split("\n"))) < 400


def test_the_bundle_is_what_jupyter_takes(sample):
    shown = sample()

    assert {"text/plain": shown.plain, "text/html": shown.html} == shown._repr_mimebundle_()
    assert repr(shown) == shown.plain
    assert shown.plain.strip()


def test_no_surrogates_or_control_characters(sample):
    shown = sample()
    for text in (shown.plain, shown.html):
        text.encode("utf-8")
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)


def test_no_instruction_beside_its_line_is_cut_off():
    shown = view.show_annotation("f", "return 1;", [("f", [(1, "", ["lea rcx, [rip + " + "a" * 200 + "]"])])])

    blocks = re.findall(r"<pre[^>]*>", shown.html)
    assert len(blocks) == 2
    assert all(block.count("white-space:pre-wrap") == 1 for block in blocks)
    assert "overflow-wrap:anywhere" in blocks[1]


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m&\"'\x07\u202e javascript:x"


def hostile_displays() -> list[view.Display]:
    diagnostic = Diagnostic("error", HOSTILE, 1, 3, HOSTILE, 8)
    kind = NativeType("int", bits=64, signed=True)
    interface = Interface((NativeFunction(HOSTILE, ((HOSTILE, kind),), kind, HOSTILE),), ((HOSTILE, HOSTILE),))
    return [
        view.show_compile_error(errors.CompileError(HOSTILE, (diagnostic,)), cell=HOSTILE),
        view.show_annotation(
            HOSTILE, HOSTILE, [(HOSTILE, [(1, "", [HOSTILE]), (0, HOSTILE, [HOSTILE])])], detail=HOSTILE
        ),
        view.show_module(HOSTILE, interface, notes=(HOSTILE,)),
        view.show_program(Program(HOSTILE, "zig", ((HOSTILE, HOSTILE), (HOSTILE, HOSTILE)), options=(HOSTILE,))),
        view.show_diff(HOSTILE, HOSTILE * 2, before_name=HOSTILE),
        view.show_changes([{"change": HOSTILE, "id": HOSTILE, "diff": HOSTILE}], before=HOSTILE),
        view.show_verdict(Verdict(True, (HOSTILE,), HOSTILE), name=HOSTILE),
        view.show_history([State("ab", 1, HOSTILE, HOSTILE, HOSTILE, 0.0)], name=HOSTILE),
        view.show_state(State("ab", 1, HOSTILE, HOSTILE, HOSTILE, 0.0, (), ((HOSTILE, HOSTILE),)), source=HOSTILE),
        view.show_serving([Deployment(HOSTILE, HOSTILE, "zig", (HOSTILE,), 1.0, 0.0)]),
        view.show_table(HOSTILE, [HOSTILE], [[HOSTILE]], note=HOSTILE),
        view.show_error(errors.UsageError(HOSTILE), todo=HOSTILE),
    ]


@pytest.mark.parametrize("k", range(12))
def test_hostile_text_is_only_text(k):
    shown = hostile_displays()[k]

    parsed = check_harmless(shown.html)
    assert "alert(1)" in parsed.words
    for text in (shown.plain, shown.html):
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\u202e" not in text


def test_show_finds_the_view_of_a_type():
    for kind in view.VIEWS:
        assert isinstance(kind, type)
    assert "Native panic" in view.show(errors.NativePanic("boom")).plain
    assert "1 error" in view.show(errors.CompileError("no", (Diagnostic("error", "bad"),))).plain
    with pytest.raises(TypeError, match="no view"):
        view.show(object())


def test_tables_are_cut_and_say_so():
    many = [State(f"{k:040x}", k, "lane", "cell", "x = 1", 0.0) for k in range(limits.TABLE_ROWS_MAX + 25)]

    shown = view.show_history(many)

    assert shown.plain.count("x = 1") == limits.TABLE_ROWS_MAX
    assert "and 25 more" in shown.plain
    assert "and 25 more" in Page(shown.html).words


def test_a_long_conversation_is_bounded_and_says_what_is_not_shown():
    use = ToolUse("read", (("path", "p" * 9_000),), "r" * 90_000)
    turns = [Turn("reader", f"message {k} {'m' * 9_000}", "a" * 9_000, (use,) * 40) for k in range(300)]

    shown = view.show_conversation(turns, name="reader")

    assert "message 299 " in shown.plain
    left_out = int(re.search(r"(\d+) earlier turns not shown", shown.plain)[1])
    assert left_out + shown.html.count("message ") == 300
    assert "[88,000 more characters]" in shown.plain
    assert "and 24 more calls" in shown.plain
    assert len(shown.html) < 3 * limits.CONVERSATION_SHOWN_CHARACTERS_MAX


def test_a_thumb_stands_above_the_turn_it_is_about():
    turns = [Moment("turn", f"{k}", state=f"{k}" * 40, seconds=1.0) for k in range(3)]

    def place(about):
        html = view.show_moments([*turns, Moment("feedback", "good", thumb="up", about=about)]).html
        return float(re.search(r'<text x="([\d.]+)"[^>]*>\+</text>', html)[1])

    assert place("0" * 10) < place("1" * 10) < place("2" * 10) == place("")


def test_a_class_that_shows_itself():
    class Thing(view.Shown):
        def view(self) -> view.Display:
            return view.show_table("thing", ["name"], [["one"]])

    assert "thing" in repr(Thing())
    assert set(Thing()._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_views_load_nothing_heavy():
    code = (
        "import sys, project_o.view; "
        "print([m for m in ('numpy', 'IPython', 'optuna', 'git', 'ipykernel') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert answer.stdout.strip() == "[]"


def test_contents_name_every_view():
    assert view.__doc__ is not None
    for name in view.__all__:
        assert name in view.__doc__, f"{name} is missing from the contents in the docstring of project_o.view"
        assert getattr(view, name).__doc__
