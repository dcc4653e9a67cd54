"""What Project O costs, measured against what one would use instead, in one run.

    python -m benchmarks                       everything; writes results/<date>-<cpu>.json and prints a table
    python -m benchmarks trial kernel-start    some of it
    python -m benchmarks --rounds 5 --out /tmp/x.json

Benchmarks are data (``definitions.toml``), competitors are engines in the same harness. A round visits every engine
of a benchmark once, in random order; every answer is checked while it is timed; ratios compare only values of the
same run and carry an interval. ``README.md`` says how to add one more.
"""
