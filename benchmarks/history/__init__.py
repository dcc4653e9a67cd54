"""The history's promises at full count: kills, kernels beside each other, disk. ``python -m benchmarks.history``."""
