"""What a run's archive holds: the grid with the best of each cell, the islands, the elites in words."""

from __future__ import annotations

from collections.abc import Sequence

from .. import limits
from ..population import Axis, Elite, Population
from . import chart, numbers, style
from .display import Display, Part, group, page
from .markup import Markup, join, tag
from .parts import Cell, Column, figure, note, table, title
from .text import counted

CELL_WIDTH_MAX, CELL_HEIGHT = 58, 30
LEFT, TOP, BOTTOM = 86, 26, 40
FAINTEST, FULLEST = 0.10, 0.62
"""How strongly the worst and the best cell are coloured: words on them can be read on white and on black."""


def show_archive(population: Population, *, best: int | None = None, name: str = "") -> Display:
    """The elites of a run on its islands and over its grid. ``best`` is the trial that the verdict is about."""
    return page(title(name, detail=_told(population)), archive_part(population, best=best))


def archive_part(population: Population, *, best: int | None = None) -> Part:
    """The same for the inside of a page."""
    if not population.elites:
        return note("the archive is empty: nothing was measured")
    return group([
        _grid(population, best) if population.axes else None,
        _islands(population) if population.islands > 1 else None,
        _elites(population, best),
    ])  # fmt: skip


def _told(population: Population) -> str:
    parts = [counted(len(population.elites), "elite")]
    if population.axes:
        taken = len({elite.cell for elite in population.elites})
        parts.append(f"{taken:,} of {population.cells:,} cells taken")
    if population.islands > 1:
        parts.append(f"{population.islands} islands, {counted(population.migrations, 'migration')}")
    return ", ".join(parts)


# ------------------------------------------------------------------------------- the grid


def _grid(population: Population, best: int | None) -> Part:
    """The best of each cell over the first two axes: of further axes, and of the islands, the best one is shown."""
    across, *more = population.axes
    down = more[0] if more else None
    shown: dict[tuple[int, int], Elite] = {}
    for elite in population.elites:  # the best come first
        shown.setdefault((elite.cell[0], elite.cell[1] if down else 0), elite)
    further = f"; of each cell the best over {', '.join(axis.name for axis in more[1:])}" if more[1:] else ""
    over = " and ".join(axis.name for axis in population.axes[:2])
    leader = population.elites[0]
    told = f"grid over {over}: {_told(population)}{further}; the best {numbers.ratio(leader.record.ratio)} is trial "
    told += f"{leader.record.proposal.index} at {_where(leader, population.axes)}"
    return figure(_picture(across, down, shown, best, told), told)


def _picture(
    across: Axis, down: Axis | None, shown: dict[tuple[int, int], Elite], best: int | None, spoken: str
) -> Markup:
    rows = down.bins if down else 1
    width = min(CELL_WIDTH_MAX, (chart.WIDTH - LEFT - 12) / across.bins)
    bottom = TOP + rows * CELL_HEIGHT
    order = sorted({elite.record.ratio or 0.0 for elite in shown.values()})
    marks = []
    for column in range(across.bins):
        for row in range(rows):
            x, y = LEFT + column * width, bottom - (row + 1) * CELL_HEIGHT
            elite = shown.get((column, row))
            marks.append(_cell(x, y, width, elite, order, best))
    names = [chart.label(LEFT, bottom + 32, f"{across.name} →", faint=True)]
    edges = across.edges()
    step = max(1, -(-across.bins // 8))
    names += [
        chart.label(LEFT + k * width, bottom + 15, _edge(edges[k]), anchor="middle")
        for k in range(0, across.bins + 1, step)
    ]
    if down:
        heights = down.edges()
        names.append(chart.label(4, 12, f"{down.name} ↑", faint=True))
        names += [
            chart.label(LEFT - 6, bottom - k * CELL_HEIGHT + 4, _edge(heights[k]), anchor="end")
            for k in range(0, rows + 1, max(1, -(-rows // 8)))
        ]
    return chart.picture(max(chart.WIDTH, LEFT + across.bins * width), bottom + BOTTOM, spoken, join(*marks), *names)


def _cell(x: float, y: float, width: float, elite: Elite | None, order: Sequence[float], best: int | None) -> Markup:
    """One cell: coloured by the rank of its ratio, with the ratio in it where there is room for it."""
    box = {"x": round(x + 1, 1), "y": round(y + 1, 1), "width": round(width - 2, 1), "height": CELL_HEIGHT - 2, "rx": 2}
    if elite is None:
        return tag("rect", **box, fill=style.BAND)
    place = order.index(elite.record.ratio or 0.0) / max(1, len(order) - 1)
    index = elite.record.proposal.index
    color = style.GOOD if (elite.record.ratio or 0.0) > 1 else style.ACCENT
    opacity = round(FAINTEST + (FULLEST - FAINTEST) * (place if len(order) > 1 else 1.0), 2)
    winner = best is not None and index == best
    said = tag("title", f"trial {index}: {numbers.ratio(elite.record.ratio)}, {counted(elite.children, 'child')}")
    rect = tag("rect", said, **box, fill=color, fill_opacity=opacity,
               stroke="currentColor" if winner else None, stroke_width=2 if winner else None)  # fmt: skip
    if width < 34:
        return rect
    text = numbers.ratio(elite.record.ratio)
    return join(rect, chart.label(x + width / 2, y + CELL_HEIGHT / 2 + 4, text, anchor="middle", strong=winner))


def _edge(value: float) -> str:
    """A bound of a cell, in few characters."""
    return f"{value:.3g}" if abs(value) < 1e5 else f"{value:.1e}"


def _where(elite: Elite, axes: Sequence[Axis]) -> str:
    return ", ".join(
        f"{axis.name} {numbers.number(value)}" for axis, value in zip(axes, elite.descriptors, strict=True)
    )


# ------------------------------------------------------------------------------- the words


def _islands(population: Population) -> Part:
    columns = (
        Column("island", "head"),
        Column("elites", "number"),
        Column("from elsewhere", "number"),
        Column("best", "number"),
        Column("trial", "number"),
    )
    rows = []
    for island in range(population.islands):
        mine = [elite for elite in population.elites if island in elite.islands]
        came = sum(elite.record.proposal.index > 0 and elite.record.proposal.island != island for elite in mine)
        leader = mine[0].record if mine else None
        rows.append(
            (
                f"{island + 1}",
                f"{len(mine):,}",
                f"{came:,}",
                numbers.ratio(leader.ratio if leader else None),
                f"{leader.proposal.index}" if leader else numbers.MISSING,
            )
        )
    return table(columns, rows, caption="islands")


def _elites(population: Population, best: int | None) -> Part:
    """The best of the elites, with where they stand and whose children they are."""
    several = population.islands > 1
    columns = [Column("trial", "number"), Column("ratio", "number")]
    columns += [Column(axis.name, "number") for axis in population.axes]
    columns += [Column("islands")] if several else []
    columns += [Column("children", "number"), Column("by"), Column("from")]
    indices = {elite.record.proposal.program.digest: elite.record.proposal.index for elite in population.elites}
    rows: list[Sequence[str | Cell]] = []
    for elite in population.elites[: limits.RUN_ROWS_MAX]:
        proposal = elite.record.proposal
        winner = best is not None and proposal.index == best
        parents = [f"trial {indices[item]}" for item in proposal.parents if item in indices]
        rows.append((
            f"{proposal.index}",
            Cell(numbers.ratio(elite.record.ratio), "good" if winner else "", strong=winner),
            *(numbers.number(value) for value in elite.descriptors),
            *([" ".join(str(island + 1) for island in elite.islands)] if several else []),
            f"{elite.children:,}",
            proposal.operator,
            " and ".join(parents),
        ))  # fmt: skip
    return table(columns, rows, caption="elites", total=len(population.elites))
