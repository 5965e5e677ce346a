"""Whole training steps in this project and in the libraries beside it: one table and one picture.

    python benchmarks/run.py                                            whatever this interpreter has
    python benchmarks/run.py --python torch=VENV/bin/python --python jax=... --python mygrad=... --python hips=...
    python benchmarks/run.py W2 W6 --seconds 1 --rounds 1               two workloads, quickly
    python benchmarks/run.py --resume                                   what was left out or disturbed
    python benchmarks/run.py --docs                                     and into docs/

A peer has its own virtual environment: `python -m venv VENV && VENV/bin/pip install torch` (or `jax`, `mygrad`,
`autograd scipy` for HIPS autograd, whose package bears the name of this project's). What is not installed is left out,
with a note. The libraries take turns (`interleaved.py`), so nothing else should run meanwhile. Everything is written
to out/benchmarks/ after each workload: measurements.json, table.md, ratios.svg. All of it takes about half an hour
with all peers on two cores, longer where the machine is not quiet.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import report
from interleaved import Library, find, interpreters, measure

ROOT = Path(__file__).parent.parent
LIBRARIES = ["gradcircuit", "compiled", "torch", "torch_tuned", "jax", "mygrad", "hips", "products", "pass"]


def footprint(library: Library) -> dict[str, float]:
    """W8. Seconds to import a library, less those of an empty program, and MB on disk with all that it requires."""
    def wall(code: str) -> float:
        seconds = []
        for _ in range(6):
            begin = time.perf_counter()
            subprocess.run([library.python, "-c", code], cwd=ROOT / "benchmarks", env=library.environment(), check=True)
            seconds.append(time.perf_counter() - begin)
        return statistics.median(seconds[1:])  # the first reads the files
    return {"import": wall(f"import {library.modules}") - wall("pass"), "size": library.size}


def main() -> None:
    """Measure row by row; write the table and the picture after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", help="names such as W2; all without one")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="the interpreter of a peer")
    parser.add_argument("--seconds", type=float, default=3, help="undisturbed, for each library and workload")
    parser.add_argument("--rounds", type=int, default=2, help="processes for each, of which the best is kept")
    parser.add_argument("--minutes", type=float, default=60, help="no workload is begun after so long")
    parser.add_argument("--resume", action="store_true", help="keep what was measured undisturbed before")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md and docs/images/benchmarks.svg")
    options = parser.parse_args()
    if unknown := set(options.workloads) - set(report.MEASURED):
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(report.MEASURED)}")

    begin = time.perf_counter()
    libraries, missing = find(LIBRARIES, interpreters(options.python))
    if "gradcircuit" in missing:
        sys.exit(f"this project does not run: {missing['gradcircuit']}")
    for name, reason in missing.items():
        print(f"{report.NAMES[name]} is left out: {reason}")
    out = ROOT / "out" / "benchmarks"
    out.mkdir(parents=True, exist_ok=True)
    store = out / "measurements.json"
    measured = json.loads(store.read_text()) if options.resume and store.exists() else {"cells": {}, "versions": {}}
    measured["machine"] = report.machine()
    measured["versions"] |= {library.name: library.version for library in libraries}

    for workload in options.workloads or report.MEASURED:
        cells = measured["cells"].setdefault(workload, {})
        if any("failure" in cell or cell.get("quiet") == 0 for cell in cells.values()):
            cells.clear()
        able = [library for library in libraries if library.name not in cells
                and (library.name in report.FOOTPRINTS if workload == "W8" else workload in library.workloads)]
        if not able:
            continue
        if time.perf_counter() - begin > 60 * options.minutes:
            print(f"{options.minutes:g} minutes are over: --resume goes on with {workload}")
            break
        if workload == "W8":
            cells |= {library.name: footprint(library) for library in able}
        else:
            cells |= measure(able, workload, options.seconds, options.rounds)
        store.write_text(json.dumps(measured, indent=1) + "\n")
        for name, cell in cells.items():
            if "failure" in cell:
                print(f"{workload} in {report.NAMES[name]} failed: {cell['failure']}")
        for row in report.rows(measured, [workload]):
            print(f"{(time.perf_counter() - begin) / 60:5.1f} min  {row.summary()}", flush=True)

    table = report.markdown(measured)
    pictures = [out / "ratios.svg"]
    (out / "table.md").write_text(table)
    if options.docs:
        report.publish("Workloads", f"{table}\n![Speed relative to PyTorch](images/benchmarks.svg)")
        pictures.append(ROOT / "docs" / "images" / "benchmarks.svg")
    for path in pictures:
        report.picture(measured, path)
    print(f"\n{table}")


if __name__ == "__main__":
    main()
