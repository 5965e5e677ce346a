"""This project before and after a change, side by side in one run: the ratio for each workload.

    git worktree add ../before HEAD~3
    python benchmarks/before_after.py ../before              the chain, the MLP, the scalar nodes
    python benchmarks/before_after.py ../before W3 W6 --seconds 10

A ratio above 1 says that the present state is faster. Both take turns (`interleaved.py`); nothing else should run.
"""

import argparse
from pathlib import Path

from interleaved import Library, measure
from report import QUANTITIES

HOT_PATH = ["W1", "W2", "W7"]


def main() -> None:
    """Measure workload by workload, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="another checkout of this project")
    parser.add_argument("workloads", nargs="*", default=HOT_PATH, help="names such as W2")
    parser.add_argument("--seconds", type=float, default=5, help="undisturbed, for each of the two")
    parser.add_argument("--rounds", type=int, default=2, help="processes for each, of which the best is kept")
    options = parser.parse_args()
    after, before = Library("gradcircuit"), Library("before gradcircuit", checkout=options.before.resolve())
    for workload in options.workloads:
        cells = measure([before, after], workload, options.seconds, options.rounds)
        then, now = (cells[library.name] for library in (before, after))
        quantity = QUANTITIES[workload]
        print(f"{workload:5} {quantity.title:40} before {then['median'] * quantity.scale:8.3f}  after "
              f"{now['median'] * quantity.scale:8.3f} {quantity.unit}  ratio {then['median'] / now['median']:.2f}  "
              f"(spread {then['spread']:.0%}, {now['spread']:.0%})", flush=True)


if __name__ == "__main__":
    main()
