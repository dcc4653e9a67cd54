"""What functions on texts promise. Each strategy draws (arguments, answer), known by how they were made."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

Drawn = Any
WORD = st.text("abcdefxyz", min_size=1, max_size=7)
WORDS = st.lists(WORD, max_size=7)


@st.composite
def blocks(draw: Drawn) -> Any:
    """Without a place to break, blocks are as long as allowed; of equal words without overlap each holds whole ones."""
    size = draw(st.integers(8, 24))
    if draw(st.booleans()):
        text, overlap = draw(st.text("abcdefgh", max_size=90)), draw(st.integers(0, 6))
        starts = [0]
        while len(text) - starts[-1] > size:
            starts.append(starts[-1] + size - overlap)
        return (text, size, overlap), [(k, text[k : k + size]) for k in starts]
    length = draw(st.integers(1, 3))
    words = draw(st.lists(st.text("abc", min_size=length, max_size=length), min_size=1, max_size=30))
    found, at = [], 0
    while len(" ".join(words)) > size:
        own = size // (length + 1)
        found.append((at, " ".join(words[:own]) + " "))
        words, at = words[own:], at + len(found[-1][1])
    text = "".join(piece for _, piece in found) + " ".join(words)
    return (text, size, 0), [*found, (at, " ".join(words))]


@st.composite
def block_end(draw: Drawn) -> Any:
    """Behind the last paragraph, line, sentence or word, whichever there is first, that ends in the second half."""
    size, start = draw(st.integers(4, 24)), draw(st.integers(0, 12))
    letters = draw(st.sampled_from(["a", "ab ", "ab. ", "ab. \n", "abcdef \n"]))
    text = draw(st.text(letters, min_size=start + size + 1, max_size=start + size + 12))
    half = range(start + size // 2, start + size)
    for mark in ("\n\n", "\n", ". ", " "):
        ends = [at + len(mark) for at in half if text[at:].startswith(mark) and at + len(mark) <= start + size]
        if ends:
            return (text, start, size), ends[-1]
    return (text, start, size), start + size


@st.composite
def block_begin(draw: Drawn) -> Any:
    """At the first word that begins in what overlaps, else as far back as allowed; never at the last beginning."""
    start, length, overlap = draw(st.integers(0, 12)), draw(st.integers(1, 20)), draw(st.integers(0, 24))
    end = start + length
    letters = draw(st.sampled_from(["ab", "abcd ", "ab "]))
    text = draw(st.text(letters, min_size=end, max_size=end + 10))
    first = next(at for at in range(end + 2) if at > start and at >= end - overlap)
    words = [at + 1 for at in range(first, end) if text[at] == " "]
    return (text, start, end, overlap), end if overlap == 0 else words[0] if words else first


@st.composite
def secret(draw: Drawn) -> Any:
    """Eight characters and more under a name that ends as secrets' do; of keys and tokens, letters and digits only."""
    ends = ["KEY", "TOKEN", "SECRET", "PASSWORD", "password", "key", "NAME", "KEYS", ""]
    name = draw(st.sampled_from(["", "API_", "my"])) + draw(st.sampled_from(ends))
    value = draw(st.text("abc123 ", min_size=5, max_size=11) | st.text("ab1", min_size=7, max_size=9) | WORD)
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from([((7, value), False), ((name, 12345678), False), ((name, None), False)]))
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value) and " " not in value
    kind = name.lower()
    right = kind.endswith(("secret", "password")) or (kind.endswith(("key", "token")) and mixed)
    return (name, value), len(value) >= 8 and right


@st.composite
def folder(draw: Drawn) -> Any:
    """Letters, digits and ``_`` stay, ``-`` is ``_``, all else is its code."""
    pairs = [("a", "a"), ("Z", "Z"), ("7", "7"), ("_", "_"), ("-", "_"), (" ", "%20"), ("/", "%2f"), ("é", "%e9")]
    drawn = draw(st.lists(st.sampled_from([*pairs, (".", "%2e"), ("%", "%25"), ("日", "%65e5")]), max_size=9))
    return ("".join(a for a, _ in drawn),), "".join(b for _, b in drawn)


@st.composite
def token_count(draw: Drawn) -> Any:
    """Four for a message, and one for each begun four characters."""
    text = draw(st.text("abc ", max_size=70))
    return (text,), 4 + len([text[k : k + 4] for k in range(0, len(text), 4)])


@st.composite
def cut(draw: Drawn) -> Any:
    """The head as it was, and the note where anything is missing."""
    head, rest = draw(st.text("abc\n", max_size=20)), draw(st.sampled_from(["", "x", "xyz", "xy" * 700]))
    note = f"\n[... {len(rest):,} of {len(head + rest):,} characters left out]" if rest else ""
    return (head + rest, len(head)), head + note


@st.composite
def written_literal(draw: Drawn) -> Any:
    """What a value is written as reads as it; a point behind a number is the sentence's; a word is itself."""
    ends = draw(st.sampled_from(["", ".", "!", "?", "?!"]))
    words = {"true": True, "False": False, "none": None, "NULL": None}
    kind = draw(st.integers(0, 5))
    if kind == 0:
        word = draw(st.sampled_from(sorted(words)))
        return (word + ends,), words[word]
    if kind == 1:
        number = draw(st.integers(-999, 999) | st.integers(-40, 40).map(lambda k: k / 8))
        return (f"{number}{ends}",), number
    if kind == 2:
        value = draw(st.lists(st.integers(0, 9), max_size=3) | st.dictionaries(WORD, st.integers(0, 9), max_size=2))
        return (repr(value),), value
    if kind == 3:
        text = draw(st.text("ab .!?", max_size=8))
        return (repr(text),), text
    if kind == 4:
        text = draw(st.sampled_from(["!", "?!", "[a", "(1", "'a", "[1,!", "{x."]))
        return (text,), text
    word = draw(WORD)
    return (word + ends,), word


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-999, 999)
    | st.sampled_from([0.5, -2.25, 1e30])
    | st.text('ab"\\ é]}', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('ab "', max_size=3), inner, max_size=3),
    max_leaves=6,
)


def written(kind: Any) -> Any:
    """JSON anywhere in a text reads as its value, and is left behind its last character."""

    @st.composite
    def drawn(draw: Drawn) -> Any:
        value = draw(kind)
        before, behind = draw(st.sampled_from(["", "(f x: ", "a"])), draw(st.sampled_from(["", ")", " y: 1)", "]"]))
        wide = draw(st.booleans())
        text = json.dumps(value, ensure_ascii=False, separators=(" , ", " : ") if wide else (",", ":"))
        return (f"{before}{text}{behind}", len(before), draw(st.integers(0, 2))), (value, len(before) + len(text))

    return drawn()


@st.composite
def loopback(draw: Drawn) -> Any:
    """``localhost`` and what ends in it, 127 of IPv4 and ::1; nothing else."""
    byte = st.integers(0, 255)
    hosts = [("localhost", True), (f"{draw(WORD)}.localhost", True), (f"{draw(WORD)}localhost", False), ("[::1]", True),
             (f"127.0.{draw(byte)}.{draw(byte)}", True), (f"10.0.{draw(byte)}.1", False), ("[::2]", False),
             (f"{draw(WORD)}.example", False), ("", False), ("localhost.example", False)]  # fmt: skip
    host, right = draw(st.sampled_from(hosts))
    return (f"http://{host}{draw(st.sampled_from(['', ':8000', ':8000/v1', '/localhost']))}",), right


@st.composite
def server_words(draw: Drawn) -> Any:
    """One line of words; of a page its title, else what a reader sees of it; 300 characters; no point at the end."""
    words = draw(WORDS)
    spaces = draw(st.sampled_from([" ", "\n", "\t ", "\x07", "  "]))
    kind = draw(st.integers(0, 3))
    if kind == 0:
        page = f"<HTML><head><title>{spaces.join(words)}</title></head><body>hidden</body>"
        return (page,), ("an HTML page, " + " ".join(words)).strip()
    if kind == 1:
        page = f"<html><script>x = 1</script><body><p>{'</p><p>'.join(words)}</p>{spaces}a &amp; b.</body></html>"
        return (page,), " ".join(["an HTML page,", *words, "a & b"])
    if kind == 2:
        length = draw(st.integers(296, 304))
        return ("a" * length,), "a" * length if length <= 300 else "a" * 299 + "…"
    return (spaces.join(words) + draw(st.sampled_from(["", ".", "...", spaces])),), " ".join(words)


@st.composite
def name_slug(draw: Drawn) -> Any:
    """The words in lower case with a dash between them, at most 40 characters, never one at an end."""
    words = draw(st.lists(st.text("abzAZ09", min_size=1, max_size=9), max_size=9))
    between = st.sampled_from(["-", " ", "_", " -- ", "é", "."])
    text = "".join(word + draw(between) for word in words)
    edge = draw(st.sampled_from(["", "-", "  "]))
    whole = "-".join(words).lower()[:40]
    return (edge + text + edge,), whole.removesuffix("-") or "state"


@st.composite
def trailer(draw: Drawn) -> Any:
    """Each word with a capital behind an ``O-``, of which there is one."""
    words = draw(st.lists(st.text("abxYZ7", min_size=1, max_size=5).filter(lambda word: word not in "oO"), max_size=4))
    first = draw(st.sampled_from(["", "", "o-", "O-"]))
    text = "".join(word + draw(st.sampled_from(["_", "-", " ", "__", "."])) for word in words)
    return (first + text,), "-".join(["O", *([word[0].upper() + word[1:] for word in words] or ["Fact"])])


@st.composite
def saying_line(draw: Drawn) -> Any:
    """The first line that is not blank."""
    blank = draw(st.lists(st.sampled_from(["", " ", "\t"]), max_size=3))
    lines = draw(st.lists(WORD, max_size=3))
    text = "\n".join([*blank, *(f"  {line} " for line in lines)])
    return (text,), lines[0] if lines else "(empty)"


@st.composite
def comment(draw: Drawn) -> Any:
    """A ``#`` at the beginning or behind a space begins one, unless a quotation is open."""
    parts = st.sampled_from(["a", "b#c", "x = 1", "'a # b'", '"it\'s # x"', "'say \"# hi'", "#", "''"])
    drawn = draw(st.lists(parts, max_size=5))
    at = next((k for k, part in enumerate(drawn) if part == "#"), len(drawn))
    line = " ".join(drawn)
    kept = " ".join(drawn[:at]) + (" " if 0 < at < len(drawn) else "")
    return (line,), kept


@st.composite
def integer_literal(draw: Drawn) -> Any:
    """The number that Python writes in this way; None for what it does not."""
    number = draw(st.integers(0, 5000))
    sign = draw(st.sampled_from(["", "-"]))
    value = -number if sign else number
    forms = [(f"{number}", value), (f"{number:_}", value), (f"{number:#x}", value), (f"{number:#o}", value),
             (f"{number:#b}", value), (f"{number:#_x}", value), (f"0{number}", None if number or sign else 0),
             (f"{number}.0", None), (f"{number}a", None), ("0x", None), ("", None)]  # fmt: skip
    text, right = draw(st.sampled_from(forms))
    if text.startswith("0") and text.strip("0") == "" and len(text) > 1:
        right = None
    return (sign + text,), right


@st.composite
def clipped(draw: Drawn) -> Any:
    """One line of the words; where it is too long, its head and an ellipsis, no space before it."""
    words = draw(WORDS)
    spaces = draw(st.sampled_from([" ", "\n", "  "]))
    line, most = " ".join(words), draw(st.integers(2, 30))
    if len(line) <= most:
        return (spaces + spaces.join(words), most), line
    return (spaces.join(words), most), line[: most - 1].removesuffix(" ") + "…"
