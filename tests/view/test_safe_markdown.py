"""A model's Markdown in a notebook: it reads as it was meant, and nothing in it can act."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from project_o import limits
from project_o.values import ToolUse, Turn, Usage
from project_o.view import safe_markdown, show_turn, turn_bundle

RENDER = MarkdownIt("commonmark", {"html": True}).enable("table")
ACTS = re.compile(
    r"<(?!/?(?:p|br|em|strong|code|pre|ol|ul|li|blockquote|h[1-6]|hr|a|table|thead|tbody|tr|th|td)\b)", re.I
)

PIECES = st.sampled_from(
    ["<script>alert(1)</script>", "<img src=x onerror=y>", "```", "````", "~~~", "`", "``", "\n", "\n\n", " ", "   ",
     "    ", "- ", "1. ", "> ", "a", "b < c", "&lt;script&gt;", "&#60;b&#62;", "[x](javascript:y)",
     "[x](&#106;avascript:y)",
     "![x](http://example/secret)", "\\", "*", "_", "|", "<!--", "-->", "<?", "<![CDATA[", "</p>", "<a@b.c>", "\t",
     "python"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join))
@example("- a\n  ```\n<script>x</script>\n")
@example("~~~ `\n<script>x</script>\n~~~\n")
@example("```\n```~~~\n<script>x</script>\n")
@example("`<script>`\n\n`<script>")
@example("  ```\n<b>\n```\n<script>")
def test_nothing_becomes_an_element_an_acting_link_or_an_image(text):
    html = RENDER.render(safe_markdown(text))
    found = ACTS.search(html)
    assert found is None, html[max(0, found.start() - 40) : found.start() + 40]
    assert not re.search(r'href="\s*(javascript|vbscript|data):', html, re.I), html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bold** and `code`", "<strong>bold</strong> and <code>code</code>"),
        ("```zig\na < b and c<d\n    <b>\n```", '<code class="language-zig">a &lt; b and c&lt;d\n    &lt;b&gt;'),
        ("use `vector<int>`", "<code>vector&lt;int&gt;</code>"),
        ("1 < 2", "1 &lt; 2"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "<td>1</td>"),
        ("[site](https://example.org/)", '<a href="https://example.org/">site</a>'),
        ("- one\n- two", "<li>one</li>"),
    ],
)  # fmt: skip
def test_ordinary_markdown_reads_as_it_was_meant(text, html):
    assert html in RENDER.render(safe_markdown(text))


TURN = Turn(
    "calculator", "add a: 1 b: <b>", "It is **3**.", (ToolUse("add", (("a", 1),), "<b>\n3", "", 0.01),),
    ("idle", "thinking", "acting", "thinking", "idle"), "scripted:m", Usage(2, 10, 5), 0.5,
)  # fmt: skip


def test_a_reply_is_markdown_and_text_and_never_html_of_its_own_type():
    bundle = turn_bundle(TURN)
    assert set(bundle) == {"text/markdown", "text/plain"}
    assert bundle["text/markdown"].startswith("It is **3**.")
    assert "<details><summary" in bundle["text/markdown"]
    assert "&lt;b&gt;" in bundle["text/markdown"]
    assert "add(a=1) -> <b> 3" in bundle["text/plain"]


def test_a_long_reply_is_shown_in_part():
    long = Turn("a", "m", "x" * 1_000_000)
    assert len(turn_bundle(long)["text/markdown"]) < limits.REPLY_SHOWN_CHARACTERS_MAX + 200
    assert "950,000 characters are not shown" in turn_bundle(long)["text/plain"]


def test_a_turn_on_one_page_says_what_happened():
    text = show_turn(TURN).plain
    for part in ("calculator: answered", "1 tool call", "scripted:m", "10 + 5 tokens", "idle thinking acting"):
        assert part in text
    failed = show_turn(Turn("a", "m", "", error="AgentError: no"))
    assert "a: failed" in failed.plain
    assert "AgentError: no" in failed.html
