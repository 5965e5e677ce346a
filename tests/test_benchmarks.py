"""The benchmarks compute what they claim to: their results are those of the workloads' definition.

How long anything takes is no test's business.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(code: str, *arguments: str) -> str:
    """What a program in benchmarks/ prints; as there, the modules beside it are found first."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "benchmarks"), str(ROOT)))}
    return subprocess.run([sys.executable, *(("-c", code) if code else ()), *arguments], cwd=ROOT, env=environment,
                          capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout


RESULTS = json.loads(run("import data, json; print(json.dumps(data.RESULTS))"))


@pytest.mark.parametrize("workload", [pytest.param(name, marks=[pytest.mark.slow] * (name == "W10"))
                                      for name in RESULTS])
def test_results_are_those_of_the_definition(workload):
    answer = json.loads(run("", "benchmarks/worker.py", "gradcircuit", workload))
    n = min(len(RESULTS[workload]), len(answer["results"]))
    assert answer["results"][:n] == pytest.approx(RESULTS[workload][:n], rel=1e-4)
    assert answer["memory"] >= 0


@pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")
@pytest.mark.parametrize("workload", ["W2", "W3", "W4", "W5", "W6", "W12a", "W12b"])
def test_compiled_loops_give_them_too(workload):
    answer = json.loads(run("", "benchmarks/worker.py", "compiled", workload))
    n = min(len(RESULTS[workload]), len(answer["results"]))
    assert answer["results"][:n] == pytest.approx(RESULTS[workload][:n], rel=1e-4)


def test_sizes_grow_all_that_depends_on_them():
    small, large = (json.loads(run("", "benchmarks/worker.py", "gradcircuit", "W2", f"batch={batch}", "width=64"))
                    for batch in (4, 4096))
    assert large["memory"] > 2 * small["memory"]


def test_a_wrong_result_and_a_better_peer_are_marked():
    cells = {"gradcircuit": {"median": 2e-3, "spread": 0.01, "quiet": 1, "results": [3.2]},
             "torch": {"median": 1e-3, "spread": 0.01, "quiet": 1, "results": [3.11518]}}
    measured = {"machine": "a machine", "versions": {"gradcircuit": "1", "torch": "2"}, "cells": {"W2": cells}}
    table = run(f"import report; print(report.markdown({measured}))")
    assert "2 ± 1% (**results differ by 3e-02**) | 1 ± 1% | **0.50** |" in table
