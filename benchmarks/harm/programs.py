"""What serves before a mutation comes: each with a faster text, places where it can be made wrong, and inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["python", "zig", "lisp"]


@dataclass(frozen=True)
class Served:
    """``BUSY`` in a text is where more work can be put. ``faults`` are edits that make it wrong: (what, by what).

    ``inputs`` is Python source of argument tuples, with numpy as ``np``. ``faster`` does the same in less time.
    """

    name: str
    language: Language
    source: str
    faster: str
    faults: tuple[tuple[str, str], ...]
    inputs: str


SQUARES = Served(
    "squares",
    "python",
    """def squares(values):
    total = 0.0
    for value in values:
        BUSY
        square = value * value
        if square > 4.0:
            total += square
    return total
""",
    """def squares(values):
    BUSY
    return sum([value * value for value in values if value * value > 4.0], 0.0)
""",
    (
        ("> 4.0", ">= 9.0"),
        ("total += square", "total -= square"),
        ("value * value", "value + value"),
        ("= 0.0", "= 1.0"),
    ),
    "[([(k % 13) / 2 - 3 for k in range(400)],), ([k / 7 for k in range(150)],)]",
)
COUNTS = Served(
    "counts",
    "python",
    """def counts(text):
    found = {}
    for letter in text:
        BUSY
        if letter in found:
            found[letter] = found[letter] + 1
        else:
            found[letter] = 1
    return sorted(found.items())
""",
    """def counts(text):
    BUSY
    return sorted((letter, text.count(letter)) for letter in set(text))
""",
    (("+ 1", "+ 2"), ("= 1", "= 0"), ("in text:", "in text[1:]:"), ("sorted(found.items())", "list(found.items())")),
    '[("".join(chr(97 + k * k % 11) for k in range(700)),), ("zyxw" * 90,)]',
)
NEAREST = Served(
    "nearest",
    "zig",
    """pub fn nearest(points: []const f64, at: f64) u32 {
    var best: u32 = 0;
    for (points, 0..) |point, k| {
        BUSY
        const apart = @abs(point - at);
        const known = @abs(points[best] - at);
        if (apart < known) best = @intCast(k);
    }
    return best;
}
""",
    """pub fn nearest(points: []const f64, at: f64) u32 {
    BUSY
    var best: u32 = 0;
    var known: f64 = @abs(points[0] - at);
    for (points[1..], 1..) |point, k| {
        const apart = @abs(point - at);
        if (apart < known) {
            best = @intCast(k);
            known = apart;
        }
    }
    return best;
}
""",
    (("apart < known", "apart > known"), ("point - at", "point + at"), ("best: u32 = 0", "best: u32 = 1")),
    "[((np.arange(900.0) * 7.0) % 311.0, 100.3), (np.arange(400.0), 17.0), (np.arange(50.0) - 25.0, -3.2)]",
)
STEPS = Served(
    "steps",
    "lisp",
    """(defagent steps
  "Counts the steps of a number down to one."
  (setv n (int message) count 0)
  (while (> n 1)
    BUSY
    (setv n (if (= (% n 2) 0) (// n 2) (+ (* 3 n) 1)))
    (+= count 1))
  (str count))
""",
    """(defagent steps
  "Counts the steps of a number down to one."
  BUSY
  (setv n (int message) count 0)
  (while (> n 1)
    (setv n (if (& n 1) (+ n n n 1) (>> n 1)) count (+ count 1)))
  (str count))
""",
    (
        ("(> n 1)", "(> n 2)"),
        ("(str count)", "(str (- count 1))"),
        ("(+= count 1)", "(+= count 2)"),
        ("(// n 2)", "(// n 4)"),
    ),
    '[("27",), ("97",), ("871",), ("6171",)]',
)
PROGRAMS = (SQUARES, COUNTS, NEAREST, STEPS)


def plain(text: str) -> str:
    """A text with nothing put where something could be."""
    return "".join(line for line in text.splitlines(keepends=True) if line.strip() != "BUSY")


def busy(text: str, work: str) -> str:
    """A text with ``work`` put there, in its lines' own depth."""
    lines = []
    for line in text.splitlines(keepends=True):
        if line.strip() == "BUSY":
            depth = line[: len(line) - len(line.lstrip())]
            lines += [f"{depth}{part}\n" for part in work.splitlines()]
        else:
            lines.append(line)
    return "".join(lines)
