"""Pairs of Python texts that say the same in most programs, the second one mostly faster: library calls for loops, and
one library call for another. General ones: none of them knows a task.

A name that ends with ``_`` stands for any expression, the same one wherever it occurs, and for a name where one is
bound. Modules are written out (``numpy``, ``scipy.signal``); a text's own names for them are found. ``old_`` is the
piece as it was, for where the new way does not hold: what is tried includes empty arrays, infinities and NaN.
To add one: a line here. Sources: numpy's and scipy's own notes on performance; Cooley and Tukey 1965 for convolutions;
the documentation of ``heapq``, ``itertools`` and ``collections``.
"""

from __future__ import annotations

from typing import NamedTuple


class Equivalence(NamedTuple):
    """``old`` may be written as ``new``: one expression, or statements that follow each other."""

    name: str
    old: str
    new: str


_FINITE = " and ".join(f"numpy.size({one}) and numpy.abs({one}).max() < 1e150" for one in ("a_", "b_"))
_PAIRS = "for i_ in range(len(a_)):\n for j_ in range(len(b_)):\n  out_[i_, j_] = "
_WINDOW = "numpy.lib.stride_tricks.sliding_window_view"

_LINEAR_ALGEBRA = (
    (
        "solve instead of an inverse",
        "numpy.linalg.inv(a_) @ b_",
        f"(numpy.linalg.solve(a_, b_) if {_FINITE} else old_)",
    ),
    (
        "solve instead of an inverse",
        "numpy.dot(numpy.linalg.inv(a_), b_)",
        f"(numpy.linalg.solve(a_, b_) if {_FINITE} else old_)",
    ),
    (
        "solve instead of an inverse",
        "scipy.linalg.inv(a_) @ b_",
        f"(scipy.linalg.solve(a_, b_) if {_FINITE} else old_)",
    ),
    ("trace without the product", "numpy.trace(a_ @ b_)", "numpy.einsum('ij,ji->', a_, b_)"),
    ("trace without the product", "numpy.trace(numpy.dot(a_, b_))", "numpy.einsum('ij,ji->', a_, b_)"),
    ("diagonal without the product", "numpy.diag(a_ @ b_)", "numpy.einsum('ij,ji->i', a_, b_)"),
    ("column instead of a matrix", "a_ @ b_ @ c_", "a_ @ (b_ @ c_)"),
    ("scaled rows instead of a diagonal matrix", "numpy.diag(a_) @ b_", "a_[:, None] * b_"),
    ("inner product", "numpy.sum(a_ * b_)", "numpy.vdot(a_, b_)"),
    ("norm", "numpy.sqrt(numpy.sum(a_ ** 2))", "numpy.linalg.norm(a_)"),
)
_TRANSFORMS = (
    (
        "convolution by FFT",
        "scipy.signal.convolve2d(a_, b_, mode=m_)",
        f"(scipy.signal.fftconvolve(a_, b_, mode=m_) if {_FINITE} else old_)",
    ),
    (
        "convolution by FFT",
        "scipy.signal.convolve2d(a_, b_)",
        f"(scipy.signal.fftconvolve(a_, b_) if {_FINITE} else old_)",
    ),
    (
        "convolution by FFT",
        "scipy.signal.convolve(a_, b_, method='direct')",
        f"(scipy.signal.fftconvolve(a_, b_) if {_FINITE} else old_)",
    ),
    (
        "correlation by FFT",
        "scipy.signal.correlate2d(a_, b_)",
        f"(scipy.signal.fftconvolve(a_, b_[::-1, ::-1]) if {_FINITE} else old_)",
    ),
    ("correlation as convolution", "numpy.correlate(a_, b_, 'full')", "numpy.convolve(a_, b_[::-1])"),
)
_SELECTION = (
    (
        "partition instead of sorting",
        "numpy.sort(a_)[:k_]",
        "(numpy.sort(numpy.partition(a_, k_ - 1)[:k_]) if numpy.ndim(a_) == 1 and 0 < k_ < len(a_) else old_)",
    ),
    ("partition instead of sorting", "numpy.sort(a_)[k_]", "numpy.partition(a_, k_)[k_]"),
    ("least place without sorting", "numpy.argsort(a_)[0]", "numpy.argmin(a_)"),
    ("largest place without sorting", "numpy.argsort(a_)[-1]", "numpy.argmax(a_)"),
    ("places of what holds", "numpy.where(a_)[0]", "numpy.flatnonzero(a_)"),
    ("the smallest by a heap", "sorted(a_)[:k_]", "heapq.nsmallest(k_, a_)"),
    ("the largest by a heap", "sorted(a_, reverse=True)[:k_]", "heapq.nlargest(k_, a_)"),
)
_WHOLE_ARRAYS = (
    ("product instead of a power", "numpy.power(a_, 2)", "a_ * a_"),
    ("square root instead of a power", "a_ ** 0.5", "numpy.sqrt(a_)"),
    ("function of a whole array", "numpy.array([numpy.exp(x_) for x_ in a_])", "numpy.exp(a_)"),
    ("function of a whole array", "numpy.array([numpy.sqrt(x_) for x_ in a_])", "numpy.sqrt(a_)"),
    ("function of a whole array", "numpy.array([abs(x_) for x_ in a_])", "numpy.abs(a_)"),
    ("mean", "sum(a_) / len(a_)", "numpy.mean(a_)"),
    ("hypotenuse", "math.sqrt(a_ ** 2 + b_ ** 2)", "math.hypot(a_, b_)"),
    (
        "outer product",
        f"{_PAIRS}a_[i_] * b_[j_]",
        "out_[:len(a_), :len(b_)] = numpy.multiply.outer(a_, b_)",
    ),
    (
        "product of rows",
        f"{_PAIRS}numpy.dot(a_[i_], b_[j_])",
        "out_[:len(a_), :len(b_)] = a_ @ b_.T",
    ),
    (
        "differences of all pairs",
        f"{_PAIRS}numpy.sqrt(numpy.sum((a_[i_] - b_[j_]) ** 2))",
        "out_[:len(a_), :len(b_)] = numpy.sqrt(numpy.sum((a_[:, None] - b_[None, :]) ** 2, axis=-1))",
    ),
    (
        "differences of all pairs",
        f"{_PAIRS}numpy.sum((a_[i_] - b_[j_]) ** 2)",
        "out_[:len(a_), :len(b_)] = numpy.sum((a_[:, None] - b_[None, :]) ** 2, axis=-1)",
    ),
    (
        "differences of all pairs",
        f"{_PAIRS}numpy.linalg.norm(a_[i_] - b_[j_])",
        "out_[:len(a_), :len(b_)] = numpy.linalg.norm(a_[:, None] - b_[None, :], axis=-1)",
    ),
    (
        "convolution of two loops",
        "for i_ in range(len(a_)):\n for j_ in range(len(b_)):\n  out_[i_ + j_] += a_[i_] * b_[j_]",
        "if len(a_) and len(b_):\n out_[:len(a_) + len(b_) - 1] += numpy.convolve(a_, b_)",
    ),
    (
        "correlation of a loop over lags",
        "for i_ in range(n_):\n out_[i_] = numpy.sum(a_[:n_ - i_] * a_[i_:])",
        "if n_ and n_ == len(a_):\n out_[:n_] = numpy.correlate(a_, a_, 'full')[n_ - 1:]\nelse:\n old_",
    ),
    (
        "sums so far",
        "for i_ in range(n_):\n out_[i_] = numpy.sum(a_[:i_ + 1])",
        "out_[:n_] = numpy.cumsum(a_[:n_])",
    ),
    (
        "sums so far",
        "for i_ in range(1, n_):\n out_[i_] = out_[i_ - 1] + a_[i_]",
        "if n_ > 1:\n out_[1:n_] = out_[0] + numpy.cumsum(a_[1:n_])",
    ),
    (
        "differences of neighbours",
        "for i_ in range(len(a_) - 1):\n out_[i_] = a_[i_ + 1] - a_[i_]",
        "out_[:max(0, len(a_) - 1)] = numpy.diff(a_)",
    ),
    (
        "one array of a list",
        "r_ = numpy.array([])\nfor x_ in a_:\n r_ = numpy.append(r_, b_)",
        "r_ = numpy.array([b_ for x_ in a_], dtype=float)",
    ),
    *(
        (
            "windows as an array",
            f"r_ = []\nfor i_ in range(len(a_) - k_ + 1):\n r_.append({name}(a_[i_:i_ + k_]))",
            f"if len(a_) >= k_ > 0:\n r_ = list({name}({_WINDOW}(a_, k_), axis=1))\nelse:\n old_",
        )
        for name in ("numpy.mean", "numpy.sum", "numpy.max", "numpy.min", "numpy.median")
    ),
)
_STANDARD = (
    (
        "sums so far",
        "r_ = []\nfor i_ in range(len(a_)):\n r_.append(sum(a_[:i_ + 1]))",
        "r_ = list(itertools.accumulate(a_))",
    ),
    ("sums so far", "[sum(a_[:i_ + 1]) for i_ in range(len(a_))]", "list(itertools.accumulate(a_))"),
    (
        "each one once",
        "r_ = []\nfor x_ in a_:\n if x_ not in r_:\n  r_.append(x_)",
        "r_ = list(dict.fromkeys(a_))",
    ),
    (
        "counted",
        "r_ = {}\nfor x_ in a_:\n r_[x_] = r_.get(x_, 0) + 1",
        "r_ = dict(collections.Counter(a_))",
    ),
    (
        "counted",
        "r_ = {}\nfor x_ in a_:\n if x_ in r_:\n  r_[x_] += 1\n else:\n  r_[x_] = 1",
        "r_ = dict(collections.Counter(a_))",
    ),
    (
        "counted once for all",
        "[a_.count(x_) for x_ in a_]",
        "list(map(collections.Counter(a_).__getitem__, a_))",
    ),
    ("joined", "r_ = ''\nfor x_ in a_:\n r_ += b_", "r_ = ''.join([b_ for x_ in a_])"),
    ("joined", "r_ = ''\nfor x_ in a_:\n r_ = r_ + b_", "r_ = ''.join([b_ for x_ in a_])"),
    ("chained", "sum(a_, [])", "list(itertools.chain.from_iterable(a_))"),
    ("chained", "[x_ for y_ in a_ for x_ in y_]", "list(itertools.chain.from_iterable(a_))"),
    ("membership", "any(x_ == b_ for x_ in a_)", "b_ in a_"),
    ("membership", "any([x_ == b_ for x_ in a_])", "b_ in a_"),
    ("counted without a list", "len([b_ for y_ in a_ if c_])", "sum(1 for y_ in a_ if c_)"),
    ("comprehension", "list(map(lambda x_: b_, a_))", "[b_ for x_ in a_]"),
    ("comprehension", "list(filter(lambda x_: b_, a_))", "[x_ for x_ in a_ if b_]"),
    ("sum", "functools.reduce(lambda x_, y_: x_ + y_, a_)", "sum(a_)"),
    ("product", "functools.reduce(lambda x_, y_: x_ * y_, a_)", "math.prod(a_)"),
    ("looked up without a lambda", "lambda x_: a_[x_]", "a_.__getitem__"),
    ("all pairs", "[(x_, y_) for x_ in a_ for y_ in b_]", "list(itertools.product(a_, b_))"),
)
EQUIVALENCES = tuple(
    Equivalence(*row) for row in (*_TRANSFORMS, *_LINEAR_ALGEBRA, *_WHOLE_ARRAYS, *_SELECTION, *_STANDARD)
)
