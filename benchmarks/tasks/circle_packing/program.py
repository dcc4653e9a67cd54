"""26 circles in the unit square, as large as they get together: many starts, each improved by a local solver.

The idea is in the template: a sequential quadratic program with the derivatives written down moves centres and radii at
once until nothing gives. What is searched for are the numbers of the search around it.
"""


def pack(seed):
    """The best packing of some starts: rows (x, y, radius)."""
    import numpy as np
    from scipy.optimize import minimize

    grid = True  # o: false true
    jitter = 0.08  # o: 0.005 0.01 0.015 0.02 0.03 0.05 0.08
    moved = 2  # o: 0 1 2 3 4
    most_rows = 6  # o: 5 6 7
    radius = 0.05  # o: 0.02 0.05 0.08 0.1
    near = 0.5  # o: 0.35 0.4 0.5 0.7
    starts = 25

    n = 26
    one, two = np.triu_indices(n, 1)
    own = np.arange(n)
    walls = np.zeros((4 * n, 3 * n))
    for k, (place, sign) in enumerate(((0, 1), (1, 1), (0, -1), (1, -1))):
        walls[k * n + own, 2 * own + place] = sign
        walls[k * n + own, 2 * n + own] = -1
    bounds = np.repeat([0.0, 0.0, 1.0, 1.0], n)
    slope = np.zeros(3 * n)
    slope[2 * n :] = -1

    def improved(values, within):
        points = values[: 2 * n].reshape(n, 2)
        close = np.hypot(*(points[one] - points[two]).T) < within
        i, j = one[close], two[close]
        pairs = np.arange(len(i))
        jacobian = np.zeros((len(i) + 4 * n, 3 * n))
        jacobian[len(i) :] = walls
        jacobian[pairs, 2 * n + i] = jacobian[pairs, 2 * n + j] = -1

        def apart(z):
            dx, dy = z[2 * i] - z[2 * j], z[2 * i + 1] - z[2 * j + 1]
            return dx, dy, np.sqrt(dx * dx + dy * dy) + 1e-12

        def room(z):
            return np.concatenate((apart(z)[2] - z[2 * n + i] - z[2 * n + j], walls @ z + bounds))

        def derivative(z):
            dx, dy, d = apart(z)
            jacobian[pairs, 2 * i], jacobian[pairs, 2 * j] = dx / d, -dx / d
            jacobian[pairs, 2 * i + 1], jacobian[pairs, 2 * j + 1] = dy / d, -dy / d
            return jacobian

        return minimize(
            lambda z: -z[2 * n :].sum(), values, jac=lambda z: slope, method="SLSQP",
            constraints={"type": "ineq", "fun": room, "jac": derivative}, options={"maxiter": 200, "ftol": 1e-7},
        ).x

    def shrunk(values):
        """Radii that fit with certainty: each overlap is taken from both circles."""
        points, radii = values[: 2 * n].reshape(n, 2), values[2 * n :].copy()
        radii = np.minimum(radii, np.minimum(points, 1 - points).min(axis=1))
        apart = np.hypot(*(points[one] - points[two]).T)
        for p in np.nonzero(radii[one] + radii[two] > apart)[0]:
            over = max(0.0, radii[one[p]] + radii[two[p]] - apart[p])
            radii[one[p]] -= over / 2
            radii[two[p]] -= over / 2
        return np.column_stack((points, radii - 1e-13))

    rng = np.random.default_rng(seed)
    best = None
    for _ in range(starts):
        if grid:
            rows = int(rng.integers(5, most_rows + 1)) if most_rows > 5 else 5
            counts = np.full(rows, n // rows)
            counts[rng.permutation(rows)[: n - counts.sum()]] += 1
            for _ in range(int(rng.integers(0, moved + 1))):
                a, b = rng.integers(rows, size=2)
                if counts[a] > 3:
                    counts[a] -= 1
                    counts[b] += 1
            points = np.array([((k + 0.5) / c, (y + 0.5) / rows) for y, c in enumerate(counts) for k in range(c)])
            points += rng.normal(0, jitter, (n, 2))
        else:
            points = rng.random((n, 2))
        values = np.concatenate((np.clip(points, 0.03, 0.97).ravel(), np.full(n, radius)))
        values = improved(values, near)
        circles = shrunk(values)
        if circles[:, 2].sum() < 0.97 * values[2 * n :].sum():
            circles = shrunk(improved(values, 9.0))  # two that were far from each other at first have met
        if circles[:, 2].min() > 0 and (best is None or circles[:, 2].sum() > best[:, 2].sum()):
            best = circles
    return best
