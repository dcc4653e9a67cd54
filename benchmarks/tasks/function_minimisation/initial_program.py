"""A search for the minimum of a function with many minima, as somebody writes it first."""

from math import cos, sin

# EVOLVE-BLOCK-START
import random


def search(iterations=100, low=-5.0, high=5.0):
    """Draw points at random, and keep the best."""
    best_x, best_y = random.uniform(low, high), random.uniform(low, high)
    best = value_at(best_x, best_y)
    for _ in range(iterations):
        x, y = random.uniform(low, high), random.uniform(low, high)
        value = value_at(x, y)
        if value < best:
            best, best_x, best_y = value, x, y
    return best_x, best_y, best


# EVOLVE-BLOCK-END


def value_at(x, y):
    """The function: its least value is about -1.5187, at about (-1.704, 0.678)."""
    return sin(x) * cos(y) + sin(x * y) + (x * x + y * y) / 20


def run_search():
    """What an evaluator calls: (x, y, value)."""
    return search()
