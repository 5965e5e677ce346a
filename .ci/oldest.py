"""Prints the oldest versions of other packages that pyproject.toml admits, as constraints for pip."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
for requirement in sum(project["optional-dependencies"].values(), project["dependencies"]):
    if bound := re.fullmatch(r"([\w-]+)>=([\w.]+)", requirement):
        print(f"{bound[1]}=={bound[2]}")
