"""Deep Q-learning: replay, and a target that stands still, keep a network of values from running after itself.

Q(s, a) should be the reward plus the best of what follows, as the same network sees it. Learned from steps as they
come, which resemble one another, and towards a target that moves with each update, it forgets and overshoots. DQN
(Mnih et al. 2015) draws its batches from a memory of all steps, and takes the target from a copy of the network that is
renewed now and then. The only reward here is -1 when the pole falls (Sutton and Barto 2018). The picture shows how long
it would balance a pole at each time of learning. Try RENEW = 1000.
"""

import gymnasium
import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from autograd import Tensor
from nn import functional as F

SYSTEMS = ("DQN", "experience replay", "target network")
CLAIM = ("Over the last third of 16,000 steps DQN's policy balances the pole for more than 450 of 500 steps; that of "
         "learners that have no memory or no copy for less than 400, on average of the two.")

GAMMA, POLES, BATCH, RENEW = 0.99, 2, 128, 20
SCALE = np.array([2.4, 2, 0.21, 2], np.float32)  # of positions, speeds, angles, turns


def network():
    return nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


def values(q, states):
    """Of both actions, without recording."""
    with autograd.no_grad():
        return q(Tensor(states / SCALE)).numpy()


def trials(q, seed, count):
    """How long poles stand on average when the better action is taken."""
    poles = gymnasium.make_vec("CartPole-v1", count, "vector_entry_point")
    state, stands, steps = poles.reset(seed=seed)[0], np.ones(count, bool), 0
    while stands.any():
        steps += stands.mean()
        state, _, terminated, truncated, _ = poles.step(values(q, state).argmax(1))
        stands &= ~(terminated | truncated)
    return steps


def learn(run, replay, target):
    """Train; how long the policy balances, at 30 times."""
    rounds, rng = run.pick(8000, 90), np.random.default_rng(run.seed)
    autograd.manual_seed(run.seed)
    poles = gymnasium.make_vec("CartPole-v1", POLES, "vector_entry_point")
    state, begins = poles.reset(seed=run.seed)[0], np.zeros(POLES, bool)
    q, copy = network(), network()
    optimizer = optim.Adam(q.parameters(), 1e-3)
    schedule = optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, rounds)
    memory, curve = [], []
    for i in run.progress(rounds, quick=90, label=f"replay {replay}, target {target}"):
        explores = rng.random(POLES) < max(0.05, 1 - i / (0.3 * rounds))
        action = np.where(explores, rng.integers(0, 2, POLES), values(q, state).argmax(1))
        then, _, terminated, truncated, _ = poles.step(action)
        seen = [*zip(state, action, then, terminated, strict=True)]
        memory += [step for step, setup in zip(seen, begins, strict=True) if not setup]  # after an end a pole is set up
        state, begins = then, terminated | truncated

        batch = [memory[k] for k in rng.integers(0, len(memory), BATCH)] if replay else memory[-POLES:]
        states, actions, later, fell = map(np.array, zip(*batch, strict=True))
        wanted = -1.0 * fell + GAMMA * ~fell * values(copy if target else q, later).max(1)
        loss = F.mse_loss(q(Tensor(states / SCALE))[np.arange(len(batch)), actions], Tensor(wanted.astype(np.float32)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if i % RENEW == 0:
            copy.load_state_dict(q.state_dict())
        if i % (rounds // 30) == rounds // 30 - 1:
            curve.append(trials(q, run.seed + i, run.pick(20, 2)))
    return np.array(curve)


def example(run):
    curves = {"DQN": learn(run, True, True), "no replay: each step once": learn(run, False, True),
              "no copy: the target moves": learn(run, True, False)}
    last = {name: curve[-10:].mean() for name, curve in curves.items()}
    for name, steps in last.items():
        run.result(f"{name}, steps", steps)
    dqn, *others = last.values()
    run.holds(dqn > 450)
    run.holds(np.mean(others) < 400)

    figure, axes = plt.subplots(1, 3, figsize=(12, 3.4), sharey=True)
    for axis, (name, curve) in zip(axes, curves.items(), strict=True):
        axis.plot(np.arange(1, len(curve) + 1) / len(curve) * 16, curve, marker="o", markersize=3)
        axis.axvspan(16 * 2 / 3, 16, color="0.5", alpha=0.12, linewidth=0)
        axis.set(xlabel="thousand steps", title=f"{name}: {last[name]:.0f} in the end")
    axes[0].set(ylabel="steps that it balances a pole", ylim=(0, 520))
    run.save(figure)
