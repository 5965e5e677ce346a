"""Saves by several threads of several processes to the same paths, random SIGKILLs, and loads all the while.

    python -m tests.nn.stress_serialization --seconds 60 [--processes 4] [--threads 3] [--folder /some/shared/disk]

prints how many files were loaded, how many of these were damaged, how many writers were killed or failed, and what
is left over in the folder after one more save. (A short run of it is a test of test_serialization.py; POSIX only.)
"""

import argparse
import multiprocessing
import os
import random
import tempfile
import threading
import time
import traceback

import numpy as np

import nn

PATHS = ["one.safetensors", "n" * 255]


def write(folder: str, threads: int) -> None:
    """Save until killed, or until a save fails: in each file all numbers are the same, in arrays of any layout."""
    def work() -> None:
        chance = random.Random()
        try:
            while True:
                number, size = chance.randrange(1 << 20), chance.choice([1, 30, 300])
                square = np.full((size, size), float(number))
                nn.save({"plain": square, "transposed": square[1:].T, "expanded": np.broadcast_to(square[0], (9, size)),
                         "number": number}, os.path.join(folder, chance.choice(PATHS)))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    for _ in range(threads):
        threading.Thread(target=work).start()


def is_whole(path: str) -> bool:
    """Whether a file loads, and holds what one save wrote."""
    try:
        saved = nn.load(path)
    except ValueError as error:
        print(error)
        return False
    return all((saved[name] == saved["number"]).all() for name in ("plain", "transposed", "expanded"))


def stress(folder: str, seconds: float, processes: int, threads: int) -> dict[str, int]:
    """Counts of loads, of damaged files among them, of writers killed or failed, and of files left over at the end."""
    start = multiprocessing.get_context("fork").Process
    paths = [os.path.join(folder, name) for name in PATHS]
    for path in paths:
        nn.save({"plain": np.ones(1), "transposed": np.ones(1), "expanded": np.ones(1), "number": 1}, path)
    counts = {"loads": 0, "damaged": 0, "killed": 0, "failed": 0, "left over": 0}
    writers: list = []
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            while len(writers) < processes:
                writers.append(start(target=write, args=(folder, threads)))
                writers[-1].start()
            moment = time.monotonic() + random.uniform(0, 0.2)
            while time.monotonic() < moment:
                counts["damaged"] += not is_whole(random.choice(paths))
                counts["loads"] += 1
            victim = writers.pop(random.randrange(len(writers)))
            victim.kill()
            victim.join()
            counts["killed" if victim.exitcode < 0 else "failed"] += 1
    finally:
        for writer in writers:
            writer.kill()
            writer.join()
    before = len(os.listdir(folder)) - len(paths)
    nn.save({}, paths[0])
    counts["left over"] = len(os.listdir(folder)) - len(paths)
    print(f"{before} temporary files before the last save")
    return counts


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--threads", type=int, default=3)
    parser.add_argument("--folder", help="where to make the folder that is written to")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        counts = stress(folder, options.seconds, options.processes, options.threads)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))


if __name__ == "__main__":
    main()
