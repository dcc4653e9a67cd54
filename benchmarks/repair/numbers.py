"""Number theory and arithmetic."""

from __future__ import annotations

from .bug import Bug


def greatest_divisor(a, b):
    while b:
        a, b = b, a % b
    return a


def primes_below(n):
    sieve = [True] * max(n, 2)
    sieve[0] = sieve[1] = False
    for p in range(2, n):
        if sieve[p]:
            for multiple in range(p * p, n, p):
                sieve[multiple] = False
    return [p for p in range(n) if sieve[p]]


def factors(n):
    found = []
    p = 2
    while p * p <= n:
        while n % p == 0:
            found.append(p)
            n //= p
        p += 1
    if n > 1:
        found.append(n)
    return found


def power_modulo(base, exponent, modulus):
    result = 1 % modulus
    base %= modulus
    while exponent > 0:
        if exponent % 2 == 1:
            result = result * base % modulus
        base = base * base % modulus
        exponent //= 2
    return result


def in_base(n, base):
    if n == 0:
        return "0"
    digits = []
    while n:
        digits.append(str(n % base))
        n //= base
    return "".join(reversed(digits))


def whole_root(n):
    low, high = 0, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        if middle * middle <= n:
            low = middle
        else:
            high = middle
    return low


def pascal(n):
    rows = [[1]]
    for _ in range(n):
        last = rows[-1]
        rows.append([1] + [last[i] + last[i + 1] for i in range(len(last) - 1)] + [1])
    return rows


def is_perfect(n):
    total = 0
    for d in range(1, n):
        if n % d == 0:
            total += d
    return n > 1 and total == n


def collatz_steps(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def bit_count(n):
    count = 0
    while n:
        n &= n - 1
        count += 1
    return count


BUGS = [
    Bug(
        greatest_divisor,
        "swapped operands",
        "a, b = b, a % b",
        "a, b = b, b % a",
        lambda rng: (rng.randint(1, 60), rng.randint(1, 60)),
    ),
    Bug(primes_below, "wrong argument", "range(p * p, n, p)", "range(p * p, n, 2)", lambda rng: (rng.randint(0, 90),)),
    Bug(
        factors, "missing statement", "    if n > 1:\n        found.append(n)\n", "", lambda rng: (rng.randint(1, 400),)
    ),
    Bug(
        power_modulo,
        "wrong operator",
        "exponent //= 2",
        "exponent -= 2",
        lambda rng: (rng.randint(0, 20), rng.randint(0, 40), rng.randint(1, 30)),
    ),
    Bug(
        in_base,
        "missing base case",
        '    if n == 0:\n        return "0"\n',
        "",
        lambda rng: (rng.randint(0, 60) * rng.randint(0, 1), rng.randint(2, 9)),
    ),
    Bug(
        whole_root,
        "comparison",
        "middle * middle <= n",
        "middle * middle < n",
        lambda rng: (rng.choice([rng.randint(0, 12) ** 2, rng.randint(0, 150)]),),
    ),
    Bug(pascal, "off by one", "range(len(last) - 1)", "range(len(last))", lambda rng: (rng.randint(0, 45),)),
    Bug(
        is_perfect,
        "initial value",
        "range(1, n)",
        "range(2, n)",
        lambda rng: (rng.choice([6, 28, 496, rng.randint(0, 60)]),),
    ),
    Bug(collatz_steps, "wrong branch", "n % 2 == 0 else", "n % 2 == 1 else", lambda rng: (rng.randint(1, 80),)),
    Bug(bit_count, "wrong constant", "n &= n - 1", "n &= n - 2", lambda rng: (rng.randint(0, 500),)),
]
