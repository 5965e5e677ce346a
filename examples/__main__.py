"""The gallery's command line.

python -m examples                         lists chapters, systems and claims
python -m examples NAME [--seed 1]         runs one: its results, whether its claim held, and its pictures
python -m examples --all                   runs all, and prints a table
"""

import argparse
import difflib
import json
import sys
import textwrap
from itertools import groupby
from pathlib import Path

import autograd
from examples import gallery, readme


def main(arguments: list[str] | None = None) -> int:
    """List or run; 0 if all that ran did what it claims, 1 if not, 2 if there is no such example."""
    parser = argparse.ArgumentParser("python -m examples", description=__doc__.partition("\n\n")[2],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="examples to run, as listed")
    parser.add_argument("--all", action="store_true", help="run all")
    parser.add_argument("--jobs", type=int, help="examples at a time, each in a process with a thread (1; with --all, "
                        "one a processor)")
    parser.add_argument("--seed", type=int, default=0, help="of all random numbers (0)")
    parser.add_argument("--quick", action="store_true", help="a few steps each, to see that it runs; judges no claim")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the pictures (out)")
    parser.add_argument("--list", action="store_true", help="list, as without a name")
    parser.add_argument("--json", action="store_true", help="list for programs")
    parser.add_argument("--readme", action="store_true", help="put what was reached into examples/README.md")
    options = parser.parse_args(arguments)
    examples = gallery.find()
    if options.list or options.json or not (options.names or options.all or options.readme):
        print(as_json(examples) if options.json else listing(examples))
        return 0
    names = [*examples] if options.all else [Path(name).stem for name in options.names]
    for name in names:
        if name not in examples:
            near = difflib.get_close_matches(name, examples, cutoff=0.0)
            print(f"there is no example {name!r}; the nearest are {', '.join(near)}", file=sys.stderr)
            return 2
    failed, jobs = 0, options.jobs or (autograd.get_num_threads() if options.all else 1)
    runs = gallery.runs([examples[name] for name in names], jobs, seed=options.seed, quick=options.quick,
                        out=options.out, bar=jobs == 1)
    for done in runs:
        if isinstance(done, ModuleNotFoundError):
            print(done, file=sys.stderr)
            failed += 1
            continue
        failed += not done.held
        print(row(done) if options.all else report(examples[done.name], done), flush=True)
        if options.readme and not options.quick:
            readme.keep(done)
    if options.readme:
        readme.write(examples)
    if options.all:
        print(f"{len(names) - failed} of {len(names)} did what they claim")
    return int(failed > 0)


def listing(examples: dict[str, gallery.Example]) -> str:
    """Chapters; names, systems and claims."""
    lines = []
    for chapter, members in groupby(examples.values(), key=lambda example: example.chapter):
        lines.append(chapter)
        for example in members:
            lines.append(f"  {example.name:<22} {', '.join(example.systems)}")
            lines += textwrap.wrap(example.claim, 118, initial_indent=" " * 25, subsequent_indent=" " * 25)
        lines.append("")
    return "\n".join([*lines, "run one: python -m examples NAME [--seed N]"])


def as_json(examples: dict[str, gallery.Example]) -> str:
    """A list of objects."""
    return json.dumps([{"name": name, "chapter": example.chapter, "systems": example.systems, "claims": [example.claim]}
                       for name, example in examples.items()], indent=1, ensure_ascii=False)


def verdict(done: gallery.Run) -> str:
    """What became of the claim."""
    return "not judged" if done.quick else "held" if done.held else "FAILED"


def report(example: gallery.Example, done: gallery.Run) -> str:
    """All there is to say of one run."""
    lines = [example.doc.partition("\n")[0]]
    lines += [f"  {name}: {readme.number(*value)}" for name, value in done.results.items()]
    lines += [f"claim, {verdict(done)}: {example.claim}"]
    return "\n".join(lines + [f"picture: {path}" for path in done.pictures])


def row(done: gallery.Run) -> str:
    """One line of a table."""
    return f"{done.name:<22} {done.seconds:6.1f} s  {verdict(done):<10}  {readme.results(done.results)}"


if __name__ == "__main__":
    sys.exit(main())
