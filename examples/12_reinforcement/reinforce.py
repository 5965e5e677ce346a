"""REINFORCE: make what went well likelier; a baseline takes out what would have come anyway.

The gradient of the expected return is the mean of returns times the gradients of log likelihoods (Williams 1992). It is
right, but noisy: on a pole that nearly always stands for long, every action has a large return. A baseline, here a
network that tells the return to be expected in a state, changes nothing of the mean and takes away most of the noise
(Sutton et al. 2000). The picture shows the noise of both gradients at the same policy, and three learners each.
Try lr=0.03.
"""

import gymnasium
import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from autograd import Tensor
from examples import gallery
from nn import functional as F

SYSTEMS = ("REINFORCE", "REINFORCE with baseline", "policy gradient")
CLAIM = ("At the same half-trained policy the baseline takes away at least two thirds of the gradient's variance; over "
         "the last third of their trials three learners with it balance the pole longer than three without.")

GAMMA, POLES = 0.99, 4


def network(outputs):
    return nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, outputs))


def play(actor, seed):
    """One trial of each pole: states, actions and returns of each one's steps, (T, POLES, ...), and which count."""
    rng, poles = np.random.default_rng(seed), gymnasium.make_vec("CartPole-v1", POLES, "vector_entry_point")
    state, stands, seen = poles.reset(seed=seed)[0], np.ones(POLES, bool), []
    while stands.any():
        with autograd.no_grad():
            right = F.softmax(actor(Tensor(state)), 1).numpy()[:, 1]
        action = (rng.random(POLES) < right).astype(int)
        seen.append((state, action, stands))
        state, _, terminated, truncated, _ = poles.step(action)
        stands = stands & ~(terminated | truncated)
    states, actions, counts = map(np.stack, zip(*seen, strict=True))
    returns = counts.astype(np.float32)  # a point for each step
    for t in reversed(range(len(returns) - 1)):
        returns[t] += GAMMA * returns[t + 1]
    return states, actions, returns, counts


def surrogate(actor, states, actions, weights):
    """What has the gradient of REINFORCE: the mean over trials of the sum over their steps."""
    return -(F.log_softmax(actor(Tensor(states)), 1)[np.arange(len(actions)), actions] * Tensor(weights)).sum()


class Learner:
    def __init__(self, baseline, seed):
        self.actor, self.critic, self.baseline, self.seed = network(2), network(1), baseline, seed
        self.optimizers = [optim.Adam(net.parameters(), 0.01) for net in (self.actor, self.critic)]

    def weights(self, states, returns):
        with autograd.no_grad():
            return returns - 100 * self.critic(Tensor(states))[..., 0].numpy() if self.baseline else returns

    def learn(self, i):
        """One trial of each pole, and one step of the actor. Returns how long they stood."""
        states, actions, returns, counts = play(self.actor, self.seed + i)
        states, actions, returns = states[counts], actions[counts], returns[counts]
        actor, critic = self.optimizers
        actor.zero_grad()
        surrogate(self.actor, states, actions, self.weights(states, returns)).backward()
        actor.step()
        for _ in range(20 if self.baseline else 0):
            critic.zero_grad()
            F.mse_loss(self.critic(Tensor(states))[:, 0], Tensor(returns / 100)).backward()
            critic.step()
        return counts.sum() / POLES

    def gradients(self, seed):
        """Of single trials, one a row, at the policy as it is."""
        states, actions, returns, counts = play(self.actor, seed)
        weights, rows = self.weights(states, returns), []
        for k, of in enumerate(counts.T):
            loss = surrogate(self.actor, states[of, k], actions[of, k], weights[of, k])
            rows.append(np.concatenate([g.numpy().ravel() for g in autograd.grad(loss, [*self.actor.parameters()])]))
        return np.stack(rows)


def example(run):
    rounds, found, curves = run.pick(90, 3), {}, {True: [], False: []}
    for seed in run.rng.integers(2 ** 31, size=run.pick(3, 1)).tolist():
        for baseline, lines in curves.items():
            learner, reached = Learner(baseline, seed), []
            for i in run.progress(rounds, quick=3, label=f"baseline {baseline}"):
                reached.append(learner.learn(i))
                if baseline and not found and i == 2 * rounds // 3:  # half-trained
                    for learner.baseline in (False, True):
                        found[learner.baseline] = np.concatenate([learner.gradients(seed + k) for k in range(16)])
            lines.append(reached)
    noise = {baseline: rows.var(0).sum() for baseline, rows in found.items()}
    last = {baseline: np.array(lines)[:, -rounds // 3:].mean() for baseline, lines in curves.items()}
    run.result("variance without the baseline, over that with it", noise[False] / noise[True])
    run.result("steps, with baseline", last[True])
    run.result("steps, without", last[False])
    run.holds(noise[False] > 3 * noise[True])
    run.holds(last[True] > last[False])

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
    for color, baseline, name in zip(gallery.COLORS, (False, True), ("without", "with baseline"), strict=False):
        right.plot(np.arange(1, rounds + 1) * POLES, np.transpose(curves[baseline]), color=color,
                   label=[name, *[None] * (len(curves[baseline]) - 1)])
        first, second = found[baseline][:, [*found[False][:, :128].var(0).argsort()[-1:], 160]].T  # of both layers
        left.scatter(first, second, color=color, s=14, label=f"{name}: variance {noise[baseline]:.1e}")
        left.scatter(*np.mean([first, second], 1), color=color, s=160, marker="X", edgecolor="black")
    left.set(xlabel="gradient of a weight of the first layer", ylabel="of one of the last",
             title="Single trials, and their mean")
    right.set(xlabel="trials", ylabel="steps until a pole falls", title="Three learners each", ylim=(0, 520))
    left.legend()
    right.legend()
    run.save(figure)
