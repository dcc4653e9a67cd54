"""The words in which a translation says, in its documentation, what its Python function returns."""

NUMPY_NUMBER = "It returns numpy's "
