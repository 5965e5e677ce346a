"""Markov decision processes: value iteration, which knows the lake, and Q-learning, which has to walk on it.

From a field the walker slides: a step goes where it should one time in three. The value of a field is the best expected
reward of an action there plus that of what follows; repeated, this rule converges (Bellman 1957). Q-learning learns the
same from single steps, without knowing where they lead (Watkins 1989): it moves Q(s, a) a little towards the reward and
the best of what follows. The picture shows values, and the best action of each field, by both. Try epsilon=0.
"""

import gymnasium
import numpy as np
from matplotlib import pyplot as plt

SYSTEMS = ("Markov decision process", "value iteration", "Q-learning")
CLAIM = ("The policy of value iteration reaches the goal in more than 65 % of 2,000 walks, that of Q-learning in more "
         "than 60 %, random steps in less than 5 %.")

GAMMA, ARROWS = 0.99, "←↓→↑"


def value_iteration(transitions):
    """The values of all actions in all states: transitions[s][a] lists (probability, next state, reward, ended)."""
    q = np.zeros((len(transitions), len(transitions[0])))
    while True:
        new = np.array([[sum(p * (reward + GAMMA * (not ended) * q[then].max())
                             for p, then, reward, ended in transitions[s][a]) for a in range(q.shape[1])]
                        for s in range(len(q))])
        if abs(new - q).max() < 1e-9:
            return new
        q = new


def q_learning(run, lake, epsilon=0.3):
    q = np.zeros((lake.observation_space.n, lake.action_space.n))
    walks = run.pick(8000, 20)
    for walk in run.progress(walks, quick=20, label="walks"):
        state, ended, rate = lake.reset()[0], False, 0.2 * (1 - walk / walks) + 0.005
        while not ended:
            explores = run.rng.random() < epsilon or not q[state].any()
            action = int(run.rng.integers(4)) if explores else int(q[state].argmax())
            then, reward, terminated, truncated, _ = lake.step(action)
            q[state, action] += rate * (reward + GAMMA * (not terminated) * q[then].max() - q[state, action])
            state, ended = then, terminated or truncated
    return q


def success(lake, choose, walks):
    reached = 0
    for _ in range(walks):
        state, ended, reward = lake.reset()[0], False, 0
        while not ended:
            state, reward, terminated, truncated, _ = lake.step(choose(state))
            ended = terminated or truncated
        reached += reward
    return reached / walks


def example(run):
    lake = gymnasium.make("FrozenLake-v1", is_slippery=True)
    lake.reset(seed=run.seed)
    transitions = lake.unwrapped.P
    tables = {"value iteration": value_iteration(transitions), "Q-learning": q_learning(run, lake)}
    reached = {name: success(lake, lambda s, q=q: int(q[s].argmax()), run.pick(2000, 10)) for name, q in tables.items()}
    reached["random"] = success(lake, lambda s: int(run.rng.integers(4)), run.pick(2000, 10))
    for name, share in reached.items():
        run.result(f"goal reached, {name}", 100 * share, "%")
    run.holds(reached["value iteration"] > 0.65)
    run.holds(reached["Q-learning"] > 0.6)
    run.holds(reached["random"] < 0.05)

    figure, axes = plt.subplots(1, 2, figsize=(9, 4.2))
    fields = lake.unwrapped.desc.astype(str)
    for axis, (name, q) in zip(axes, tables.items(), strict=True):
        shown = axis.imshow(q.max(1).reshape(fields.shape), cmap="cividis", vmin=0, vmax=1)
        for (i, j), field in np.ndenumerate(fields):
            best = ARROWS[q.reshape(*fields.shape, 4)[i, j].argmax()]
            label = {"H": "hole", "G": "goal"}.get(field, f"{best}\n{q.max(1).reshape(fields.shape)[i, j]:.2f}")
            axis.text(j, i, label, ha="center", va="center", color="white", fontsize=11)
        axis.set(xticks=[], yticks=[], title=f"{name}: the goal is reached in {reached[name]:.0%}")
        axis.grid(visible=False)
    figure.colorbar(shown, ax=axes, label="value of a field")
    run.save(figure)
