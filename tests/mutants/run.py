"""Do the tests notice when the code is wrong? Makes small mistakes in the modules, one at a time, and runs their tests.

    python tests/mutants/run.py autograd/backward.py nn/hooks.py        every mutant of two modules
    python tests/mutants/run.py --core --nn --sample 100 --seed 3       a random sample of many
    python tests/mutants/run.py autograd/backward.py --list             what would be done
    python tests/mutants/run.py autograd/backward.py --line 68          the mutants of one line

A mutant that a test fails on (or that takes too long) is killed; one that survives is printed as a diff, and wants a
test that fails on it, or a line in survivors.md that says why none can. Not part of the suite; needs a system that can
fork.

It works on a copy of the tree. A module's tests are first the file of its name (see tests/test_mirror.py), then the
quick ones of its package; with --thoroughly all of its package.
"""

import argparse
import ast
import contextlib
import copy
import difflib
import os
import random
import resource
import runpy
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[2]
CORE = [f"autograd/{name}.py" for name in (
    "tensor", "operation", "recording", "calling", "table", "backward", "graph", "inplace", "sharing", "watching",
    "hooks", "function", "grad_mode")]
NN = ["nn/module.py", "nn/hooks.py", *(str(path.relative_to(ROOT)) for folder in ("nn", "nn/functional")
                                       for path in sorted((ROOT / folder).glob("*.py"))
                                       if path.name not in ("__init__.py", "module.py", "hooks.py"))]
QUICK = {"autograd": "backward inplace tensor calling dtypes hooks grad_mode graph function watching table anomaly "
                     "gradients checkpoint profile",
         "nn": "module hooks container errors layers windows"}
"""By package, what is run after a module's own tests: files of tests/autograd and tests/nn."""
CHECKS = ("strict", "samples")
"""Arguments that are there for us: what must be of one length, examples for the property tests."""
OTHER = {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
         ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
         ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
         ast.Mod: ast.Add, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}
"""Operator -> what somebody might have written instead."""


# Mutants

@dataclass
class Mutant:
    """A module with one mistake."""

    module: str
    line: int
    what: str
    source: str

    def __str__(self) -> str:
        before, after = (ROOT / self.module).read_text(encoding="utf-8").splitlines(), self.source.splitlines()
        lines = [line for line in difflib.unified_diff(before, after, n=0, lineterm="")
                 if line[:2] not in ("--", "++", "@@")]
        return "\n".join([f"{self.module}:{self.line}: {self.what}", *(f"    {line}" for line in lines)])


def mutants_of(module: str) -> list[Mutant]:
    """Every mutant of a module."""
    source = (ROOT / module).read_text(encoding="utf-8")
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
    found = []
    for node, what, text in mistakes(ast.parse(source)):
        start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        if isinstance(node, ast.expr):
            text = f"({text})"  # precedence, and lines that go on
        changed = (source.encode()[:start] + text.encode() + source.encode()[end:]).decode()
        try:
            ast.parse(changed)
        except SyntaxError:
            continue
        found.append(Mutant(module, node.lineno, what, changed))
    return found


def mistakes(node: ast.AST) -> Iterator[tuple[ast.AST, str, str]]:
    """What may be wrong in a piece of code: (what is replaced, how, by which text)."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.stmt):
        yield from mistakes_of_statement(node)
    elif isinstance(node, ast.expr):
        yield from mistakes_of_expression(node)
    elif isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield test, "condition dropped", "True"
    for child in parts(node):
        yield from mistakes(child)


def parts(node: ast.AST) -> Iterator[ast.AST]:
    """What is looked at in a piece of code: no types, messages of errors, or checks of ours."""
    if isinstance(node, (ast.Raise, ast.JoinedStr)) or (isinstance(node, ast.keyword) and node.arg in CHECKS):
        return
    if isinstance(node, ast.FunctionDef) and node.name.endswith("samples"):
        return
    types = [value for field, value in ast.iter_fields(node) if field in ("annotation", "returns")]
    yield from (child for child in ast.iter_child_nodes(node) if child not in types)


def mistakes_of_statement(node: ast.stmt) -> Iterator[tuple[ast.AST, str, str]]:
    if isinstance(node, ast.If) and not node.orelse:
        yield node.test, "guard deleted", "False"
        yield node.test, "guard always", "True"
    elif isinstance(node, ast.If):
        yield node.test, "condition turned", f"not ({ast.unparse(node.test)})"
    elif isinstance(node, (ast.AugAssign, ast.Delete, ast.Raise)) or (
            isinstance(node, ast.Expr) and not isinstance(node.value, (ast.Constant, ast.Yield, ast.YieldFrom))) or (
            isinstance(node, ast.Assign) and not any(isinstance(part, ast.Name) for target in node.targets
                                                     for part in getattr(target, "elts", [target]))):
        yield node, "statement removed", "pass"
    elif isinstance(node, ast.Continue):
        yield node, "break for continue", "break"
    elif isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield node.value, "None returned", "None"
    if isinstance(node, ast.AugAssign) and type(node.op) in OTHER:
        other = copy.copy(node)
        other.op = OTHER[type(node.op)]()
        yield node, "other operator", ast.unparse(other)


def mistakes_of_expression(node: ast.expr) -> Iterator[tuple[ast.AST, str, str]]:
    def other(**changes) -> str:
        changed = copy.copy(node)
        for name, value in changes.items():
            setattr(changed, name, value)
        return ast.unparse(changed)
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            yield node, "other comparison", other(ops=[*node.ops[:i], OTHER[type(op)](), *node.ops[i + 1:]])
    elif isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in OTHER:
        yield node, "other operator", other(op=OTHER[type(node.op)]())
    elif isinstance(node, ast.UnaryOp):
        yield node, "sign or not dropped", ast.unparse(node.operand)
    elif isinstance(node, ast.IfExp):
        yield node, "branches exchanged", other(body=node.orelse, orelse=node.body)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield node, "other truth", repr(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield node, "one more", repr(node.value + 1)
        yield node, "one less", repr(node.value - 1)


# Tests

def tests_of(module: str, thoroughly: bool) -> list[str]:
    """A module's tests, in the order in which they are run."""
    package = module.partition("/")[0]
    own = [f"tests/{place}" for place in runpy.run_path(str(ROOT / "tests/test_mirror.py"))["places"](Path(module))]
    own.append(f"tests/{package}/functional/test_{Path(module).stem}.py")
    quick = [f"tests/{package}/test_{name}.py" for name in QUICK.get(package, "").split()]
    rest = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests" / package).rglob("test_*.py"))]
    return [name for name in dict.fromkeys([*own, *quick, *(rest if thoroughly else [])]) if (ROOT / name).exists()]


def killed_by(mutant: Mutant, tree: Path, tests: list[str], seconds: float) -> str:
    """The first test that fails on a mutant; empty if it survives."""
    (tree / mutant.module).write_text(mutant.source, encoding="utf-8")
    output = tree / "output.txt"
    try:
        child = os.fork()
        if child == 0:
            run(tests, tree, output)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                failures = [line for line in output.read_text(encoding="utf-8").splitlines()
                            if line.startswith(("FAILED ", "ERROR "))]
                return "" if status == 0 else [*failures, "a crash"][0].partition(" - ")[0]
            time.sleep(0.05)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return "taking too long"
    finally:
        shutil.copy(ROOT / mutant.module, tree / mutant.module)


def run(tests: list[str], tree: Path, output: Path) -> NoReturn:
    """In a process of its own: the tests, on the code in `tree`."""
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    for stream in (1, 2):
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    code = pytest.main(["-x", "--tb=no", "-p", "no:cacheprovider", *tests])
    sys.stdout.flush()
    os._exit(int(code))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="such as autograd/backward.py")
    parser.add_argument("--core", action="store_true", help="the modules of autograd's core")
    parser.add_argument("--nn", action="store_true", help="nn and nn.functional")
    parser.add_argument("--sample", type=int, help="so many mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--line", type=int)
    parser.add_argument("--seconds", type=float, default=120, help="for the tests of one mutant (default 120)")
    parser.add_argument("--thoroughly", action="store_true", help="all tests of the package")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="for everything")
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    options = parser.parse_args()
    modules = [*options.modules, *(CORE if options.core else []), *(NN if options.nn else [])]
    mutants = [mutant for module in modules for mutant in mutants_of(module) if options.line in (None, mutant.line)]
    if options.sample:
        random.Random(options.seed).shuffle(mutants)
        mutants = mutants[:options.sample]
    if options.list:
        print(*mutants, sep="\n")
        return
    os.environ.update(OPENBLAS_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
    sys.dont_write_bytecode = True
    for name in ("numpy", "hypothesis", "torch"):  # once, not for each mutant
        with contextlib.suppress(ImportError):
            __import__(name)
    started, survivors, tried = time.monotonic(), [], 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info"))
        for mutant in mutants:
            if time.monotonic() - started > 60 * options.minutes:
                break
            tried += 1
            killer = killed_by(mutant, tree, tests_of(mutant.module, options.thoroughly), options.seconds)
            print(f"killed    {mutant.module}:{mutant.line} {mutant.what}, by {killer}" if killer else
                  f"SURVIVED  {mutant}", flush=True)
            survivors += [] if killer else [mutant]
    print(f"{tried - len(survivors)} of {tried} mutants killed")


if __name__ == "__main__":
    main()
