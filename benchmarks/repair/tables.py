"""Dynamic programming, combinations, and searches over choices."""

# ruff: noqa: RUF005 - lists are put together with a plus here, as in the books
from __future__ import annotations

from .bug import Bug


def knapsack(items, room):
    best = [0] * (room + 1)
    for weight, value in items:
        for space in range(room, weight - 1, -1):
            best[space] = max(best[space], best[space - weight] + value)
    return best[room]


def common_subsequence(a, b):
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            if a[i - 1] == b[j - 1]:
                table[i][j] = table[i - 1][j - 1] + 1
            else:
                table[i][j] = max(table[i - 1][j], table[i][j - 1])
    return table[len(a)][len(b)]


def edit_distance(a, b):
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (letter != other))
    return row[-1]


def fewest_coins(coins, amount):
    best = [0] + [None] * amount
    for total in range(1, amount + 1):
        for coin in coins:
            if coin <= total and best[total - coin] is not None:
                candidate = best[total - coin] + 1
                if best[total] is None or candidate < best[total]:
                    best[total] = candidate
    return -1 if best[amount] is None else best[amount]


def increasing_subsequence(xs):
    lengths = []
    for i, x in enumerate(xs):
        best = 0
        for j in range(i):
            if xs[j] < x:
                best = max(best, lengths[j])
        lengths.append(best + 1)
    return max(lengths, default=0)


def largest_run_sum(xs):
    best = current = 0
    for x in xs:
        current = max(0, current + x)
        best = max(best, current)
    return best


def count_paths(grid):
    rows, columns = len(grid), len(grid[0])
    ways = [[0] * columns for _ in range(rows)]
    for r in range(rows):
        for c in range(columns):
            if grid[r][c]:
                continue
            if r == 0 and c == 0:
                ways[r][c] = 1
                continue
            ways[r][c] = (ways[r - 1][c] if r else 0) + (ways[r][c - 1] if c else 0)
    return ways[-1][-1]


def subsets(xs):
    if not xs:
        return [[]]
    rest = subsets(xs[1:])
    return rest + [[xs[0]] + one for one in rest]


def permutations(xs):
    if not xs:
        return [[]]
    found = []
    for i, x in enumerate(xs):
        for rest in permutations(xs[:i] + xs[i + 1 :]):
            found.append([x] + rest)
    return found


def towers(n, start, end):
    if n == 0:
        return []
    other = 6 - start - end
    return towers(n - 1, start, other) + [(start, end)] + towers(n - 1, other, end)


def _items(rng):
    return [(rng.randint(1, 6), rng.randint(1, 9)) for _ in range(rng.randint(0, 5))], rng.randint(0, 12)


def _letters(rng):
    return "".join(rng.choice("abc") for _ in range(rng.randint(0, 6)))


def _grid(rng):
    columns = rng.randint(1, 4)
    return ([[int(rng.random() < 0.2) for _ in range(columns)] for _ in range(rng.randint(1, 4))],)


BUGS = [
    Bug(knapsack, "wrong direction", "range(room, weight - 1, -1)", "range(weight, room + 1)", _items),
    Bug(
        common_subsequence,
        "wrong index",
        "table[i - 1][j - 1] + 1",
        "table[i - 1][j] + 1",
        lambda rng: (_letters(rng), _letters(rng)),
    ),
    Bug(
        edit_distance,
        "comparison",
        "(letter != other)",
        "(letter == other)",
        lambda rng: (_letters(rng), _letters(rng)),
    ),
    Bug(
        fewest_coins,
        "missing part of a condition",
        "if coin <= total and best[total - coin] is not None:",
        "if coin <= total:",
        lambda rng: (sorted(rng.sample(range(2, 9), 3)), rng.randint(0, 20)),
    ),
    Bug(
        increasing_subsequence,
        "comparison",
        "if xs[j] < x:",
        "if xs[j] <= x:",
        lambda rng: ([rng.randint(0, 9) for _ in range(rng.randint(0, 8))],),
    ),
    Bug(
        largest_run_sum,
        "missing call",
        "current = max(0, current + x)",
        "current = current + x",
        lambda rng: ([rng.randint(-9, 9) for _ in range(rng.randint(0, 8))],),
    ),
    Bug(count_paths, "wrong constant", "ways[r][c] = 1", "ways[r][c] = 0", _grid),
    Bug(
        subsets,
        "missing part",
        "return rest + [[xs[0]] + one for one in rest]",
        "return [[xs[0]] + one for one in rest]",
        lambda rng: ([rng.randint(0, 30) for _ in range(rng.randint(0, 4))],),
    ),
    Bug(
        permutations,
        "slice bounds",
        "xs[:i] + xs[i + 1 :]",
        "xs[:i] + xs[i:]",
        lambda rng: (rng.sample(range(40), rng.randint(0, 3)),),
    ),
    Bug(
        towers,
        "swapped arguments",
        "towers(n - 1, other, end)",
        "towers(n - 1, end, other)",
        lambda rng: (rng.randint(0, 6), *rng.sample([1, 2, 3], 2)),
    ),
]
