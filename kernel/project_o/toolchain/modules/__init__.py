"""Library modules: native code in a folder of its own, described by a ``module.json``, kept while it is loaded.

    manifest.py   what a module.json says
    find.py       where modules are: the user's own folders, then those that come with us
    build.py      a module -> an artifact, through the same recipes and the same cache as a cell
    turns.py      who may use a state: many that look at it, or one that changes it
    loaded.py     a build in this process with the context it works on, and how another build takes that over
    fits.py       whether one build may take the place of another, in words

The C interface of it all is ``native/abi/o.h``. To add one more native language: its name in ``manifest.LANGUAGES``, a
``Module`` in its recipe, and the functions of the ABI around its sources.
"""

from .build import Built, build_module, program_of
from .find import find, found_in, ours
from .loaded import Module
from .manifest import Manifest

__all__ = ["Built", "Manifest", "Module", "build_module", "find", "found_in", "ours", "program_of"]
