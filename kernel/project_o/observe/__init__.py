"""What is measured, and how sure we are of it: paired intervals, and a structured log."""

from __future__ import annotations

from .log import EventLog
from .statistics import Interval, mean_interval, paired_difference, paired_ratio

__all__ = ["EventLog", "Interval", "mean_interval", "paired_difference", "paired_ratio"]
