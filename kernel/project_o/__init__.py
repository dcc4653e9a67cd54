"""Project O: code that improves itself, in a Jupyter notebook."""

__version__ = "0.1.0"
