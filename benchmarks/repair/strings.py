"""Strings and parsing."""

from __future__ import annotations

from .bug import Bug


def is_palindrome(text):
    left, right = 0, len(text) - 1
    while left < right:
        if text[left] != text[right]:
            return False
        left += 1
        right -= 1
    return True


def run_lengths(text):
    runs = []
    for letter in text:
        if runs and runs[-1][0] == letter:
            runs[-1][1] += 1
        else:
            runs.append([letter, 1])
    return runs


def balanced(text):
    pairs = {")": "(", "]": "[", "}": "{"}
    stack = []
    for letter in text:
        if letter in "([{":
            stack.append(letter)
        elif not stack or stack.pop() != pairs[letter]:
            return False
    return not stack


def find_text(text, part):
    for start in range(len(text) - len(part) + 1):
        if text[start : start + len(part)] == part:
            return start
    return -1


def rotate_letters(text, shift):
    out = []
    for letter in text:
        if letter.isalpha():
            out.append(chr((ord(letter) - ord("a") + shift) % 26 + ord("a")))
        else:
            out.append(letter)
    return "".join(out)


def roman(text):
    values = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
    total = 0
    for i, letter in enumerate(text):
        if i + 1 < len(text) and values[letter] < values[text[i + 1]]:
            total -= values[letter]
        else:
            total += values[letter]
    return total


def postfix(words):
    stack = []
    for word in words:
        if word in ("+", "-", "*"):
            b = stack.pop()
            a = stack.pop()
            stack.append(a + b if word == "+" else a - b if word == "-" else a * b)
        else:
            stack.append(int(word))
    return stack.pop()


def parse_sum(text):
    total = 0
    sign = 1
    number = 0
    for letter in text:
        if letter.isdigit():
            number = 10 * number + int(letter)
        elif letter in "+-":
            total += sign * number
            sign = 1 if letter == "+" else -1
            number = 0
    return total + sign * number


def split_words(text, limit):
    lines = []
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > limit:
            lines.append(line)
            line = word
        else:
            line = line + " " + word if line else word
    if line:
        lines.append(line)
    return lines


def longest_common_prefix(words):
    if not words:
        return ""
    prefix = words[0]
    for word in words[1:]:
        while not word.startswith(prefix):
            prefix = prefix[:-1]
    return prefix


def anagrams(words):
    groups = {}
    for word in words:
        key = "".join(sorted(word))
        groups.setdefault(key, []).append(word)
    return [group for group in groups.values() if len(group) > 1]


def _text(rng, letters="ab", most=7):
    return "".join(rng.choice(letters) for _ in range(rng.randint(0, most)))


def _with_part(rng):
    text = _text(rng)
    start = rng.randint(0, len(text))
    return text, rng.choice([text[start:], text[start : start + 2], _text(rng, most=2)])


def _maybe_palindrome(rng):
    half = _text(rng, "abc", 4)
    text = half + rng.choice(["", "a", "b"]) + half[::-1]
    return (text if rng.random() < 0.6 else _text(rng, "abc", 5),)


def _roman(rng):
    number, out = rng.randint(1, 399), ""
    for value, letters in (
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ):
        while number >= value:
            out, number = out + letters, number - value
    return (out,)


def _postfix(rng, depth=3):
    if depth == 0 or rng.random() < 0.3:
        return [str(rng.randint(0, 9))]
    return [*_postfix(rng, depth - 1), *_postfix(rng, depth - 1), rng.choice("+-*")]


def _sum(rng):
    numbers = [str(rng.randint(0, 120)) for _ in range(rng.randint(1, 4))]
    return ("".join(n + rng.choice("+-") for n in numbers[:-1]) + numbers[-1],)


def _prefixed(rng):
    start = _text(rng, "abc", 4)
    return ([start + _text(rng, "abc", 3) for _ in range(rng.randint(0, 4))],)


BUGS = [
    Bug(is_palindrome, "wrong step", "right -= 1", "right -= 2", _maybe_palindrome),
    Bug(
        run_lengths, "initial value", "runs.append([letter, 1])", "runs.append([letter, 0])", lambda rng: (_text(rng),)
    ),
    Bug(
        balanced,
        "missing guard",
        "elif not stack or stack.pop() != pairs[letter]:",
        "elif stack.pop() != pairs[letter]:",
        lambda rng: (_text(rng, "()[]", 6),),
    ),
    Bug(
        find_text,
        "off by one",
        "range(len(text) - len(part) + 1)",
        "range(len(text) - len(part))",
        _with_part,
    ),
    Bug(
        rotate_letters, "wrong constant", ") % 26 +", ") % 25 +", lambda rng: (_text(rng, "amyz -"), rng.randint(0, 25))
    ),
    Bug(roman, "wrong index", "values[text[i + 1]]:", "values[text[i - 1]]:", _roman),
    Bug(postfix, "swapped operands", "a - b if", "b - a if", lambda rng: (_postfix(rng),)),
    Bug(parse_sum, "missing statement", "            number = 0\n", "", _sum),
    Bug(
        split_words,
        "missing statement",
        "    if line:\n        lines.append(line)\n",
        "",
        lambda rng: (_text(rng, "ab ", 16), rng.randint(3, 8)),
    ),
    Bug(longest_common_prefix, "slice bounds", "prefix[:-1]", "prefix[1:]", _prefixed),
    Bug(
        anagrams,
        "missing call",
        'key = "".join(sorted(word))',
        'key = "".join(word)',
        lambda rng: ([_text(rng, "ab", 3) for _ in range(rng.randint(0, 5))],),
    ),
]
