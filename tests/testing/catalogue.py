"""The tester, tested: faults planted in rules, which must be found, and right functions, none of which may be accused.

    python -m tests.testing.catalogue --seeds 0 1 2 --python torch=VENV/bin/python --python jax=… --python hips=… --docs

prints a table of this kit and, side by side, of the peers whose interpreters are given: PyTorch's gradcheck and
gradgradcheck, JAX's and HIPS's check_grads, all at two orders. `--docs` writes it into docs/testing.md. Everything said
goes to out/catalogue/ENGINE.jsonl; `--resume` takes what lies there.
"""

import argparse
import collections
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ENGINES = {"gradcircuit": "this kit", "torch": "PyTorch", "jax": "JAX", "hips": "HIPS autograd"}
MARKERS = "<!-- catalogue table -->", "<!-- /catalogue table -->"


def run(engine, python, seeds, examples, part, path):
    """Let a worker check everything; a line of JSON for each case and seed."""
    environment = os.environ | {"CATALOGUE_ENGINE": engine, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
                                "PYTHONPATH": str(ROOT) if engine == "gradcircuit" else ""}
    command = [python, ROOT / "tests/testing/engines.py", ",".join(map(str, seeds)), str(examples), part]
    with open(path, "w") as out:
        subprocess.run(command, env=environment, cwd=ROOT, stdout=out, check=True)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def by_case(said, kind):
    """Name -> what was said, one word a seed."""
    found = collections.defaultdict(list)
    for line in said:
        if line["kind"] == kind:
            found[line["name"]].append(line["verdict"])
    return {name: words for name, words in found.items() if "inexpressible" not in words}


def column(said, ours):
    """The figures of one engine: sums over the seeds, of the plants and functions that it can express.

    `ours` is what this kit said, for the same plants.
    """
    plants, right = by_case(said, "plant"), by_case(said, "right")
    seeds = max(len(words) for words in [*plants.values(), *right.values(), [1]])
    of_plants, of_right = ([word for words in cases.values() for word in words] for cases in (plants, right))
    seconds = sum(line["seconds"] for line in said) / seeds

    def share(number, of):
        return f"{number} of {len(of)}" + (f" ({100 * number / len(of):.0f} %)" if of else "")
    same = [word for name, words in by_case(ours, "plant").items() if name in plants for word in words]
    return [str(len(plants)), share(of_plants.count("accused"), of_plants), share(same.count("accused"), same),
            share(sum(set(words) == {"accused"} for words in plants.values()), plants), str(len(right)),
            share(of_right.count("accused"), of_right), share(of_right.count("undecided"), of_right), f"{seconds:.0f}"]


ROWS = ["plants that it can express", "found, all seeds together", "of the same, found by this kit",
        "found with every seed", "right functions that it can express", "accused, all seeds together", "undecided",
        "seconds for one seed"]


def table(results):
    """Markdown, a column for each engine."""
    columns = [column(said, results["gradcircuit"]) for said in results.values()]
    head = ["", *[ENGINES[engine] for engine in results]]
    rows = [head, ["---"] * len(head), *([name, *cells] for name, *cells in zip(ROWS, *columns, strict=True))]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def write_docs(text):
    """Put the table between its markers in docs/testing.md."""
    path = ROOT / "docs" / "testing.md"
    begin, end = MARKERS
    path.write_text(re.sub(f"{begin}.*{end}", lambda _: f"{begin}\n{text}\n{end}", path.read_text(), flags=re.S))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", default="", help="only cases whose names contain this")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--examples", type=int, default=100, help="how many examples the kit draws")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="the interpreter of a peer")
    parser.add_argument("--docs", action="store_true", help="write the table into docs/testing.md")
    parser.add_argument("--resume", action="store_true", help="keep what was measured before")
    args = parser.parse_args()
    pythons = {"gradcircuit": sys.executable} | {
        name: os.path.abspath(os.path.expanduser(path)) for name, path in (text.split("=", 1) for text in args.python)}
    if unknown := set(pythons) - set(ENGINES):
        parser.error(f"no engine {', '.join(sorted(unknown))}; there are {', '.join(ENGINES)}")
    out = ROOT / "out" / "catalogue"
    out.mkdir(parents=True, exist_ok=True)
    results = {}
    for engine in ENGINES:
        path = out / f"{engine}.jsonl"
        if engine in pythons and not (args.resume and path.exists()):
            run(engine, pythons[engine], args.seeds, args.examples, args.part, path)
        if engine in pythons or (args.resume and path.exists()):
            results[engine] = lines(path)
    ours = results["gradcircuit"]
    for kind, wrong, title in (("plant", "accused", "Missed"), ("right", "passed", "Accused, or undecided")):
        named = {name: words for name, words in by_case(ours, kind).items() if set(words) != {wrong}}
        print(f"\n{title} ({len(named)}):")
        for name, words in named.items():
            reason = next((line["said"] for line in ours if line["name"] == name and kind == line["kind"] == "right"
                           and line["verdict"] != wrong), "")
            print(f"  {name:50} {collections.Counter(words)[wrong]} of {len(words)} {wrong}  {reason[:110]}")
    print(f"\n{table(results)}")
    if args.docs:
        write_docs(table(results))


if __name__ == "__main__":
    main()
