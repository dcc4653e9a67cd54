"""What is measured, and how sure we are of it: paired intervals, and a structured log."""

from __future__ import annotations

from .log import EventLog
from .sequential import Design, Watch, design
from .statistics import Interval, interval_of, mean_interval, negative_by_signs, paired_difference, paired_ratio

__all__ = [
    "Design",
    "EventLog",
    "Interval",
    "Watch",
    "design",
    "interval_of",
    "mean_interval",
    "negative_by_signs",
    "paired_difference",
    "paired_ratio",
]
