"""Neural ODE: a network says how a state changes, and its gradient needs no memory of the way.

The derivative of a state is a network's output; layers become time (Chen et al. 2018). Here it watches short pieces
of a spiral, and then goes all the way by itself. Its gradient may go back through all steps of the solver, which are
kept for it, or along the adjoint, a second equation that is solved backward in time and keeps nothing: both agree the
better, the shorter the steps are. The picture shows the way, the difference and the memory. Try method="euler".
"""

import tracemalloc

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from autograd import Tensor
from nn.ode import odeint, odeint_adjoint

SYSTEMS = ("Neural ODE", "adjoint method")
CLAIM = ("From the start alone it follows the whole spiral to within 8 % of its size. With half the step the adjoint's "
         "gradient is 8 to 40 times as close to backpropagation's; with 8 times the steps backpropagation needs more "
         "than 5 times the memory, the adjoint less than twice.")

TURN = np.array([[-0.1, 2.0], [-2.0, -0.1]], np.float32)
METHODS = {"backpropagation": odeint, "adjoint": odeint_adjoint}


class Field(nn.Module):
    """Where a state (..., 2) goes."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 50), nn.Tanh(), nn.Linear(50, 2))

    def forward(self, t, y):
        return self.net(y)


def learn(run, field, times, way):
    """From pieces of 20 steps, at random places."""
    optimizer = optim.Adam(field.parameters(), 1e-2)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, run.pick(600, 2))
    for _ in run.progress(600, quick=2):
        places = run.rng.integers(0, len(way) - 20, 32)
        places[:4] = 0  # which is in few others
        wanted = way[places + np.arange(21)[:, None]]
        states = odeint(field, wanted[0], times[:21], method="rk4")
        loss = (states - wanted).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def gradient(solve, field, start, steps):
    """Of the state after a time of 2, in steps, for the weights; and the megabytes it took."""
    tracemalloc.start()
    end = solve(field, start, Tensor([0.0, 2.0]), method="rk4", options={"step_size": 2 / steps})[-1]
    found = autograd.grad((end ** 2).sum(), [*field.parameters()])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return np.concatenate([g.numpy().ravel() for g in found]), peak / 1e6


def example(run):
    times = Tensor(np.linspace(0, 12.5, 250, dtype=np.float32))
    way = odeint(lambda t, y: y @ Tensor(TURN), Tensor([2.0, 0.0]), times)
    field = Field()
    learn(run, field, times, way)
    with autograd.no_grad():
        followed = odeint(field, way[0], times, method="rk4")
    off = (followed - way).norm(dim=1).numpy() / 2  # the spiral begins 2 from its middle
    run.result("farthest off", 100 * off.max(), "% of its size")
    run.holds(off.max() < 0.08)

    counts, start = run.pick([8, 16, 32, 64], [2, 4]), way[run.rng.integers(0, len(way), 64)].double()
    field.double()
    found = {name: [gradient(solve, field, start, n) for n in counts] for name, solve in METHODS.items()}
    apart = [np.linalg.norm(a - b) / np.linalg.norm(a) for (a, _), (b, _) in zip(*found.values(), strict=True)]
    gains = np.array(apart[:-1]) / apart[1:]
    run.result("closer with half the step", np.exp(np.log(gains).mean()), "times")
    run.holds(gains.min() > 8 and gains.max() < 40)
    for name, reached in found.items():
        growth = reached[-1][1] / reached[0][1]
        run.result(f"memory with {counts[-1] // counts[0]} times the steps, {name}", growth, "times")
        run.holds(growth < 2 if name == "adjoint" else growth > 5)

    figure, axes = plt.subplots(1, 3, figsize=(12.5, 3.8))
    axes[0].plot(*way.numpy().T, color="0.7", linewidth=4, label="spiral")
    axes[0].plot(*followed.numpy().T, linewidth=1.2, label="network, from the start alone")
    axes[0].set(aspect="equal", xlabel="x", ylabel="y", title=f"farthest off: {off.max():.1%} of its size")
    axes[0].legend(loc="upper right", fontsize="small")
    lengths = 2 / np.array(counts)
    axes[1].loglog(lengths, apart, marker="o", label="difference of both gradients")
    axes[1].loglog(lengths, apart[-1] * (lengths / lengths[-1]) ** 4, "--", color="0.5", label="h⁴")
    axes[1].set(xlabel="step h", ylabel="relative", title="Adjoint and backpropagation agree")
    axes[1].minorticks_off()
    axes[1].set_xticks(lengths, [f"1/{1 / h:g}" for h in lengths])
    axes[1].legend()
    for name, reached in found.items():
        axes[2].plot(counts, [peak for _, peak in reached], marker="o", label=name)
    axes[2].set(xlabel="steps", ylabel="MB", ylim=0, title="Memory of a gradient")
    axes[2].legend()
    run.save(figure)
