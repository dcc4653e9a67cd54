"""Classic programs, each with one bug of one line: what ``evolve(..., proposer="repair")`` is measured with."""
