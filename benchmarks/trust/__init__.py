"""How often a verdict is wrong, and how often it sees what is there: real programs, real processes, the real sandbox.

    python -m benchmarks.trust run quiet [--seconds 240]          go on with a part or a group, for so long
    python -m benchmarks.trust run quiet --out RECORD.json        the same, and write the record of what there is
    python -m benchmarks.trust status                             how far each part is
    python -m benchmarks.trust record                             write results/DATE-trust.json, and print the table

    same-quiet, same-loaded    a program against itself, 200 each: how often it is called better
    nulls-quiet, nulls-loaded  whole runs with 40 candidates that change nothing: how often one is accepted
    gain-1.05 gain-1.1 gain-1.3    candidates that do so much less work: how often that is seen
    gain-1.1-loaded            the same under load
    scores                     an evaluator's noisy scores of a program against itself, and of one that is better

A part takes long, so it is made in portions: each comparison is a line of a log (``--log``), and what is there is not
made again. Everything is drawn from the number of the comparison, which is its seed. *Loaded* means a busy process for
each core beside it, others' or our own. *Quiet* means none of ours, and whatever else the machine does: the load is in
each line. The groups ``quiet`` and ``loaded`` are both parts of programs that are no better.

The pairs that were recorded are also put together anew, to see many more runs than can be made (``simulate``).
"""
