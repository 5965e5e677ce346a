"""Graphviz as a layout engine: it says in which order boxes and wires stand side by side.

Graphviz gets boxes of fixed size without texts, so its answer does not depend on fonts. It runs in a process of its
own: a layout that takes too long is ended, and one that crashes takes nothing with it.
"""

import importlib.util
import shutil
import subprocess
import sys
import warnings
from collections.abc import Sequence
from typing import Literal, get_args

Engine = Literal["auto", "layered", "graphviz", "pygraphviz", "dot"]
ENGINES = get_args(Engine)
LARGE = range(400, 4000)
"""So many boxes and bends of wires: "auto" asks Graphviz, which crosses a third fewer wires than the built-in layout.
With fewer there is little to gain, with more it takes many seconds."""
TIME_OUT = 20.0
"""Seconds."""
POINTS = 72.0
"""To the inch, Graphviz's unit."""

_IN_PYTHON = ("import sys, pygraphviz; "
              "sys.stdout.buffer.write(pygraphviz.AGraph(string=sys.stdin.read()).draw(format='plain', prog='dot'))")


def command(engine: str) -> list[str]:
    """The program that turns a graph on stdin into positions on stdout; empty for the built-in layout.

    Raises:
        ValueError: there is no such engine.
        ImportError: the engine is asked for by its name, and is not installed.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine must be {', '.join(map(repr, ENGINES[:-1]))} or {ENGINES[-1]!r}, not {engine!r}")
    if engine == "layered":
        return []
    if engine != "dot" and sys.executable and importlib.util.find_spec("pygraphviz"):
        return [sys.executable, "-P", "-c", _IN_PYTHON]
    if engine != "pygraphviz" and (dot := shutil.which("dot")):
        return [dot, "-Tplain"]
    if engine == "auto":
        return []
    missing = {"graphviz": "neither pygraphviz nor a program `dot` on the PATH", "pygraphviz": "no pygraphviz",
               "dot": "no program `dot` on the PATH"}[engine]
    remedy = ("install Graphviz, or use engine='graphviz' after pip install 'gradcircuit[layout]'" if engine == "dot"
              else "pip install 'gradcircuit[layout]'")
    raise ImportError(f"engine={engine!r}: there is {missing}: {remedy}; engine='layered' needs nothing")


def positions(engine: str, columns: Sequence[Sequence[int]], sides: Sequence[tuple[float, float]],
              links: Sequence[tuple[int, int]], gap: float, keep_first: bool) -> list[float] | None:
    """Where each item stands across the flow; None if the built-in layout is to say it.

    Args:
        engine: one of ENGINES.
        columns: the items of every rank.
        sides: how far each item extends, to the near and to the far side.
        links: from an item to one of the next rank.
        gap: least distance.
        keep_first: keep the order of the first rank.
    """
    program = command(engine)
    if not program or (engine == "auto" and len(sides) not in LARGE):
        return None
    lines = ["digraph {", f"graph [nodesep={gap / POINTS}, ranksep=0.5, splines=false, nslimit=0.1]",
             'node [shape=box, fixedsize=true, height=0.1, label=""]', "edge [arrowhead=none]",
             *(f"{item} [width={max(sum(side), 1.0) / POINTS:.4f}]" for item, side in enumerate(sides)),
             *(f"{source} -> {target}" for source, target in links)]
    if keep_first:
        lines.append("{rank=same; edge [style=invis]; " + " -> ".join(map(str, columns[0])) + "}")
    try:
        done = subprocess.run(program, input="\n".join([*lines, "}\n"]).encode(), capture_output=True,
                              timeout=TIME_OUT, check=True)
        middles = {int(words[1]): float(words[2]) * POINTS for line in done.stdout.decode().splitlines()
                   if (words := line.split())[0] == "node"}
        return [middles[item] + (near - far) / 2 for item, (near, far) in enumerate(sides)]
    except subprocess.TimeoutExpired:
        problem = f"took more than {TIME_OUT:g} s"
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        problem = f"failed with exit status {error.returncode}" + (f" ({said[-1]:.200})" if said else "")
    except (OSError, KeyError, ValueError, IndexError) as error:
        problem = f"failed ({error!r:.200})"
    warnings.warn(f"Graphviz {problem}; the built-in layout is used instead", stacklevel=2)
    return None
