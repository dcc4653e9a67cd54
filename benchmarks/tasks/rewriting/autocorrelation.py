"""The correlation of a signal with itself, at every lag."""

import numpy as np


def autocorrelation(signal):
    size = len(signal)
    found = np.zeros(size)
    for lag in range(size):
        found[lag] = np.sum(signal[: size - lag] * signal[lag:])
    return found


def inputs():
    return (np.random.default_rng(10).normal(size=900),)
