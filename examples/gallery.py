"""Finding the examples, and running one: its random numbers, progress, results, claim and pictures."""

import ast
import gc
import importlib
import time
from collections.abc import Iterable, Iterator, Sized
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import autograd
import viz

HERE = Path(__file__).parent
COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#000000", "#f0e442")
"""Of Okabe and Ito (2008), which color-blind readers tell apart, too."""
STYLE = {"figure.constrained_layout.use": True, "figure.dpi": 110, "savefig.dpi": 110, "image.cmap": "gray",
         "axes.spines.top": False, "axes.spines.right": False, "axes.grid.axis": "y", "grid.alpha": 0.25,
         "axes.titlesize": "medium", "legend.frameon": False}
SKETCH = {"figure.constrained_layout.use": False, "savefig.dpi": 40}  # in a quick run, where layout would take longest


@dataclass(frozen=True)
class Example:
    """What the file of an example says of itself; nothing of it has been imported."""

    path: Path
    doc: str
    systems: tuple[str, ...]
    claim: str

    @property
    def name(self) -> str:
        """The file's, without its chapter."""
        return self.path.stem

    @property
    def chapter(self) -> str:
        """The folder's name."""
        return self.path.parent.name

    def load(self) -> ModuleType:
        """Its module."""
        return importlib.import_module(f"examples.{self.chapter}.{self.name}")

    @classmethod
    def read(cls, path: Path) -> "Example":
        """Docstring, SYSTEMS and CLAIM of a file."""
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said = {node.targets[0].id: node.value for node in tree.body
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)}
        return cls(path, ast.get_docstring(tree) or "", tuple(ast.literal_eval(said["SYSTEMS"])),
                   ast.literal_eval(said["CLAIM"]))


def find() -> dict[str, Example]:
    """All examples by name, in the order of their chapters."""
    return {path.stem: Example.read(path) for path in sorted(HERE.glob("[0-9][0-9]_*/*.py"))}


@dataclass
class Run:
    """What an example is given, and what it leaves behind.

    Args:
        name: of its pictures.
        seed: of all its random numbers: `rng`, and autograd's.
        quick: only to see that it runs; the claim is not judged.
        out: the folder for its pictures.
        bar: show a progress bar, if tqdm is installed.
    """

    name: str
    seed: int = 0
    quick: bool = False
    out: Path = Path("out")
    bar: bool = False
    results: dict[str, tuple[float, str]] = field(default_factory=dict)
    judged: list[bool] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        autograd.manual_seed(self.seed)
        self.rng = np.random.default_rng(self.seed)

    @property
    def held(self) -> bool:
        """Whether the whole claim held."""
        return self.quick or (bool(self.judged) and all(self.judged))

    def pick(self, full: Any, quick: Any) -> Any:
        """One of two settings: that of a full run, or that of a quick one."""
        return quick if self.quick else full

    def progress(self, steps: int | Iterable, quick: int = 2, label: str = "") -> Iterator:
        """The numbers of the steps, or the items of what has a length; `quick` of them in a quick run."""
        items = range(steps) if isinstance(steps, int) else steps
        if self.quick:
            items = [item for item, _ in zip(items, range(quick), strict=False)]
        if self.bar:
            try:
                from tqdm import tqdm
            except ModuleNotFoundError:
                return iter(items)
            total = len(items) if isinstance(items, Sized) else None
            return iter(tqdm(items, desc=label or self.name, total=total, leave=False, disable=None))  # on terminals
        return iter(items)

    def result(self, name: str, number: float, unit: str = "") -> None:
        """A number that was reached."""
        self.results[name] = float(number), unit

    def holds(self, claim: Any) -> None:
        """The claim, or a part of it: all must hold."""
        self.judged.append(bool(claim))

    def save(self, picture: Any, name: str = "") -> None:
        """A Matplotlib figure, a Drawing or an Animation (viz), or an array (H, W) or (H, W, 3) of pixels, as a file.

        The first one is the example's own; others are numbered if they aren't named.
        """
        name = name or self.name + (f"_{len(self.pictures) + 1}" if self.pictures else "")
        as_svg = isinstance(picture, (viz.Drawing, viz.Animation))
        path = self.out / f"{name}.{'svg' if as_svg else 'png'}"
        self.out.mkdir(parents=True, exist_ok=True)
        if as_svg:
            picture.save(path)
        elif hasattr(picture, "savefig"):
            picture.savefig(path)
        else:
            from matplotlib import image
            image.imsave(path, np.asarray(picture), cmap="gray")
        self.pictures.append(path)


def run(example: Example, **options: Any) -> Run:
    """Run an example; options as of Run.

    Raises:
        ModuleNotFoundError: it needs a package that is not installed.
    """
    try:
        import matplotlib
        matplotlib.use("Agg")  # draws to files, no display needed
        from matplotlib import pyplot
        done = Run(example.name, **options)
        style = STYLE | {"axes.prop_cycle": matplotlib.cycler(color=COLORS)} | (SKETCH if done.quick else {})
        with matplotlib.rc_context(style):
            module = example.load()
            start = time.perf_counter()
            module.example(done)
            done.seconds = time.perf_counter() - start
            pyplot.close("all")
    except ModuleNotFoundError as error:
        remedy = error.msg if error.msg.startswith("pip") else "pip install 'gradcircuit[examples]'"
        raise ModuleNotFoundError(f"{example.name} needs {error.name}, which is not installed: {remedy}",
                                  name=error.name) from error
    return done


def attempt(example: Example, **options: Any) -> Run | ModuleNotFoundError:
    """Run an example; the error, where a package is missing."""
    try:
        return run(example, **options)
    except ModuleNotFoundError as error:
        return error
    finally:
        gc.collect()  # before the next one asks for its memory


def runs(examples: Iterable[Example], jobs: int = 1, **options: Any) -> Iterator[Run | ModuleNotFoundError]:
    """Run examples in turn, or so many at a time, each in a process with one thread; options as of Run."""
    if jobs == 1:
        yield from (attempt(example, **options) for example in examples)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), autograd.set_num_threads, (1,)) as pool:
        yield from pool.map(partial(attempt, **options), examples)
