"""Put sizes into bins of capacity 1: reads them as JSON, and writes the bin of each. Run as a program of its own."""

import json
import sys

# EVOLVE-BLOCK-START
ALMOST_FULL = 0.5


def place(sizes):
    """Each size into the fullest bin that still holds it; a bin that is almost full is looked at no more."""
    bins, where = [], []
    for size in sizes:
        best = None
        for number, load in enumerate(bins):
            if load < ALMOST_FULL and load + size <= 1.0 and (best is None or load > bins[best]):
                best = number
        if best is None:
            best = len(bins)
            bins.append(0.0)
        bins[best] += size
        where.append(best)
    return where


# EVOLVE-BLOCK-END

if __name__ == "__main__":
    with open(sys.argv[1]) as given, open(sys.argv[2], "w") as found:
        json.dump(place(json.load(given)), found)
