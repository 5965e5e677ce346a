"""Do the tests notice when the code is wrong? Makes small mistakes in the modules, one at a time, and runs their tests.

    python tests/mutants/run.py autograd/backward.py nn/hooks.py        every mutant of two modules
    python tests/mutants/run.py --core --nn --sample 100 --seed 3       a random sample of many
    python tests/mutants/run.py autograd/backward.py --list             what would be done
    python tests/mutants/run.py nn/functional/fold.py --line 68 --tests tests/nn/test_windows.py

A mutant that a test fails on (or that takes too long) is killed; one that survives is printed as a diff, and wants a
test that fails on it, or a line in survivors.md that says why none can. Not part of the suite; needs a system that can
fork.

It works on a copy of the tree. First all tests of the packages are run once, to learn which functions each of them
reaches and how long it takes. A mutant is then tried in a process of its own by the tests that reach the function, at
first those in the file of the module's name (see tests/test_mirror.py), then the quick ones.
"""

import argparse
import ast
import builtins
import copy
import difflib
import gc
import importlib
import inspect
import itertools
import os
import pickle
import random
import resource
import runpy
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import hypothesis
import pytest

ROOT = Path(__file__).parents[2]
CORE = [f"autograd/{name}.py" for name in (
    "tensor", "operation", "recording", "calling", "table", "numpy_functions", "backward", "graph", "inplace",
    "sharing", "watching", "hooks", "function", "grad_mode")]
NN = ["nn/module.py", "nn/hooks.py", *(str(path.relative_to(ROOT)) for folder in ("nn", "nn/functional")
                                       for path in sorted((ROOT / folder).glob("*.py"))
                                       if path.name not in ("__init__.py", "module.py", "hooks.py"))]
QUICK = {"autograd": "test_[!aeo]* test_anomaly ../test_mistakes",
         "nn": "functional/test_* utils/test_* test_[!cdst]* test_container test_torch_scaffolding test_sanity "
               "test_summary ../test_mistakes ../test_same_seed"}
"""By package, the quick tests: files of tests/autograd and tests/nn."""
PYTEST = ["-o", "addopts=--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:terminal", "--capture=no"]
OURS = ("autograd", "nn", "optim", "viz", "tests")
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
    """A module with one mistake; `lines` are those of the function that has it, none if it is outside of functions."""

    module: str
    line: int
    what: str
    source: str
    lines: set[int]

    def __str__(self) -> str:
        before, after = (ROOT / self.module).read_text(encoding="utf-8").splitlines(), self.source.splitlines()
        lines = [line for line in difflib.unified_diff(before, after, n=0, lineterm="")
                 if line[:2] not in ("--", "++", "@@") and line != "+"]
        return "\n".join([f"{self.module}:{self.line}: {self.what}", *(f"    {line}" for line in lines)])


def mutants_of(module: str) -> list[Mutant]:
    """Every mutant of a module."""
    source = (ROOT / module).read_text(encoding="utf-8")
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
    found = []
    tree = ast.parse(source)
    functions = [(body_of(function), lines_of(function)) for function in functions_in(tree)]
    for node, what, text in mistakes(tree):
        start, end = starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset
        text += "\n" * (node.end_lineno - node.lineno - text.count("\n"))  # what follows stays on its line
        if isinstance(node, ast.expr):
            text = f"({text})"  # precedence, and lines that go on
        changed = (source.encode()[:start] + text.encode() + source.encode()[end:]).decode()
        try:
            ast.parse(changed)
        except SyntaxError:
            continue
        around = [lines for body, lines in functions if body[0] <= (node.lineno, node.col_offset) < body[1]]
        found.append(Mutant(module, node.lineno, what, changed, around[0] if around else set()))
    return found


def functions_in(node: ast.AST) -> Iterator[ast.FunctionDef | ast.Lambda]:
    """The functions that are in no other."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.Lambda)):
            yield child
            for part in [*getattr(child, "decorator_list", []), child.args]:
                yield from functions_in(part)
        else:
            yield from functions_in(child)


def body_of(function: ast.FunctionDef | ast.Lambda) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where its body begins and ends."""
    body = function.body if isinstance(function.body, list) else [function.body]
    return (body[0].lineno, body[0].col_offset), (body[-1].end_lineno, body[-1].end_col_offset)


def lines_of(function: ast.FunctionDef | ast.Lambda) -> set[int]:
    """Where its code and that of functions in it may begin; the first is its own."""
    begin, end = body_of(function)
    return {first_line(function), *range(begin[0], end[0] + 1)}


def first_line(function: ast.FunctionDef | ast.Lambda) -> int:
    """Where its code begins."""
    return min(part.lineno for part in [function, *getattr(function, "decorator_list", [])])


def telling(source: str, path: str) -> CodeType:
    """The code of a module whose functions tell when they are called, to `__reached__(path, line)`."""
    tree = ast.parse(source)
    for function in functions_in(tree):
        told = ast.parse(f"__reached__({path!r}, {first_line(function)})", mode="eval").body
        if isinstance(function, ast.Lambda):
            function.body = ast.BoolOp(ast.Or(), [told, function.body])
        else:
            function.body.insert(0, ast.Expr(told))
        for part in ast.walk(told):
            ast.copy_location(part, function)
    return compile(ast.fix_missing_locations(tree), path, "exec")


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
    if isinstance(node, ast.FunctionDef) and (
            node.name.endswith("samples") or "overload" in map(ast.unparse, node.decorator_list)):
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

def tests_of(module: str) -> list[str]:
    """The files in which a module's tests are looked for."""
    own = [f"tests/{place}" for place in runpy.run_path(str(ROOT / "tests/test_mirror.py"))["places"](Path(module))]
    own.append(f"tests/{module.partition('/')[0]}/functional/test_{Path(module).stem}.py")
    return [name for name in dict.fromkeys(own) if (ROOT / name).exists()]


def tests_of_package(package: str, thoroughly: bool) -> list[str]:
    """The files of a package's quick tests, or of all."""
    quick = QUICK.get(package, "").split()
    patterns = ["**/test_*.py"] if thoroughly else [f"{name}.py" for name in quick]
    folder = ROOT / "tests" / package
    return [str(path.relative_to(ROOT)) for pattern in patterns for path in sorted(folder.glob(pattern))]


@dataclass
class Reach:
    """A test that passes, the functions that it reaches by file and first line, and what it takes of a processor."""

    test: str
    functions: set[tuple[str, int]]
    seconds: float


PROCESS = "a process of its own", 0
"""What a test reaches there isn't known."""


class Trial:
    """A plugin of pytest that, once the tests are collected, runs them for each mutant in a process of its own."""

    def __init__(self, mutants: list[Mutant], tree: Path, options: argparse.Namespace):
        self.mutants, self.tree, self.options = mutants, tree, options
        self.files = {str(tree / mutant.module) for mutant in mutants}
        self.reached: set[tuple[str, int]] = set()
        self.failed: set[str] = set()
        self.survivors, self.tried = 0, 0
        sys.addaudithook(lambda event, args: self.reached.add(PROCESS) if event == "subprocess.Popen" else None)
        self.at_import = self.called_at_import()

    def called_at_import(self) -> set[tuple[str, int]]:
        """The functions that the import of the modules calls."""
        found = set()

        def note(frame, event, arg):
            if frame.f_code.co_filename in self.files:
                found.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))
        sys.settrace(note)
        for mutant in self.mutants:
            importlib.import_module(mutant.module.removesuffix(".py").replace("/", "."))
        sys.settrace(None)
        return found

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:  # or skipped
            self.failed.add(report.nodeid)

    def run(self, items: list[pytest.Item]) -> Iterator[pytest.Item]:
        """Runs tests one by one."""
        for item, following in itertools.zip_longest(items, items[1:]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            yield item

    def reaches(self, items: list[pytest.Item]) -> list[Reach]:
        """Of every test that passes."""
        builtins.__reached__ = lambda path, line: self.reached.add((path, line))
        for path in self.files:
            source = Path(path).read_text(encoding="utf-8")
            for old, new in zip(codes(compile(source, path, "exec")), codes(telling(source, path)), strict=True):
                self.exchange([old], [new])
        self.reached.clear()
        found, started = [], sum(os.times()[:4])
        for item in self.run(items):
            if item.nodeid not in self.failed:
                found.append(Reach(item.nodeid, set(self.reached), sum(os.times()[:4]) - started))
            self.reached.clear()
            started = sum(os.times()[:4])
        return found

    def exchange(self, before: list[CodeType], after: list[CodeType]) -> bool:
        """Whether functions that have one code can be given the other, and are."""
        pairs = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        if not pairs or any(old.co_freevars != new.co_freevars or not self.live[old] for old, new in pairs):
            return False
        for old, new in pairs:
            for function in self.live[old]:
                function.__code__ = new
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        self.live = defaultdict(list)
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType) and thing.__code__.co_filename in self.files:
                self.live[thing.__code__].append(thing)
        gc.freeze()  # or each process would copy what the collector visits
        started = time.monotonic()
        reaches = in_a_process(lambda: self.reaches(session.items), 3600)
        if not isinstance(reaches, list):
            raise RuntimeError(f"the tests, run without a mutant, ended by {reaches}")
        print(f"{len(reaches)} of {len(session.items)} tests pass, in {time.monotonic() - started:.0f} s", flush=True)
        for mutant in self.mutants:
            if time.monotonic() - started > 60 * self.options.minutes:
                break
            killer = self.killed_by(mutant, reaches)
            self.tried += 1
            self.survivors += not killer
            print(f"killed    {mutant.module}:{mutant.line} {mutant.what}, by {killer}" if killer else
                  f"SURVIVED  {mutant}", flush=True)
        return True

    def killed_by(self, mutant: Mutant, reaches: list[Reach]) -> str:
        """The first test that fails on a mutant; empty if it survives."""
        path = self.tree / mutant.module
        own, chosen, seconds = tests_of(mutant.module), [], 0.0
        at_import = self.made_at_import(mutant)
        elsewhere = {reach.test.partition("::")[0] for reach in reaches if PROCESS in reach.functions}

        def rank(reach: Reach) -> int | None:
            file = reach.test.partition("::")[0]
            if any(name == str(path) and (line in mutant.lines or at_import) for name, line in reach.functions):
                return 0 if file in own else 1
            if at_import and not reach.functions:  # it looks at signatures, for one
                return 1
            return 2 if file in own and file in elsewhere else None
        ranked = [(rank(reach), reach.seconds, reach.test) for reach in reaches]
        for _, takes, test in sorted(entry for entry in ranked if entry[0] is not None):
            chosen.append(test)
            seconds += takes
            if seconds > self.options.seconds:
                break
        path.write_text(mutant.source, encoding="utf-8")
        try:
            result = in_a_process(lambda: self.first_failure(mutant, chosen), int(30 + 5 * seconds))
        finally:
            shutil.copy(ROOT / mutant.module, path)
        return result

    def made_at_import(self, mutant: Mutant) -> bool:
        """Whether the import runs the mistake, so that whatever uses the module may show it."""
        return not mutant.lines or any((str(self.tree / mutant.module), line) in self.at_import
                                       for line in mutant.lines)

    def first_failure(self, mutant: Mutant, chosen: list[str]) -> str:
        """In a process of its own: the first of the tests that fails on a mutant."""
        if not self.made_at_import(mutant):
            path = str(self.tree / mutant.module)
            before = codes(compile((ROOT / mutant.module).read_text(encoding="utf-8"), path, "exec"))
            if self.exchange(before, codes(compile(mutant.source, path, "exec"))):
                return next((item.nodeid for item in self.run([self.items[name] for name in chosen])
                             if item.nodeid in self.failed), "")
        for name in list(sys.modules):  # what was made at the import is wrong, too
            if name.partition(".")[0] in OURS:
                del sys.modules[name]
        tests = Chosen(chosen)
        code = pytest.main([*PYTEST, "-x", *dict.fromkeys(name.partition("::")[0] for name in chosen)], plugins=[tests])
        return tests.failed or ("" if code in (0, 5) else "an error at the import")


class Chosen:
    """A plugin of pytest: some of the tests, in an order of ours."""

    def __init__(self, names: list[str]):
        self.place, self.failed = {name: i for i, name in enumerate(names)}, ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((item for item in items if item.nodeid in self.place), key=lambda t: self.place[t.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or (report.nodeid if report.failed else "")


def codes(code: CodeType) -> list[CodeType]:
    """Of the functions of a module that are in no other."""
    parts = [part for part in code.co_consts if isinstance(part, CodeType)]
    return [each for part in parts for each in ([part] if part.co_flags & inspect.CO_NEWLOCALS else codes(part))]


def in_a_process(work: Callable[[], Any], seconds: int) -> Any:
    """What a function returns that is called in a process of its own; otherwise how that ended.

    The seconds are those of a processor: others may be at work, too. Who only waits gets ten times as many.
    """
    sys.stdout.flush()
    with tempfile.TemporaryFile() as answer:
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            for stream in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
            try:
                pickle.dump(work(), answer)
            except Exception as error:
                pickle.dump(error, answer)
            finally:
                answer.flush()
                os._exit(0)
        end = time.monotonic() + 10 * seconds
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            if time.monotonic() > end:
                os.killpg(child, signal.SIGKILL)
            time.sleep(0.01)
        answer.seek(0)
        try:
            result = pickle.load(answer)
        except EOFError:
            return "taking too long" if os.WTERMSIG(ended[1]) in (signal.SIGXCPU, signal.SIGKILL) else "a crash"
        if isinstance(result, Exception):
            raise result
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="such as autograd/backward.py")
    parser.add_argument("--core", action="store_true", help="the modules of autograd's core")
    parser.add_argument("--nn", action="store_true", help="nn and nn.functional")
    parser.add_argument("--sample", type=int, help="so many mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--line", type=int)
    parser.add_argument("--tests", nargs="+", help="files of tests, instead of those of the packages")
    parser.add_argument("--seconds", type=float, default=20, help="of tests for one mutant (default 20)")
    parser.add_argument("--thoroughly", action="store_true", help="all tests of the package, slow ones too")
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
    hypothesis.settings.register_profile("mutants", phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate])
    hypothesis.settings.load_profile("mutants")  # a failure is enough, it needn't be a small one
    packages = dict.fromkeys(mutant.module.partition("/")[0] for mutant in mutants)
    tests = options.tests or [*dict.fromkeys([
        *(name for mutant in mutants for name in tests_of(mutant.module)),
        *(name for package in packages for name in tests_of_package(package, options.thoroughly))])]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder).resolve() / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info"))
        os.chdir(tree)
        os.environ["PYTHONPATH"] = str(tree)
        sys.path.insert(0, str(tree))
        trial = Trial(mutants, tree, options)
        pytest.main([*PYTEST, *([] if options.thoroughly else ["-m", "not slow"]), *tests], plugins=[trial])
        os.chdir(ROOT)
    print(f"{trial.tried - trial.survivors} of {trial.tried} mutants killed")


if __name__ == "__main__":
    main()
