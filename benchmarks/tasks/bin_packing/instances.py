"""The sizes that are packed, the same each time."""


def instances(count, sizes):
    """Lists of sizes between 0.1 and 0.6."""
    found, state = [], 12345
    for _ in range(count):
        row = []
        for _ in range(sizes):
            state = (1103515245 * state + 12345) % 2**31
            row.append(round(0.1 + 0.5 * state / 2**31, 3))
        found.append(row)
    return found
