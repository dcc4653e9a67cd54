"""The coefficients of a product of two polynomials."""

import numpy as np


def polynomial_product(a, b):
    product = np.zeros(len(a) + len(b) - 1)
    for i in range(len(a)):
        for j in range(len(b)):
            product[i + j] += a[i] * b[j]
    return product


def inputs():
    rng = np.random.default_rng(2)
    return rng.normal(size=160), rng.normal(size=120)
