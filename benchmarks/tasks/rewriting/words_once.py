"""Each word once, in the order in which they first appear."""


def words_once(words):
    seen = []
    for word in words:
        if word not in seen:
            seen.append(word)
    return seen


def inputs():
    return ([f"word {k * k % 1201}" for k in range(1500)],)
