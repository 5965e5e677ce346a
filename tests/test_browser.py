"""In a browser (Pyodide) there are no threads, no processes and no C libraries to load: everything works all the same.

Its limits are simulated: what isn't there raises what it raises there.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIMITS = """
import os, subprocess, sys, threading

def missing(*args, **kwargs):
    raise OSError(138, "Function not implemented")

def no_thread(*args, **kwargs):
    raise RuntimeError("can't start new thread")

threading.Thread.start = no_thread
subprocess.Popen.__init__ = missing
for name in ("fork", "register_at_fork", "sched_getaffinity", "forkpty"):
    if hasattr(os, name):
        delattr(os, name)
os.cpu_count = lambda: None
import ctypes
ctypes.CDLL.__init__ = missing
sys.modules["_multiprocessing"] = sys.modules["_posixshmem"] = None
sys.platform = "emscripten"
"""
PROGRAMS = {
    "gradients": """
import autograd
x = autograd.randn(64, 64, requires_grad=True)
(x @ x.T).exp().mean().backward()
assert x.grad.shape == (64, 64)
g, = autograd.grad((x ** 3).sum(), x, create_graph=True)
g.sum().backward()
""",
    "training": """
import autograd, nn, optim
autograd.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, 10))
x, y = autograd.randn(256, 1, 8, 8), autograd.randint(10, (256,))
loader = nn.data.DataLoader(nn.data.TensorDataset(x, y), batch_size=64, shuffle=True)
for kind in (optim.SGD, optim.Adam, optim.RMSprop):
    optimizer = kind(model.parameters(), lr=0.01)
    for images, labels in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
out, _ = nn.LSTM(8, 16)(autograd.randn(300, 64, 8))
nn.functional.scaled_dot_product_attention(*[autograd.randn(8, 8, 256, 32)] * 3)
autograd.randn(1 << 18), autograd.randperm(100_000)
""",
    "drawing": """
import pathlib, autograd, nn, viz
x = autograd.tensor(2.0, requires_grad=True)
picture = viz.draw((x * x + 1).log())
picture.save("a.svg"), picture.save("a.html"), picture.save("a.tex")
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
viz.draw(model, autograd.randn(2, 3)).save("b.svg")
assert "<svg" in pathlib.Path("a.svg").read_text() and "<svg" in pathlib.Path("b.svg").read_text()
""",
    "files": """
import autograd, nn
model = nn.Linear(3, 2)
for name in ("a.pt", "a.safetensors"):
    nn.save(model.state_dict(), name)
    model.load_state_dict(nn.load(name))
""",
    "errors": """
import autograd, nn
try:
    nn.data.DataLoader([1, 2, 3], num_workers=1)
except RuntimeError as error:
    assert "cannot start processes; leave out num_workers" in str(error)
else:
    raise AssertionError("there are no processes")
""",
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_without_threads_processes_and_libraries(what, tmp_path):
    if what == "files":
        pytest.importorskip("safetensors")
    result = subprocess.run([sys.executable, "-c", LIMITS + PROGRAMS[what]], cwd=tmp_path, capture_output=True,
                            text=True, check=False, env={"PYTHONPATH": str(ROOT), "PATH": ""})
    assert result.returncode == 0, result.stderr
