"""Actor-critic and PPO: balancing a pole, both from the same number of steps.

An actor says how likely each action is, a critic what a state is worth. The advantage, how much better it went than the
critic thought (Schulman et al. 2016), pushes the likelihoods of actions up or down. Actor-critic (Mnih et al. 2016)
uses each batch of steps once: it is an older policy's then. PPO (Schulman et al. 2017) uses it ten times,
and stops pushing an action when its likelihood has changed by a fifth. The picture shows three learners of both, and
what one's critic and actor think of a pole. Try CLIP = 100: nothing holds the policy any longer.
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
from nn.distributions import Categorical

SYSTEMS = ("PPO", "actor-critic", "advantage estimation")
CLAIM = ("After 72,000 steps each of three PPO learners balances the pole for at least 475 of 500 steps, on average "
         "over 100 trials, which counts as solved; with actor-critic none reaches half of it.")

GAMMA, LAMBDA, CLIP = 0.98, 0.9, 0.2
POLES, STEPS, ROUNDS, LR = 16, 64, 70, 1e-3


def network(outputs, gain):
    layers = [nn.Linear(4, 64), nn.Linear(64, 64), nn.Linear(64, outputs)]
    for layer, g in zip(layers, (2 ** 0.5, 2 ** 0.5, gain), strict=True):
        nn.init.orthogonal_(layer.weight, g)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2])


def advantages(rewards, values, terminated, ended):
    """How much better than the critic thought; (STEPS, POLES), values one step longer. What ended by time may go on."""
    out, later = np.zeros_like(values[1:]), 0
    for t in reversed(range(len(rewards))):
        surprise = rewards[t] + GAMMA * ~terminated[t] * values[t + 1] - values[t]
        out[t] = later = surprise + GAMMA * LAMBDA * ~ended[t] * later
    return out


class Learner:
    def __init__(self, epochs, seed):
        self.poles = gymnasium.make_vec("CartPole-v1", POLES, "vector_entry_point")
        self.state, self.begins = self.poles.reset(seed=seed)[0], np.zeros(POLES, bool)
        self.rng, self.epochs = np.random.default_rng(seed), epochs
        self.actor, self.critic = network(2, 0.01), network(1, 1.0)
        self.optimizer = optim.Adam([*self.actor.parameters(), *self.critic.parameters()], LR)
        self.schedule = optim.lr_scheduler.LinearLR(self.optimizer, 1.0, 0.01, ROUNDS)
        self.length, self.lengths = np.zeros(POLES), []

    def play(self):
        """Steps of all poles: states, actions, their log-likelihoods, advantages and returns."""
        seen = []
        for _ in range(STEPS):
            with autograd.no_grad():
                log_p = F.log_softmax(self.actor(Tensor(self.state)), 1).numpy()
            action = (self.rng.random(POLES) < np.exp(log_p[:, 1])).astype(int)
            then, reward, terminated, truncated, _ = self.poles.step(action)
            ended = terminated | truncated
            seen.append((self.state, action, log_p[range(POLES), action], reward, terminated, ended, ~self.begins))
            self.length += ~self.begins  # after an end a pole is only set up again
            self.lengths += [*self.length[ended]]
            self.length[ended] = 0
            self.state, self.begins = then, ended
        states, actions, log_p, rewards, terminated, ended, counts = map(np.stack, zip(*seen, strict=True))
        with autograd.no_grad():
            values = self.critic(Tensor(np.concatenate([states, self.state[None]])))[..., 0].numpy()
        better = advantages(rewards, values, terminated, ended)
        return [Tensor(a[counts]) for a in (states, actions, log_p, better, better + values[:-1])]

    def learn(self):
        """One round. Returns the mean length of the last trials."""
        states, actions, before, better, returns = self.play()
        for _ in range(self.epochs):
            for batch in np.array_split(self.rng.permutation(len(states)), 4 if self.epochs > 1 else 1):
                advantage = (better[batch] - better[batch].mean()) / better[batch].std()
                change = (Categorical(logits=self.actor(states[batch])).log_prob(actions[batch]) - before[batch]).exp()
                gain = autograd.minimum(change * advantage, change.clamp(1 - CLIP, 1 + CLIP) * advantage).mean()
                wrong = F.mse_loss(self.critic(states[batch])[:, 0], returns[batch])
                self.optimizer.zero_grad()
                (0.5 * wrong - gain).backward()
                nn.utils.clip_grad_norm_(self.actor.parameters(), 0.5)
                nn.utils.clip_grad_norm_(self.critic.parameters(), 0.5)
                self.optimizer.step()
        self.schedule.step()
        return np.mean(self.lengths[-20:] or [0])


def trials(actor, seed, count):
    """How long poles stand on average when the likelier action is taken."""
    poles = gymnasium.make_vec("CartPole-v1", count, "vector_entry_point")
    state, stands, steps = poles.reset(seed=seed)[0], np.ones(count, bool), 0
    while stands.any():
        steps += stands.mean()
        with autograd.no_grad():
            state, _, terminated, truncated, _ = poles.step(actor(Tensor(state)).numpy().argmax(1))
        stands &= ~(terminated | truncated)
    return steps


def example(run):
    figure, (left, *maps) = plt.subplots(1, 3, figsize=(13, 3.8), width_ratios=(1.4, 1, 1))
    for color, (name, epochs) in zip(gallery.COLORS, {"actor-critic": 1, "PPO": 10}.items(), strict=False):
        reached = []
        for seed in run.rng.integers(2 ** 31, size=run.pick(3, 1)).tolist():
            learner = Learner(epochs, seed)
            curve = [learner.learn() for _ in run.progress(ROUNDS, quick=2, label=name)]
            reached.append(trials(learner.actor, seed + 1, run.pick(100, 2)))
            left.plot(np.arange(1, len(curve) + 1) * POLES * STEPS, curve, color=color,
                      label=None if len(reached) > 1 else name)
        run.result(f"{name}, steps", np.mean(reached))
        run.result(f"{name}, worst learner", min(reached))
        run.holds(min(reached) >= 475 if name == "PPO" else max(reached) < 250)
    left.set(xlabel="steps of a pole", ylabel="steps until a trial ends", title="Three learners each", ylim=(0, 520))
    left.legend()

    angle, speed = np.meshgrid(np.linspace(-12, 12, 61), np.linspace(-115, 115, 61))  # in degrees
    states = np.zeros((61, 61, 4), np.float32)
    states[..., 2], states[..., 3] = np.radians(angle), np.radians(speed)
    likely = F.softmax(learner.actor(Tensor(states)), 2)[..., 1]
    drawn = {"worth of a state (critic)": (learner.critic(Tensor(states))[..., 0], "cividis"),
             "likelihood of “right” (actor)": (likely, "RdBu")}
    for axis, (title, (values, cmap)) in zip(maps, drawn.items(), strict=True):
        shown = axis.pcolormesh(angle, speed, values.detach().numpy(), cmap=cmap, shading="gouraud")
        axis.set(xlabel="angle, degrees", ylabel="degrees a second", title=title)
        axis.grid(visible=False)
        figure.colorbar(shown, ax=axis)
    run.save(figure)
