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
from .progress import change_text
from .text import clean, clip, counted
from .trials import counts

TREE_LEVELS_MAX = 24
"""Deeper generations stay at this indentation, so that a long line of descent can still be read."""
TREE_LEAVES_MAX = 5
"""Children without children that the text shows of one node, the best first."""


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
    spoken = f"lineage of {counted(len(every), 'trial')}; {told}"
    cut = f"; {len(kept):,} of {len(every):,} trials are drawn" if len(kept) < len(every) else ""
    drawing = figure(_picture(kept, best, spoken + cut), told + cut)
    if not with_tree:
        return drawing
    return group([drawing, section("who came from whom"), _tree(every, best)])


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
    plain_edges: list[str] = []
    path_edges: list[str] = []
    for one, at in zip(kept, spots, strict=True):
        for k, parent in enumerate(one.parents):
            bold = one.on_path and kept[parent].on_path and k == 0
            (path_edges if bold else plain_edges).append(_edge(spots[parent], at))
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
    return chart.picture(
        chart.WIDTH,
        height,
        spoken,
        _edges(plain_edges, bold=False),
        _edges(path_edges, bold=True),
        join(*marks),
        *names,
        legend,
        axis,
    )


def _edge(parent: tuple[float, float], child: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = parent, child
    middle = (y1 + y2) / 2
    return f"M{x1:.1f} {y1:.1f}C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}"


def _edges(moves: list[str], *, bold: bool) -> Markup:
    """All edges of one kind as one path: where many overlap, a faint line stays faint."""
    return tag(
        "path",
        d="".join(moves),
        fill="none",
        stroke=style.ACCENT if bold else "currentColor",
        stroke_width=2.5 if bold else 1,
        opacity=None if bold else 0.25,
    )


# ------------------------------------------------------------------------------- the text


def _tree(every: list[Node], best: int | None) -> Part:
    """The tree with lines, each node below its first parent; ``*`` marks the winner's ancestors.

    Of many children without children of their own the best few are shown and the rest counted.
    """
    children: dict[int | None, list[int]] = {}
    for k, one in enumerate(every):
        children.setdefault(one.parents[0] if one.parents else None, []).append(k)
    lines: list[tuple[str, bool]] = []
    stack: list[tuple[int | str, str, str]] = [(k, "", "") for k in reversed(children.get(None, []))]
    while stack:
        item, lead, below = stack.pop()
        if isinstance(item, str):
            lines.append((lead + item, False))
            continue
        k = item
        lines.append((lead + _tree_line(every, k, best), every[k].on_path))
        mine = _few(every, children, k)
        for at, child in reversed(list(enumerate(mine))):
            end = at == len(mine) - 1
            inner = below + ("   " if end else "│  ")
            stack.append((child, below + ("└─ " if end else "├─ "), inner[: 3 * TREE_LEVELS_MAX]))
    shown = lines[: limits.TABLE_ROWS_MAX]
    html = join(*(tag("strong", text) if bold else text for text, bold in shown), between="\n")
    tree = Part("\n".join(text for text, _ in shown), tag("pre", html, style=style.PRE))
    return group([tree, left_out(len(lines) - len(shown))])


def _few(every: list[Node], children: dict[int | None, list[int]], k: int) -> list[int | str]:
    """The children of node ``k`` in order, with all but the best few childless ones replaced by one line of counts."""
    mine = children.get(k, [])
    leaves = [child for child in mine if child not in children and not every[child].on_path]
    if len(leaves) <= TREE_LEAVES_MAX + 1:
        return list(mine)
    by_ratio = sorted(leaves, key=lambda child: (-(every[child].record.ratio or 0.0), child))
    hidden = set(by_ratio[TREE_LEAVES_MAX:])
    told = ", ".join(f"{number:,} {status}" for status, number in counts([every[child].record for child in hidden]))
    return [*(child for child in mine if child not in hidden), f"… {len(hidden):,} more: {told}"]


def _tree_line(every: list[Node], k: int, best: int | None) -> str:
    one = every[k]
    proposal = one.record.proposal
    how = change_text(proposal)
    how = "" if how == one.record.status else how
    others = ", ".join(f"#{every[p].index}" for p in one.parents[1:])
    pieces = [_label(one), one.record.status, clip(clean(how), 60), f"also from {others}" if others else ""]
    mark = "* " if one.on_path else ""
    end = "  <- best" if best is not None and one.index == best else ""
    return mark + "  ".join(piece for piece in pieces if piece) + end
