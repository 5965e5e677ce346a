"""The table of docs/programs.md: `python -m tests.nn.public FOLDER [name ...]`."""

import sys
import tempfile
from pathlib import Path

from tests.nn.public.compare import CannotBeRunError, compare
from tests.nn.public.programs import PROGRAMS


def main() -> None:
    folder, *names = sys.argv[1:]
    print("| kind | program | run with | numbers | agree to |\n| --- | --- | --- | --- | --- |")
    for program in PROGRAMS:
        if names and program.name not in names:
            continue
        with tempfile.TemporaryDirectory() as work:
            try:
                found = compare(program, Path(folder), Path(work))
                told = f"{found.numbers} | {found.apart:.0e}" if found.apart else f"{found.numbers} | all digits"
                told += ", in float64" * program.float64 + ", but not the text" * (not found.same_text)
            except CannotBeRunError as error:
                told = f"– | PyTorch cannot run it: {error}"
            except AssertionError as error:
                told = f"– | **fails**: {str(error).strip().splitlines()[-1]}"
        owner, _, name = program.repository.partition("+")
        print(f"| {program.kind} | `{owner}/{name}/{program.script}`{' (driver)' * program.driver} | "
              f"{program.arguments or '–'} | {told} |", flush=True)


if __name__ == "__main__":
    main()
