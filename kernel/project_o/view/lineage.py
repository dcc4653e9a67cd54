"""Who came from whom: trials from left to right, generations from top to bottom, the best's ancestors marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import limits
from ..values import Record
from . import chart, numbers, style
from .display import Display, Part, group, page
from .markup import Markup, join, tag
from .parts import figure, left_out, note, section, title
from .progress import settings_text
from .text import clean, clip, counted
from .trials import counts


TREE_LEVELS_MAX = 24
"""Deeper generations stay at this indentation, so that a long line of descent can still be read."""


@dataclass(frozen=True, slots=True)
class Node:
    """A record in its place: ``parents`` are positions in the list of nodes, ``depth`` the generation."""

    record: Record
    parents: tuple[int, ...]
    depth: int
    on_path: bool = False

    @property
    def index(self) -> int:
        """The trial's number."""
        return self.record.proposal.index


def show_lineage(records: Sequence[Record], *, best: int | None = None, name: str = "") -> Display:
    """The tree of a run: picture and text. ``best`` is the index of the winner."""
    return page(title(name, detail=counted(len(records), "record")), lineage_part(records, best=best))


def lineage_part(records: Sequence[Record], *, best: int | None = None, with_tree: bool = True) -> Part:
    """The same for the inside of a page; without ``with_tree`` the text is only the winner's ancestors."""
    every = nodes(records, best)
    if not every:
        return note("nothing was tried yet")
    kept = _kept(every)
    path = [one for one in every if one.on_path]
    told = f"from the first to the best: {' → '.join(_label(one) for one in path)}" if path else "no best trial"
    drawing = figure(_picture(kept, best, f"lineage of {counted(len(every), 'trial')}; {told}"), told)
    if not with_tree:
        return drawing
    return group([drawing, section("who came from whom"), _tree(kept, best), left_out(len(every) - len(kept))])


def nodes(records: Sequence[Record], best: int | None = None) -> list[Node]:
    """Records with their parents found by content digest (or by trial number), and the ancestors of ``best`` marked."""
    places: dict[str, int] = {}
    made: list[Node] = []
    for k, record in enumerate(records):
        named = (places.get(parent) for parent in record.proposal.parents)
        parents = tuple(dict.fromkeys(at for at in named if at is not None))
        depth = 1 + max((made[at].depth for at in parents), default=-1)
        made.append(Node(record, parents, depth))
        places.setdefault(record.proposal.program.digest, k)
        places.setdefault(str(record.proposal.index), k)
    path = _ancestors(made, best)
    return [Node(one.record, one.parents, one.depth, k in path) for k, one in enumerate(made)]


def _ancestors(made: list[Node], best: int | None) -> set[int]:
    """The positions of ``best`` and of its first parents, up to the root."""
    at = next((k for k, one in enumerate(made) if best is not None and one.index == best), None)
    path: set[int] = set()
    while at is not None and at not in path:
        path.add(at)
        at = made[at].parents[0] if made[at].parents else None
    return path


def _kept(every: list[Node]) -> list[Node]:
    """At most ``limits.LINEAGE_NODES_MAX`` nodes: the path, whoever has children, then the better ones."""
    if len(every) <= limits.LINEAGE_NODES_MAX:
        return every
    has_children = {parent for one in every for parent in one.parents}
    order = sorted(
        range(len(every)),
        key=lambda k: (not every[k].on_path, k not in has_children, -(every[k].record.ratio or 0.0), k),
    )
    chosen = sorted(order[: limits.LINEAGE_NODES_MAX])
    moved = {old: new for new, old in enumerate(chosen)}
    return [
        Node(one.record, tuple(moved[p] for p in one.parents if p in moved), one.depth, one.on_path)
        for one in (every[k] for k in chosen)
    ]


def _label(node: Node) -> str:
    ratio = f" {numbers.ratio(node.record.ratio)}" if node.record.ratio is not None else ""
    return f"#{node.index}{ratio}"


# ------------------------------------------------------------------------------- the picture


def _picture(kept: list[Node], best: int | None, spoken: str) -> Markup:
    depths = 1 + max(one.depth for one in kept)
    step = max(15.0, min(40.0, 260.0 / depths))
    height = 24 + step * (depths - 1) + 52
    last = max(one.index for one in kept)
    first = min(one.index for one in kept)
    width = chart.WIDTH - 24 - 90

    def spot(node: Node) -> tuple[float, float]:
        return 24 + width * (node.index - first) / ((last - first) or 1), 24 + step * node.depth

    spots = [spot(one) for one in kept]
    plain_edges: list[Markup] = []
    path_edges: list[Markup] = []
    for one, at in zip(kept, spots, strict=True):
        for k, parent in enumerate(one.parents):
            bold = one.on_path and kept[parent].on_path and k == 0
            (path_edges if bold else plain_edges).append(_edge(spots[parent], at, bold=bold))
    marks = [
        chart.mark("best" if best is not None and one.index == best else one.record.status, *at)
        for one, at in zip(kept, spots, strict=True)
    ]
    names = [
        chart.label(x + 9, y - 5, _label(one) + (" best" if one.index == best else ""), strong=True)
        for one, (x, y) in zip(kept, spots, strict=True)
        if one.on_path
    ]
    shown = [*counts([one.record for one in kept]), *([("best", 0)] if best is not None else [])]
    legend = chart.legend(shown, height - 6, x=20)
    axis = chart.label(chart.WIDTH - 4, height - 24, "trial →", anchor="end", faint=True)
    return chart.picture(chart.WIDTH, height, spoken, *plain_edges, *path_edges, join(*marks), *names, legend, axis)


def _edge(parent: tuple[float, float], child: tuple[float, float], *, bold: bool) -> Markup:
    (x1, y1), (x2, y2) = parent, child
    middle = (y1 + y2) / 2
    return tag(
        "path",
        d=f"M{x1:.1f} {y1:.1f}C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}",
        fill="none",
        stroke=style.ACCENT if bold else "currentColor",
        stroke_width=2.5 if bold else 1,
        opacity=None if bold else 0.22,
    )


# ------------------------------------------------------------------------------- the text


def _tree(kept: list[Node], best: int | None) -> Part:
    """The tree with lines, each node below its first parent; ``*`` marks the winner's ancestors."""
    children: dict[int | None, list[int]] = {}
    for k, one in enumerate(kept):
        children.setdefault(one.parents[0] if one.parents else None, []).append(k)
    lines: list[tuple[str, bool]] = []
    stack = [(k, "", "") for k in reversed(children.get(None, []))]
    while stack:
        k, lead, below = stack.pop()
        lines.append((lead + _tree_line(kept, k, best), kept[k].on_path))
        mine = children.get(k, [])
        for at, child in reversed(list(enumerate(mine))):
            end = at == len(mine) - 1
            inner = below + ("   " if end else "│  ")
            stack.append((child, below + ("└─ " if end else "├─ "), inner[: 3 * TREE_LEVELS_MAX]))
    html = join(*(tag("strong", text) if bold else text for text, bold in lines), between="\n")
    return Part("\n".join(text for text, _ in lines), tag("pre", html, style=style.PRE))


def _tree_line(kept: list[Node], k: int, best: int | None) -> str:
    one = kept[k]
    proposal = one.record.proposal
    how = settings_text(proposal.settings) or proposal.operator
    how = "" if how == one.record.status else how
    others = ", ".join(f"#{kept[p].index}" for p in one.parents[1:])
    pieces = [_label(one), one.record.status, clip(clean(how), 60), f"also from {others}" if others else ""]
    mark = "* " if one.on_path else ""
    end = "  <- best" if best is not None and one.index == best else ""
    return mark + "  ".join(piece for piece in pieces if piece) + end
