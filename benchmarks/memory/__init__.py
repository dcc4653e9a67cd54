"""How well memories are found, and how fast: ``python -m benchmarks.memory``."""
