"""Published packages on top of PyTorch: programs of ten lines, run through the door and by PyTorch.

    python tests/packages/run.py [NAME ...]        where PyTorch is installed: writes expected.json and docs/packages.md

programs/ has them; the first line of each says which package it is about, and what it does. They print numbers, by
which the two are compared. A package that isn't installed is passed over: `pip install --no-deps` brings it without
PyTorch.
"""

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXPECTED = HERE / "expected.json"
PAGE = ROOT / "docs" / "packages.md"
PROGRAMS = {path.stem: path for path in sorted((HERE / "programs").glob("*.py")) if path.stem != "common"}
_NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")


def described(name: str) -> tuple[str, str]:
    """The package that a program is about, and what it does."""
    package, _, does = (ast.get_docstring(ast.parse(PROGRAMS[name].read_text(encoding="utf-8"))) or "").partition(": ")
    return package, does


def version(package: str) -> str | None:
    """The version that is installed, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def run(name: str, *door: str) -> tuple[list[str], str]:
    """What a program prints, and its last error."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run([sys.executable, "-W", "ignore", *door, str(PROGRAMS[name])], capture_output=True, text=True,
                          check=False, timeout=300, env={**os.environ, "PYTHONPATH": path})
    errors = [line for line in done.stderr.splitlines() if line and not line.startswith(("of PyTorch,", "raised in"))]
    return done.stdout.splitlines(), (errors or [f"exit status {done.returncode}"])[-1] if done.returncode else ""


def through_the_door(name: str) -> tuple[list[str], str]:
    """What it prints when `import torch` means this project, and its last error."""
    return run(name, "-m", "nn.as_torch")


def difference(ours: list[str], theirs: list[str]) -> str:
    """What differs between two outputs, beyond the rounding of float32."""
    for a, b in zip(ours, theirs, strict=False):
        if _NUMBER.sub("#", a) != _NUMBER.sub("#", b):
            return f"{a!r}, PyTorch {b!r}"
        numbers = [[float(x) for x in _NUMBER.findall(line)] for line in (a, b)]
        largest = max(map(abs, numbers[1]), default=0)
        for x, y in zip(*numbers, strict=True):
            if abs(x - y) > 1e-3 * abs(y) + 1e-4 * largest:
                return f"{a!r}, PyTorch {b!r}"
    return "" if len(ours) == len(theirs) else f"{len(ours)} lines, PyTorch {len(theirs)}"


def main(names: list[str]) -> None:
    """Run them all, or those of these names."""
    expected: dict[str, Any] = json.loads(EXPECTED.read_text(encoding="utf-8")) if EXPECTED.exists() else {}
    for name in names or PROGRAMS:
        package, _ = described(name)
        installed = version(package)
        if installed is None:
            print(f"{name}: {package} isn't installed")
            continue
        theirs, fault = run(name)
        if fault:
            print(f"{name}: PyTorch itself: {fault}")
            continue
        ours, missing = through_the_door(name)
        missing = missing or difference(ours, theirs)
        missing = re.sub(r" \(asked for in .*", "", missing)
        expected[name] = {"version": installed, "missing": missing, "printed": theirs}
        print(f"{name}: {missing or 'whole'}")
    expected = {name: expected[name] for name in sorted(expected) if name in PROGRAMS}
    EXPECTED.write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(expected), encoding="utf-8")


def page(expected: dict[str, Any]) -> str:
    """docs/packages.md: what was run, and what is missing."""
    rows = sorted((*described(name), kept["version"], kept["missing"], name) for name, kept in expected.items())
    whole = [row for row in rows if not row[3]]
    return "\n".join([
        "# Packages", "", "<!-- written by tests/packages/run.py -->", "",
        "These packages were published for PyTorch. Here they run unmodified and without it ([porting](porting.md)): "
        "for each, a program of about ten lines computes values and gradients, which are compared with PyTorch's. "
        f"{len(whole)} of {len(rows)} run completely. Install them with `pip install --no-deps NAME`; otherwise their "
        "requirements bring PyTorch along. "
        "[tests/packages/requirements.txt](../tests/packages/requirements.txt) lists those that the tests use.", "",
        "```sh", "pip install --no-deps -r tests/packages/requirements.txt",
        "python -m nn.as_torch tests/packages/programs/neural_ode.py", "```", "",
        "| package | version | what was run | program | missing |", "| --- | --- | --- | --- | --- |",
        *[f"| {package} | {version} | {does} | [{name}](../tests/packages/programs/{name}.py) | "
          f"{missing.replace('|', '/')} |" for package, does, version, missing, name in rows], ""])


if __name__ == "__main__":
    main(sys.argv[1:])
