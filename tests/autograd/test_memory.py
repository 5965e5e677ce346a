"""Memory: what a Node keeps, when it goes back, and that nothing grows."""

import gc
import os
import subprocess
import sys
import textwrap
import weakref

import numpy as np
import pytest

import autograd
from autograd import tensor
from autograd.table import operation


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def leaf(*values):
    return tensor(list(values), requires_grad=True)


@pytest.mark.parametrize(("compute", "kept"), [
    (lambda h: h + 1, False),
    (lambda h: h * 2, False),
    (lambda h: h * h, True),
    (lambda h: h.sum(), False),
    (lambda h: h.reshape(2, 1), False),
    (lambda h: h[0:1], False),
    (lambda h: autograd.cat([h, h]), False),
    (lambda h: h.exp(), False),
    (lambda h: h.sin(), True),
    (lambda h: autograd.where(tensor([True, False]), h, 0.0), False),
])
def test_a_node_keeps_an_argument_only_if_a_rule_reads_it(compute, kept, no_collector):
    h = leaf(1.0, 2.0) * 3
    array = weakref.ref(h.array)
    y = compute(h).sum() * 1
    if np.shares_memory(y.array, h.array):
        pytest.skip("a view")
    del h
    assert (array() is not None) == kept
    y.backward()
    assert array() is None


def test_a_graph_goes_back_by_reference_count(no_collector):
    x = leaf(1.0, 2.0)
    h = x * 2
    y = (h.exp() * h).sort()[0].sum()
    node, array = h.node, weakref.ref(h.array)
    references = sys.getrefcount(node)
    del h, y
    assert array() is None
    assert sys.getrefcount(node) < references
    assert gc.collect() == 0


def test_nothing_keeps_a_leaf_alive():
    x = leaf(1.0)
    gone = weakref.ref(x)
    y = x * 2
    y.retain_grad()
    y.backward()
    del x, y
    assert gone() is None


def run(program):
    """The numbers that a program prints, from a process of its own, where malloc gives freed memory back."""
    result = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True,
                            env=os.environ | {"GRADCIRCUIT_PROCESS": "0"}, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    return [float(word) for word in result.stdout.split()]


MEGABYTES = """
import gc, os
def megabytes():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
"""
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@on_linux
@pytest.mark.slow
def test_a_chain_of_a_million_additions():
    gradient, half, whole, after = run(MEGABYTES + """
from autograd import tensor
gc.disable()
x = tensor([1.0], requires_grad=True)
start = megabytes()
y = x
for i in range(1_000_000):
    y = y + 1.0
    if i == 500_000:
        half = megabytes() - start
whole = megabytes() - start
y.backward()
del y
print(x.grad.item(), half, whole, megabytes() - start)
""")
    assert gradient == 1
    assert 1.8 < whole / half < 2.2  # linear
    assert whole < 600  # bytes a node
    assert after < 0.1 * whole  # given back


@on_linux
@pytest.mark.slow
def test_ten_thousand_training_steps_leave_memory_flat_without_the_collector():
    early, late = run(MEGABYTES + """
import numpy as np, nn, optim
from autograd import randn, tensor
gc.disable()
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
update = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
x, target = randn(16, 8), tensor(np.arange(16) % 4)
for step in range(10_000):
    update.zero_grad()
    nn.functional.cross_entropy(model(x), target).backward()
    update.step()
    if step == 1_000:
        early = megabytes()
print(early, megabytes())
""")
    assert late - early < 2


def test_a_rule_of_the_user_keeps_what_it_reads_too(no_collector):
    scale = operation(lambda x, *, by: x * by, vjps=lambda g, out, x, by: g * by, names="_test_scale")
    h = leaf(1.0, 2.0) * 3
    array = weakref.ref(h.array)
    y = scale(h, by=2.0)
    del h
    assert array() is None
    y.sum().backward()
