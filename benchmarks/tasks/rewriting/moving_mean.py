"""The mean of each window of eight neighbours."""

import numpy as np


def moving_mean(values):
    width = 8
    means = []
    for start in range(len(values) - width + 1):
        means.append(np.mean(values[start : start + width]))
    return np.array(means)


def inputs():
    return (np.random.default_rng(4).normal(size=1500),)
