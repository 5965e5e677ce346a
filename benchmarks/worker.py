"""One library and one workload in a process of its own, told by the driver when to run.

    python benchmarks/worker.py gradcircuit W2

Prints the first results as JSON, then for every line on standard input runs steps for that many seconds and prints
their times.
"""

import json
import sys
import time

import workloads

ONCE = {"W10"}  # too long to repeat for a warm-up


def main() -> None:
    """Set up, then answer until standard input ends."""
    name, workload = sys.argv[1:]
    step = workloads.WORKLOADS[workload](workloads.library(name))
    print(json.dumps([step() for _ in range(1 if workload in ONCE else 5)]), flush=True)
    for line in sys.stdin:
        times, end = [], time.perf_counter() + float(line)
        while not times or time.perf_counter() < end:
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        print(json.dumps(times), flush=True)


if __name__ == "__main__":
    main()
