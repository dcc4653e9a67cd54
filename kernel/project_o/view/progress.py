"""A run under way: one line, a bar, and how the best ratio rose. Static once it is finished."""

from __future__ import annotations

from .. import limits
from ..values import Progress, Proposal
from . import chart, numbers, style
from .display import Display, Part, page
from .markup import Markup, tag
from .parts import figure, line, note, title
from .text import counted

BAR_CHARACTERS = 24
STEPS_TOLD_MAX = 8


def show_progress(progress: Progress) -> Display:
    """Trials done, best ratio with its settings, counts by status, time used and left, the best ratio's steps."""
    word = "stopped" if progress.stopped else "finished" if progress.finished else "running"
    return page(
        title(progress.name, word, "good" if word == "finished" else "accent", _done(progress)),
        None if progress.finished else _bar(progress),
        line(_best(progress)),
        note(_counts_and_time(progress)),
        note(standing(progress)) if progress.done > 1 else None,
        note(progress.spent) if progress.spent and progress.spent not in progress.note else None,
        note(progress.note) if progress.note else None,
        _chart(progress),
    )


def seconds_left(progress: Progress) -> float | None:
    """What is left of the budget or of the planned trials at the present rate, whichever ends first."""
    left = []
    if progress.budget_seconds is not None:
        left.append(max(0.0, progress.budget_seconds - progress.elapsed_seconds))
    if progress.planned and progress.done:
        rest = max(0, progress.planned - progress.done)
        left.append(progress.elapsed_seconds / progress.done * rest)
    return min(left) if left and not progress.finished else None


def fraction(progress: Progress) -> float:
    """How much of the run is over, 0 to 1: by trials or by budget, whichever is further."""
    parts = [0.0]
    if progress.planned:
        parts.append(progress.done / progress.planned)
    if progress.budget_seconds:
        parts.append(progress.elapsed_seconds / progress.budget_seconds)
    return min(1.0, max(parts))


def change_text(proposal: Proposal) -> str:
    """What a proposal changes, in words: its settings, else what its edit does, else who made it."""
    return settings_text(proposal.settings) or proposal.hypothesis or proposal.operator


def settings_text(settings: tuple[tuple[str, object], ...]) -> str:
    """``lanes=16, unroll=4``."""
    return ", ".join(f"{name}={numbers.scalar(value)}" for name, value in settings)


def _done(progress: Progress) -> str:
    if progress.planned is None:
        return counted(progress.done, "trial")
    return f"{progress.done:,} of {counted(progress.planned, 'trial')}"


def _best(progress: Progress) -> str:
    if not any(ratio > 1 for _, ratio in progress.history) and progress.best_ratio <= 1:
        return "nothing better than the baseline so far" if not progress.finished else "nothing better was found"
    settings = f" with {settings_text(progress.best_settings)}" if progress.best_settings else ""
    return f"best {numbers.ratio(progress.best_ratio)}{settings}"


def _counts_and_time(progress: Progress) -> str:
    counts = ", ".join(f"{number:,} {status}" for status, number in progress.counts)
    left = seconds_left(progress)
    time = numbers.seconds(progress.elapsed_seconds)
    if left is not None:
        time += f", about {numbers.seconds(float(round(left)))} left"
    return f"{counts}; {time}" if counts else time


def standing(progress: Progress) -> str:
    """``mean 0.97x; accepted 4; rejected 12: 9 no better, 2 build, 1 tests``: of the trials so far, by screening."""
    counts = dict(progress.counts)
    stages = [(stage, number) for stage, number in progress.rejected if stage != "performance"]
    other = counts.get("failed", 0) - sum(number for _, number in stages)
    reasons = [("no better", counts.get("no better", 0)), *stages, ("not measured", other),
               ("duplicate", counts.get("duplicate", 0))]  # fmt: skip
    told = ", ".join(f"{number:,} {reason}" for reason, number in reasons if number > 0)
    rejected = sum(number for _, number in reasons)
    mean = f"mean {numbers.ratio(progress.mean_ratio)}" if progress.mean_ratio is not None else "nothing measured"
    return f"{mean}; accepted {counts.get('better', 0):,}; rejected {rejected:,}{f': {told}' if told else ''}"


def _bar(progress: Progress) -> Part:
    done = fraction(progress)
    filled = round(done * BAR_CHARACTERS)
    plain = f"[{'#' * filled}{'-' * (BAR_CHARACTERS - filled)}] {round(done * 100)} %"
    inner = tag("div", style=f"width:{done * 100:.1f}%;height:6px;border-radius:3px;background:{style.ACCENT}")
    track = (
        f"display:inline-block;vertical-align:middle;width:280px;height:6px;border-radius:3px;background:{style.LINE}"
    )
    outer = tag("div", inner, role="img", aria_label=f"{round(done * 100)} % done", style=track)
    return Part(plain, tag("div", outer, tag("span", f" {round(done * 100)} %"), style=style.PARAGRAPH))


def _chart(progress: Progress) -> Part | None:
    history = [(index, ratio) for index, ratio in progress.history if chart.drawable(ratio)][-limits.CHART_POINTS_MAX :]
    if not history:
        return None
    told = steps_text(history)
    return figure(step_chart(history, done=progress.done, planned=progress.planned, spoken=told), told)


def rises(history: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Only the points at which the best ratio changed."""
    kept: list[tuple[int, float]] = []
    for index, ratio in history:
        if not kept or ratio != kept[-1][1]:
            kept.append((index, ratio))
    return kept


def steps_text(history: list[tuple[int, float]]) -> str:
    """``best ratio by trial: 0: 1.00x, 3: 1.24x, 9: 1.83x``: the chart's numbers in words."""
    changed = rises(history)
    told = ", ".join(f"{index}: {numbers.ratio(ratio)}" for index, ratio in changed[-STEPS_TOLD_MAX:])
    earlier = len(changed) - STEPS_TOLD_MAX
    return f"best ratio by trial{f' (last {STEPS_TOLD_MAX} rises)' if earlier > 0 else ''}: {told}"


def step_chart(history: list[tuple[int, float]], *, done: int, planned: int | None, spoken: str) -> Markup:
    """The best ratio over trials as steps, the last one marked and labelled."""
    indices, ratios = zip(*history, strict=True)
    # Trials are counted from 0, the baseline: the last of n is n - 1.
    frame = chart.ratio_frame(indices, ratios, x_high=float(max(1, (planned or done) - 1)))
    last = min(max(done - 1, indices[-1]), frame.x_high)
    points = [*((float(index), ratio) for index, ratio in rises(history)), (last, ratios[-1])]
    x, y = frame.x(last), frame.y(ratios[-1])
    return chart.picture(
        chart.WIDTH,
        frame.height,
        spoken,
        chart.axes(frame, "trial", "best ratio"),
        chart.steps(frame, points),
        chart.mark("best", x, y),
        chart.label(x + 10, y + 4, numbers.ratio(ratios[-1]), strong=True),
    )
