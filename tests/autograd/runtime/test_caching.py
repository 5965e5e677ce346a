"""Compiled loops are kept on disk where that is possible, and are never stale."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")
ROOT = Path(__file__).parents[3]
PROGRAM = """
import numpy as np
import autograd
from nn import functional as F
autograd.set_compiled(True)
from autograd.compiled import elementwise
made, compiler = [], elementwise._close
elementwise._close = lambda function: made.append(compiler(function)) or made[-1]
out = F.gelu(autograd.linspace(-3, 3, 10_000)).tolist()
stats = made[0].stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), *out[:2])
"""


@pytest.fixture
def copy(tmp_path):
    """The packages in a folder of their own, whose loops have not been compiled."""
    folder = tmp_path / "copy"
    for package in ("autograd", "nn"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run(folder, program=PROGRAM, **environment):
    """How often a process found the loop of gelu, how often it compiled it, two values, and what it said."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA_", "GRADCIRCUIT_"))}
    result = subprocess.run([sys.executable, "-W", "always", "-c", program], cwd=folder, capture_output=True, text=True,
                            env=clean | {"PYTHONPATH": str(folder)} | environment, check=True)
    found, compiled, *values = result.stdout.split()
    return int(found), int(compiled), [float(v) for v in values], result.stderr


def test_a_later_process_finds_them(copy, tmp_path):
    kept = str(tmp_path / "kept")
    assert run(copy, NUMBA_CACHE_DIR=kept)[::3] == (0, "")
    assert run(copy, NUMBA_CACHE_DIR=kept)[:2] == (1, 0)


def test_where_nothing_can_be_written_they_are_compiled_with_one_warning(copy, tmp_path):
    """Root may write anywhere, but nobody can make a directory within a file."""
    file = tmp_path / "file"
    file.touch()
    (copy / "autograd/compiled/__pycache__").touch()
    nowhere = {name: str(file / "below") for name in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "LOCALAPPDATA")}
    *_, values, said = run(copy, **nowhere)
    assert said.count("Warning") == 1 and "set NUMBA_CACHE_DIR" in said
    assert run(copy, NUMBA_CACHE_DIR=str(tmp_path / "kept"))[2:] == (values, "")


def test_two_processes_may_compile_at_the_same_time(tmp_path, monkeypatch):
    """Whoever writes last, neither finds the other's form in place of its own."""
    from autograd.runtime import caching, compiled
    monkeypatch.setattr(compiled, "automatic", False)
    file = tmp_path / "user.py"
    file.write_text("def double(x):\n    return x + x\n")
    written = []
    for number in (3, .5):
        loop, before = in_a_process(caching, file), set(tmp_path.rglob("*.nb?"))
        loop(number)
        written.append({path.name: path.rename(tmp_path / f"{number}-{path.name}")
                        for path in set(tmp_path.rglob("*.nb?")) - before})
    assert not set.intersection(*map(set, written))
    for files in written:
        for name, path in files.items():
            path.rename(file.parent / "__pycache__" / name)
    later = in_a_process(caching, file)
    assert (later(3), later(.5)) == (6, 1) and not later.stats.cache_misses


def test_what_was_compiled_of_an_older_text_is_deleted(tmp_path, monkeypatch):
    from autograd.runtime import caching, compiled
    monkeypatch.setattr(compiled, "automatic", False)
    file, other = tmp_path / "user.py", tmp_path / "other.py"
    for text in ("x + x", "x * 3"):
        for path in (file, other):
            path.write_text(f"def double(x):\n    return {text}\n")
        caching._sources.cache_clear()
        for path in (file, other):
            loop = in_a_process(caching, path)
            results = loop(2), loop(.5)
    assert results == (6, 1.5) and len(list(tmp_path.rglob("*.nbc"))) == 4


def in_a_process(caching, file):
    """The loop in a file, as a process finds it that has not used it."""
    scope = {"__name__": file.stem}
    exec(compile(file.read_text(), str(file), "exec"), scope)
    return caching.compiler()(scope["double"])


@pytest.mark.parametrize("damage", [b"", b"\x80\x04"])
def test_what_is_damaged_is_compiled_and_kept_again(copy, tmp_path, damage):
    kept = str(tmp_path / "kept")
    *_, values, _ = run(copy, NUMBA_CACHE_DIR=kept)
    for file in (tmp_path / "kept").rglob("*.nbc"):
        file.write_bytes(damage)
    assert run(copy, NUMBA_CACHE_DIR=kept) == (0, 1, values, "")
    assert run(copy, NUMBA_CACHE_DIR=kept) == (1, 0, values, "")


def test_a_full_disk_is_one_warning(copy, tmp_path):
    (copy / "sitecustomize.py").write_text(
        "import errno\n"
        "from numba.core.caching import IndexDataCacheFile\n"
        "def full(*args): raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "IndexDataCacheFile._save_data = full\n")
    *_, said = run(copy, NUMBA_CACHE_DIR=str(tmp_path / "kept"))
    assert said.count("Warning") == 1 and "No space left" in said


def test_a_change_in_what_they_call_or_read_compiles_them_anew(copy, tmp_path):
    """numba looks only whether the file of a loop has changed."""
    def change(file, before, after):
        text = (copy / file).read_text()
        assert before in text
        (copy / file).write_text(text.replace(before, after))
        return run(copy, NUMBA_CACHE_DIR=kept)

    kept = str(tmp_path / "kept")
    *_, values, _ = run(copy, NUMBA_CACHE_DIR=kept)
    assert change("nn/linear.py", "Linear", "Linear")[:3] == (1, 0, values)
    *_, other, _ = change("autograd/compiled/mathematics.py", "1.9875691500e-4", "1.9875691500e-3")
    assert other != values
    found, compiled, another, _ = change("nn/functional/activation.py", "_P = (3.5", "_P = (4.5")
    assert (found, compiled) == (1, 0)  # numbers in a formula are not compiled in
    assert another not in (values, other)


@pytest.mark.slow
def test_a_change_in_instructions_that_a_file_of_another_folder_writes_compiles_them_anew(copy, tmp_path):
    program = """
from nn.compiled import grouped
import autograd
from nn import functional as F
autograd.set_compiled(True)
out = F.conv2d(autograd.ones(1, 2, 9, 9), autograd.ones(2, 1, 3, 3), groups=2)
print(0, 0, out.sum().item())
"""
    kept = str(tmp_path / "kept")
    assert run(copy, program, NUMBA_CACHE_DIR=kept)[2] == [2 * 49 * 9]
    taps = copy / "nn/compiled/taps.py"
    taps.write_text(taps.read_text().replace("builder.fadd", "builder.fsub"))
    assert run(copy, program, NUMBA_CACHE_DIR=kept)[2] == [-2 * 49 * 9]
