"""Whether the packages that are imported are ours, and whole; all four ask this first.

HIPS autograd installs a package of the same name into the same folder, and pip lets the two overwrite each other's
`autograd/__init__.py`. Uninstalling one takes that file of the other along.
"""

import os
import warnings
from typing import Any

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CURE = "; the two cannot share an environment: pip uninstall -y autograd gradcircuit, then pip install gradcircuit"


def check(folder: str) -> None:
    """Look at the folder of the package `autograd`.

    Raises:
        ImportError: its beginning is not ours, or is missing.
    """
    beginning = os.path.join(folder, "__init__.py")
    if not os.path.exists(beginning):
        raise ImportError(f"{beginning} is missing, because HIPS autograd, which has a package of that name, too, was "
                          f"installed beside gradcircuit and uninstalled{CURE}")
    if os.path.exists(os.path.join(folder, "tracer.py")):
        with open(beginning, encoding="utf-8") as file:
            ours = "gradcircuit" in file.read()
        if not ours:
            raise ImportError(f"{folder} is HIPS autograd, which was installed over gradcircuit's package of that "
                              f"name{CURE}")
        warnings.warn(f"HIPS autograd lies in {folder}, beneath gradcircuit's package of that name, and no longer "
                      f"works{CURE}", RuntimeWarning, stacklevel=2)


def check_name(package: Any) -> None:
    """Look whether a package is the one that lies beside ours.

    Raises:
        ImportError: another file of that name hides it.
    """
    ours, found = os.path.join(os.path.dirname(FOLDER), package.__name__), os.path.dirname(package.__file__ or "")
    if not os.path.isdir(ours) or not os.path.isdir(found) or not os.path.samefile(ours, found):
        raise ImportError(f"the name {package.__name__} means {package.__file__} here, which hides gradcircuit's "
                          "package of that name; rename the file, or run the program from another folder")


check(FOLDER)
