# cython: language_level=3, boundscheck=False
"""Search among rows by their angle to a query."""

from libc.math cimport sqrtf

cdef float offset = NUMBER


cdef float product(const float[::1] a, const float[::1] b) noexcept nogil:
    cdef float total = 0
    cdef Py_ssize_t i
    for i in range(a.shape[0]):
        total += a[i] * b[i]
    return total


cpdef float dot(const float[::1] a, const float[::1] b):
    """The sum of the products, and the constant that every edit changes."""
    return offset + product(a, b)


cpdef float cosine(const float[::1] a, const float[::1] b):
    """The cosine of the angle between two rows."""
    cdef float lengths = sqrtf(product(a, a)) * sqrtf(product(b, b))
    return 0 if lengths == 0 else product(a, b) / lengths


cpdef void scores(const float[:, ::1] rows, const float[::1] query, float[::1] into):
    """The cosine of each row with the query."""
    cdef Py_ssize_t row
    for row in range(rows.shape[0]):
        into[row] = cosine(rows[row], query)


cpdef long nearest(const float[:, ::1] rows, const float[::1] query):
    """The row that is nearest to the query."""
    cdef long best = -1
    cdef float most = -2, score
    cdef Py_ssize_t row
    for row in range(rows.shape[0]):
        score = cosine(rows[row], query)
        if score > most:
            most, best = score, row
    return best
