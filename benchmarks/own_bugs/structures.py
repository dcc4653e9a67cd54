"""What functions on lists and dicts promise: (arguments, answer), the answer by how the question was made."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Drawn = Any
WORD = st.text("abcxyz", min_size=1, max_size=4)


@st.composite
def request(draw: Drawn) -> Any:
    """What was asked last, at most 80 characters; else how many texts there are."""
    if draw(st.booleans()):
        texts = draw(st.lists(WORD, max_size=5))
        return (draw(st.sampled_from([{"embed": texts}, {"embed": texts, "messages": []}])),), repr(
            f"{len(texts)} texts"
        )
    length = draw(st.sampled_from([0, 1, 5, 78, 79, 80, 81, 82, 200]))
    text = ("ab'c" * 50)[:length]
    said = [*draw(st.lists(WORD, max_size=2)), text]
    right = repr(text) if length <= 80 else repr(text[:79] + "…")
    return ({"messages": [{"role": "user", "text": item} for item in said], "embed": ["a"]},), right


_LEAVES = st.sampled_from(
    [
        (1, 1),
        ("a", "a"),
        (None, None),
        (True, True),
        (0.5, 0.5),
        (float("inf"), "inf"),
        (-float("inf"), "-inf"),
        (b"x", "b'x'"),
        (1j, "1j"),
        ("", ""),
    ]
)


def _listed(pairs: list[Any]) -> Any:
    return [a for a, _ in pairs], [b for _, b in pairs]


def _as_tuple(pairs: list[Any]) -> Any:
    return tuple(a for a, _ in pairs), [b for _, b in pairs]


def _as_dict(pairs: list[Any]) -> Any:
    keys: list[Any] = [1, "a", None, 2.5]
    return dict(zip(keys, [a for a, _ in pairs])), dict(zip(map(str, keys), [b for _, b in pairs]))  # noqa: B905


PLAIN = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4).flatmap(
        lambda pairs: st.sampled_from([_listed, _as_tuple, _as_dict]).map(lambda kind: kind(pairs))
    ),
    max_leaves=8,
).map(lambda pair: ((pair[0],), pair[1]))
"""JSON stays; tuples are lists, keys are texts, and all else is as it is shown."""


@st.composite
def output(draw: Drawn) -> Any:
    """Lists of lines are one text, but not inside of JSON; all else stays."""
    given: dict[str, Any] = {"output_type": draw(WORD)}
    right = dict(given)
    lines = draw(st.lists(WORD, max_size=3))
    kind = draw(st.integers(0, 3))
    if kind == 0:
        given["text"], right["text"] = lines, "".join(lines)
    elif kind == 1:
        given["text"] = right["text"] = draw(WORD)
    if kind >= 1:
        whole = draw(WORD)
        given["data"] = {"text/plain": lines, "image/png": whole, "application/json": lines, "a/x+json": lines}
        right["data"] = given["data"] | {"text/plain": "".join(lines)}
        if kind == 3:
            given["data"] = right["data"] = whole
    return (given,), right


@st.composite
def crossed(draw: Drawn) -> Any:
    """What both have, and at each place where they differ the one that was chosen."""
    first: list[str] = []
    second: list[str] = []
    made, taken = [], []
    for _ in range(draw(st.integers(0, 4))):
        both = draw(st.lists(WORD, max_size=2))
        first, second, made = first + both, second + both, made + both
        mine, theirs, choice = draw(st.lists(WORD, max_size=2)), draw(st.lists(WORD, max_size=2)), draw(st.booleans())
        place = (len(first), len(first) + len(mine), len(second), len(second) + len(theirs))
        taken.append((place, choice))
        first, second, made = first + mine, second + theirs, made + (theirs if choice else mine)
    tail = draw(st.lists(WORD, max_size=2))
    return (first + tail, second + tail, taken), "".join(made + tail)


@st.composite
def spans(draw: Drawn) -> Any:
    """Numbers that follow each other are a span."""
    found, numbers, at = [], [], draw(st.integers(1, 5))
    for _ in range(draw(st.integers(0, 5))):
        length = draw(st.sampled_from([1, 1, 2, 3, 4]))
        own = list(range(at, at + length))
        found.append(str(own[0]) if length == 1 else f"{own[0]}-{own[-1]}")
        numbers += own
        at += length + draw(st.integers(1, 4))
    return (numbers,), ", ".join(found)


@st.composite
def trimmed(draw: Drawn) -> Any:
    """The empty lines around the one, and of the other at most as many at each end."""
    ends = [draw(st.integers(0, 2)) for _ in range(4)]
    core, other = draw(st.lists(WORD, min_size=1, max_size=3)), draw(st.lists(WORD, min_size=1, max_size=3))
    if len(core) > 1 and draw(st.booleans()):
        core.insert(1, "")
    blank = draw(st.sampled_from(["", "  "]))
    search = [blank] * ends[0] + core + [blank] * ends[1]
    replace = [""] * ends[2] + other + [""] * ends[3]
    left = [""] * max(0, ends[2] - ends[0]), [""] * max(0, ends[3] - ends[1])
    return (search, replace), (core, left[0] + other + left[1])


@st.composite
def kinds_of_lines(draw: Drawn) -> Any:
    """Of a unified diff: its heads, its hunks, and as many lines below each as it says, whatever they look like."""
    lines, kinds = ["--- a", "+++ b"], ["head", "head"]
    if draw(st.booleans()):
        lines, kinds = ["diff --git a b", "index 12..34", *lines], ["head", "head", *kinds]
    for _ in range(draw(st.integers(0, 3))):
        body = draw(st.lists(st.sampled_from([" ", "+", "-"]), min_size=1, max_size=5))
        old, new = (sum(kind in signs for kind in body) for signs in (" -", " +"))
        counts = [f",{count}" if count != 1 or draw(st.booleans()) else "" for count in (old, new)]
        lines.append(f"@@ -{draw(st.integers(1, 9))}{counts[0]} +1{counts[1]} @@ def f")
        kinds.append("hunk")
        for kind in body:
            lines.append(kind + draw(st.sampled_from(["a", "", "-- a", "++ b", "@@ -1 +1 @@"])))
            kinds.append(kind)
            if draw(st.integers(0, 5)) == 0 and kind != body[-1]:
                lines.append("\\ No newline")
                kinds.append(" ")
    return (lines,), kinds


@st.composite
def rises(draw: Drawn) -> Any:
    """The first of each run of equal ratios."""
    runs = draw(st.lists(st.tuples(st.sampled_from([1.0, 1.5, 2.0, 3.0]), st.integers(1, 3)), max_size=5))
    history: list[tuple[int, float]] = []
    kept: list[tuple[int, float]] = []
    for ratio, length in runs:
        if not kept or kept[-1][1] != ratio:
            kept.append((len(history), ratio))
        history += [(len(history) + k, ratio) for k in range(length)]
    return (history,), kept
