"""What each device of docs/performance.md gains by itself: the plain way beside ours, in turns.

    python benchmarks/effects.py

Medians of 60 calls in microseconds, in turns where the process stays the same; a step with another setting of the
process is run in a process of its own. Nothing else should run meanwhile. Takes about a minute.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

PAIRS = 60
STEP = """
import statistics, time, workloads
step = workloads.WORKLOADS["{}"](workloads.library("gradcircuit"))
for _ in range(5):
    step()
times = []
for _ in range(40):
    begin = time.perf_counter()
    step()
    times.append(time.perf_counter() - begin)
print(statistics.median(times) * 1e6)
"""


def microseconds(*ways: Callable[[], object]) -> list[float]:
    """The median time of each, called in turns."""
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(PAIRS):
        for way, each in zip(ways, times, strict=True):
            begin = time.perf_counter()
            way()
            each.append(time.perf_counter() - begin)
    return [statistics.median(each) * 1e6 for each in times]


def step(workload: str, **setting: str) -> float:
    """The time of a training step in a process of its own."""
    root = Path(__file__).parent
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_", "MALLOC_"))}
    path = os.pathsep.join([str(root), str(root.parent)])
    done = subprocess.run([sys.executable, "-c", STEP.format(workload)], env=clean | {"PYTHONPATH": path} | setting,
                          capture_output=True, text=True, check=True)
    return float(done.stdout)


def with_threads(count: int, cached: int, way: Callable[[], object]) -> float:
    """The time of `way` with so many threads and pieces of so many numbers."""
    import autograd
    from autograd.runtime import threads
    before = autograd.get_num_threads(), threads.CACHED
    autograd.set_num_threads(count)
    threads.CACHED = cached
    try:
        way()
        return microseconds(way)[0]
    finally:
        autograd.set_num_threads(before[0])
        threads.CACHED = before[1]


def in_turns(switch: Callable[[bool], object], way: Callable[[], object]) -> list[float]:
    """The time of `way` with something off and on."""
    def switched(on: bool) -> None:
        switch(on)
        way()
    for on in (True, False):
        switched(on)
    return microseconds(lambda: switched(False), lambda: switched(True))


def main() -> None:
    """Print one line for each device."""
    for name in [name for name in os.environ if name.startswith("OPENBLAS_")]:
        del os.environ[name]
    if "EFFECTS_CLEAN" not in os.environ:  # OpenBLAS has read them already
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"EFFECTS_CLEAN": "1"})
    sys.path.insert(0, str(Path(__file__).parent.parent))
    import autograd
    from autograd.runtime import products, threads
    from nn.functional import activation, convolution, geometry, normalization, recurrent

    rng = np.random.default_rng(0)
    million = rng.standard_normal((1024, 1024), np.float32)
    zeros, narrow, ones = np.zeros_like(million), million.reshape(-1, 128), np.ones(128, np.float32)
    images = rng.standard_normal((1, 128, 32, 32), np.float32)
    block = np.empty((1, 32, 32, 128), np.float32)
    hidden = million[:512]
    half_a_million = autograd.from_numpy(hidden)
    batch = np.moveaxis(rng.standard_normal((32, 32, 32, 64), np.float32), -1, 1)
    kernel = rng.standard_normal((64, 64, 3, 3), np.float32)
    options = {"stride": (1, 1), "padding": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}

    def all_windows():
        padded = np.pad(batch, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3)).transpose(0, 2, 3, 1, 4, 5)
        return windows.reshape(-1, 64 * 9) @ kernel.reshape(64, -1).T

    def convolve():
        return convolution._convolve(batch, kernel, **options)

    few_channels = np.moveaxis(rng.standard_normal((32, 32, 32, 16), np.float32), -1, 1)
    few_kernels = rng.standard_normal((16, 16, 3, 3), np.float32)
    parts = convolution._parts

    def rows_shared(on):
        convolution._parts = parts if on else lambda *_: 1

    # A step of an LSTM of 256 units with 16 sequences; a depthwise convolution of one image, 128 channels
    state, weights, gates = million[:16, :256].copy(), million[:256].copy(), np.empty((16, 1024), np.float32)
    columns = products.in_columns(weights, len(state))
    rows, kernels = np.lib.stride_tricks.as_strided(
        rng.standard_normal((34, 34 * 128), np.float32), (32, 3, 3, 32 * 128), (34 * 512, 34 * 512, 512, 4)), million[
            :36].reshape(3, 3, -1)
    image, term = np.empty((2, 32, 32 * 128), np.float32)

    def element_by_element():
        image[...] = 0
        for i in range(3):
            for j in range(3):
                image[...] += np.multiply(rows[:, i, j], kernels[i, j], out=term)

    def gelu():
        return activation.gelu(half_a_million, approximate="tanh")

    every, cached = threads.get_num_threads(), threads.CACHED
    print(f"{every} threads, NumPy {np.__version__}\n")
    for what, plain, ours, times in [
            ("max(x, 0), 1M numbers", "with the number 0", "with an array of zeros",
             microseconds(lambda: np.maximum(million, 0), lambda: np.maximum(million, zeros))),
            ("sums of 8,000 rows of 128", "x.mean(1)", "x @ ones",
             microseconds(lambda: narrow.mean(1), lambda: narrow @ ones)),
            ("an image of 128 channels to channels-last", "copied", "its channels moved apart first",
             microseconds(lambda: np.copyto(block, images.transpose(0, 2, 3, 1)),
                          lambda: geometry.fill_channels_last(block, images))),
            ("convolution 3 x 3, 64 to 64 channels, 32 images", "all windows at once",
             "a few images at a time", microseconds(all_windows, convolve)),
            ("the same", "one thread", f"{every} threads",
             [with_threads(1, cached, convolve), with_threads(every, cached, convolve)]),
            ("convolution 3 x 3, 16 to 16 channels, 32 images", "windows", "windows of the kernel's rows",
             in_turns(rows_shared, lambda: convolution._convolve(few_channels, few_kernels, **options))),
            ("depthwise 3 x 3, 128 channels, one image", "a pass for each element", "einsum over rows",
             microseconds(element_by_element,
                          lambda: np.einsum("hijc,ijc->hc", rows, kernels, out=image))),
            ("16 rows of 256 by 256 x 1,024, one thread", "one product", "in blocks of 64 columns",
             [with_threads(1, cached, lambda: np.matmul(state, weights, out=gates)),
              with_threads(1, cached, lambda: products.product(state, columns, out=gates))]),
            ("gelu, 0.5M numbers", f"{every} threads, pieces of 16k", f"{every} threads, pieces of {cached >> 10}k",
             [with_threads(every, 1 << 14, gelu), with_threads(every, cached, gelu)]),
            ("scalar network (W7)", "the process as it was", "its settings made",
             [step("W7", GRADCIRCUIT_PROCESS="0"), step("W7")]),
            ("LSTM step (W5)", "BLAS threads wait by spinning", "asleep",
             [step("W5", OPENBLAS_THREAD_TIMEOUT="26"), step("W5")])]:
        print(f"| {what} | {plain} {times[0]:,.0f} | {ours} {times[1]:,.0f} | {times[0] / times[1]:.1f} |", flush=True)

    try:
        autograd.set_compiled(True)
    except ImportError as error:
        sys.exit(f"\n{error}")
    inputs = rng.standard_normal((64, 32, 64), np.float32)
    state = np.zeros((32, 256), np.float32)
    lstm = [rng.uniform(-1 / 16, 1 / 16, shape).astype(np.float32) for shape in ((1024, 64), (1024, 256), 1024, 1024)]
    channel = np.ones(16, np.float32)
    print()
    for what, way in [
            ("convolution 3 x 3, 16 to 16 channels, 32 images",
             lambda: convolution._convolve(few_channels, few_kernels, **options)),
            ("its gradient of the kernels",
             lambda: convolution._correlate(few_channels, few_channels, kernel=(3, 3), **options)),
            ("batch norm of its output",
             lambda: normalization._normalize_channels(few_channels, channel, channel, eps=1e-5)),
            ("layer norm, 1,024 rows of 512", lambda: normalization._normalize_rows(hidden, eps=1e-5)),
            ("gelu, 0.5M numbers", gelu),
            ("LSTM of 256 units, 64 steps, 32 sequences",
             lambda: recurrent._lstm_forward(inputs, state, state, *lstm, lengths=None))]:
        times = in_turns(autograd.set_compiled, way)
        print(f"| {what} | {times[0]:,.0f} | {times[1]:,.0f} | {times[0] / times[1]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
