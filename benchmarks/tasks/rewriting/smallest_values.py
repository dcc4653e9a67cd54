"""The ten smallest values, the least one first."""

import numpy as np


def smallest_values(values):
    return np.sort(values)[:10]


def inputs():
    return (np.random.default_rng(8).normal(size=60_000),)
