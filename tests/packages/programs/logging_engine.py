"""pytorch-ignite: engines, events, metrics"""

import torch
from common import fill, show, wave
from ignite.engine import Events, create_supervised_evaluator, create_supervised_trainer
from ignite.metrics import Accuracy, Loss

model, loss = fill(torch.nn.Linear(4, 3)), torch.nn.CrossEntropyLoss()
batches = [(wave(6, 4, step=0.3 + i), torch.arange(6) % 3) for i in range(3)]
trainer = create_supervised_trainer(model, torch.optim.SGD(model.parameters(), 0.1), loss)
evaluator = create_supervised_evaluator(model, metrics={"accuracy": Accuracy(), "loss": Loss(loss)})


@trainer.on(Events.EPOCH_COMPLETED)
def evaluate(engine):
    evaluator.run(batches)
    show("epoch", evaluator.state.metrics["accuracy"], evaluator.state.metrics["loss"])


trainer.run(batches, max_epochs=2)
