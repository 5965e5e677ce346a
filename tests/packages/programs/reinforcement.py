"""stable-baselines3: PPO and A2C on CartPole, from the same seed"""

from common import show
from stable_baselines3 import A2C, PPO

for label, model in (("PPO", PPO("MlpPolicy", "CartPole-v1", n_steps=64, batch_size=32, n_epochs=2, seed=0, device="cpu")),
                     ("A2C", A2C("MlpPolicy", "CartPole-v1", seed=0, device="cpu"))):
    model.learn(64)
    show(label, *model.policy.parameters())
