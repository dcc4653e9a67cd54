"""Sorting and searching."""

from __future__ import annotations

from .bug import Bug


def insertion_sort(xs):
    xs = list(xs)
    for i in range(1, len(xs)):
        x = xs[i]
        j = i - 1
        while j >= 0 and xs[j] > x:
            xs[j + 1] = xs[j]
            j -= 1
        xs[j + 1] = x
    return xs


def bubble_sort(xs):
    xs = list(xs)
    n = len(xs)
    for done in range(n):
        for i in range(n - done - 1):
            if xs[i] > xs[i + 1]:
                xs[i], xs[i + 1] = xs[i + 1], xs[i]
    return xs


def selection_sort(xs):
    xs = list(xs)
    for i in range(len(xs)):
        least = i
        for j in range(i + 1, len(xs)):
            if xs[j] < xs[least]:
                least = j
        xs[i], xs[least] = xs[least], xs[i]
    return xs


def merge_sort(xs):
    if len(xs) <= 1:
        return list(xs)
    middle = len(xs) // 2
    left, right = merge_sort(xs[:middle]), merge_sort(xs[middle:])
    merged = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] <= right[j]:
            merged.append(left[i])
            i += 1
        else:
            merged.append(right[j])
            j += 1
    merged.extend(left[i:])
    merged.extend(right[j:])
    return merged


def counting_sort(xs, bound):
    counts = [0] * (bound + 1)
    for x in xs:
        counts[x] += 1
    out = []
    for value, count in enumerate(counts):
        out.extend([value] * count)
    return out


def heap_sort(xs):
    heap = []
    for x in xs:
        heap.append(x)
        child = len(heap) - 1
        while child > 0:
            parent = (child - 1) // 2
            if heap[child] >= heap[parent]:
                break
            heap[child], heap[parent] = heap[parent], heap[child]
            child = parent
    out = []
    while heap:
        out.append(heap[0])
        last = heap.pop()
        if not heap:
            break
        heap[0] = last
        node = 0
        while 2 * node + 1 < len(heap):
            child = 2 * node + 1
            if child + 1 < len(heap) and heap[child + 1] < heap[child]:
                child += 1
            if heap[node] <= heap[child]:
                break
            heap[node], heap[child] = heap[child], heap[node]
            node = child
    return out


def quickselect(xs, k):
    pivot = xs[len(xs) // 2]
    less = [x for x in xs if x < pivot]
    same = [x for x in xs if x == pivot]
    more = [x for x in xs if x > pivot]
    if k < len(less):
        return quickselect(less, k)
    if k < len(less) + len(same):
        return pivot
    return quickselect(more, k - len(less) - len(same))


def lower_bound(xs, x):
    low, high = 0, len(xs)
    while low < high:
        middle = (low + high) // 2
        if xs[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low


def find_rotated(xs, x):
    low, high = 0, len(xs) - 1
    while low <= high:
        middle = (low + high) // 2
        if xs[middle] == x:
            return middle
        if xs[low] <= xs[middle]:
            if xs[low] <= x < xs[middle]:
                high = middle - 1
            else:
                low = middle + 1
        elif xs[middle] < x <= xs[high]:
            low = middle + 1
        else:
            high = middle - 1
    return -1


def _numbers(rng, most=9, top=20):
    return [rng.randint(0, top) for _ in range(rng.randint(0, most))]


def _rotated(rng):
    xs = sorted(rng.sample(range(40), rng.randint(1, 9)))
    cut = rng.randrange(len(xs))
    xs = xs[cut:] + xs[:cut]
    return xs, rng.choice([*xs, xs[-1], xs[-1], 41])


def _with_rank(rng):
    xs = [*_numbers(rng), 7]
    return xs, rng.randrange(len(xs))


BUGS = [
    Bug(insertion_sort, "comparison", "while j >= 0 and", "while j > 0 and", lambda rng: (_numbers(rng),)),
    Bug(bubble_sort, "off by one", "range(n - done - 1)", "range(n - done - 2)", lambda rng: (_numbers(rng),)),
    Bug(selection_sort, "wrong variable", "xs[j] < xs[least]", "xs[j] < xs[i]", lambda rng: (_numbers(rng),)),
    Bug(merge_sort, "wrong call", "merged.extend(right[j:])", "merged.append(right[j:])", lambda rng: (_numbers(rng),)),
    Bug(counting_sort, "swapped operands", "[value] * count", "[count] * value", lambda rng: (_numbers(rng), 20)),
    Bug(
        heap_sort,
        "missing part of a condition",
        "if child + 1 < len(heap) and heap[child + 1] < heap[child]:",
        "if heap[child + 1] < heap[child]:",
        lambda rng: (_numbers(rng),),
    ),
    Bug(
        quickselect,
        "recursion argument",
        "quickselect(more, k - len(less) - len(same))",
        "quickselect(more, k - len(less))",
        _with_rank,
    ),
    Bug(
        lower_bound,
        "endless loop",
        "low = middle + 1",
        "low = middle",
        lambda rng: (sorted(_numbers(rng)), rng.randint(0, 20)),
    ),
    Bug(find_rotated, "comparison", "xs[middle] < x <= xs[high]", "xs[middle] < x < xs[high]", _rotated),
]
