"""How far each point is from each of some others."""

import numpy as np


def distances(points, others):
    found = np.zeros((len(points), len(others)))
    for i in range(len(points)):
        for j in range(len(others)):
            found[i, j] = np.sqrt(np.sum((points[i] - others[j]) ** 2))
    return found


def inputs():
    rng = np.random.default_rng(3)
    return rng.normal(size=(60, 3)), rng.normal(size=(50, 3))
