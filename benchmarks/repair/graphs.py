"""Graphs and trees. A graph is a dict of lists of neighbours, or of dicts of their weights; a tree nested tuples."""

# ruff: noqa: RUF005 - lists are put together with a plus here, as in the books
from __future__ import annotations

import heapq
from collections import deque

from .bug import Bug


def breadth_first(graph, start):
    order = [start]
    seen = {start}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for other in graph[node]:
            if other not in seen:
                seen.add(other)
                order.append(other)
                waiting.append(other)
    return order


def has_path(graph, start, goal):
    stack = [start]
    seen = set()
    while stack:
        node = stack.pop()
        if node == goal:
            return True
        if node in seen:
            continue
        seen.add(node)
        stack.extend(graph[node])
    return False


def shortest_distance(graph, start, goal):
    heap = [(0, start)]
    best = {}
    while heap:
        distance, node = heapq.heappop(heap)
        if node in best:
            continue
        best[node] = distance
        for other, weight in graph[node].items():
            heapq.heappush(heap, (distance + weight, other))
    return best.get(goal, -1)


def topological_order(graph):
    degree = dict.fromkeys(graph, 0)
    for node in graph:
        for other in graph[node]:
            degree[other] += 1
    ready = sorted(node for node in graph if degree[node] == 0)
    order = []
    while ready:
        node = ready.pop(0)
        order.append(node)
        for other in graph[node]:
            degree[other] -= 1
            if degree[other] == 0:
                ready.append(other)
    return order


def components(graph):
    seen = set()
    found = 0
    for start in graph:
        if start in seen:
            continue
        found += 1
        stack = [start]
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            for other in graph[node]:
                stack.append(other)
    return found


def all_pairs(n, edges):
    far = 10**9
    distance = [[0 if i == j else far for j in range(n)] for i in range(n)]
    for a, b, weight in edges:
        distance[a][b] = min(distance[a][b], weight)
    for k in range(n):
        for i in range(n):
            for j in range(n):
                through = distance[i][k] + distance[k][j]
                if through < distance[i][j]:
                    distance[i][j] = through
    return distance


def spanning_weight(n, edges):
    parent = list(range(n))

    def root(node):
        while parent[node] != node:
            node = parent[node]
        return node

    total = 0
    for weight, a, b in sorted(edges):
        one, other = root(a), root(b)
        if one != other:
            parent[one] = other
            total += weight
    return total


def depth(tree):
    if tree is None:
        return 0
    left, _, right = tree
    return 1 + max(depth(left), depth(right))


def inorder(tree):
    if tree is None:
        return []
    left, value, right = tree
    return inorder(left) + [value] + inorder(right)


def is_search_tree(tree, low, high):
    if tree is None:
        return True
    left, value, right = tree
    if not low < value < high:
        return False
    return is_search_tree(left, low, value) and is_search_tree(right, value, high)


def _graph(rng, most=6):
    n = rng.randint(1, most)
    return {a: [b for b in range(n) if b != a and rng.random() < 0.3] for a in range(n)}


def _both_ways(rng):
    graph = _graph(rng)
    return {a: [b for b in graph if b in graph[a] or a in graph[b]] for a in graph}


def _weighted(rng):
    return {a: {b: rng.randint(1, 9) for b in row} for a, row in _graph(rng).items()}


def _two_of(rng, graph):
    return graph, rng.choice(list(graph)), rng.choice(list(graph))


def _without_circles(rng):
    n = rng.randint(1, 6)
    return {a: [b for b in range(a + 1, n) if rng.random() < 0.4] for a in range(n)}


def _edges(rng, first_weight):
    n = rng.randint(2, 5)
    edges = []
    for _ in range(rng.randint(0, 9)):
        a, b, weight = rng.randrange(n), rng.randrange(n), rng.randint(1, 9)
        edges.append((weight, a, b) if first_weight else (a, b, weight))
    return n, edges


def _tree(rng, low=0, high=40, wild=0.0):
    if high - low < 2 or rng.random() < 0.25:
        return None
    value = rng.randint(low + 1, high - 1) if rng.random() >= wild else rng.randint(0, 40)
    return _tree(rng, low, value, wild), value, _tree(rng, value, high, wild)


BUGS = [
    Bug(
        breadth_first,
        "missing statement",
        "                seen.add(other)\n",
        "",
        lambda rng: _two_of(rng, _graph(rng))[:2],
    ),
    Bug(has_path, "wrong return", "    return False", "    return True", lambda rng: _two_of(rng, _graph(rng))),
    Bug(
        shortest_distance,
        "wrong expression",
        "(distance + weight, other)",
        "(weight, other)",
        lambda rng: _two_of(rng, _weighted(rng)),
    ),
    Bug(
        topological_order,
        "wrong variable",
        "if degree[other] == 0:",
        "if degree[node] == 0:",
        lambda rng: (_without_circles(rng),),
    ),
    Bug(components, "missing statement", "            seen.add(node)\n", "", lambda rng: (_both_ways(rng),)),
    Bug(
        all_pairs,
        "wrong index",
        "distance[i][k] + distance[k][j]",
        "distance[i][k] + distance[j][k]",
        lambda rng: _edges(rng, False),
    ),
    Bug(spanning_weight, "missing call", "in sorted(edges):", "in edges:", lambda rng: _edges(rng, True)),
    Bug(depth, "missing term", "return 1 + max(", "return max(", lambda rng: (_tree(rng),)),
    Bug(
        inorder,
        "order",
        "inorder(left) + [value] + inorder(right)",
        "inorder(right) + [value] + inorder(left)",
        lambda rng: (_tree(rng),),
    ),
    Bug(
        is_search_tree,
        "recursion argument",
        "is_search_tree(right, value, high)",
        "is_search_tree(right, low, high)",
        lambda rng: (_tree(rng, wild=0.2), 0, 40),
    ),
]
