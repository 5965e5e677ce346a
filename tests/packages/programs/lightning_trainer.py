"""pytorch-lightning: a LightningModule, and fit"""

import pytorch_lightning
import torch
from common import fill, show, wave
from torch.utils.data import DataLoader, TensorDataset


class Classifier(pytorch_lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = fill(torch.nn.Linear(4, 3))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = torch.nn.functional.cross_entropy(self.layer(x), y)
        self.log("loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 1e-2)


model = Classifier()
trainer = pytorch_lightning.Trainer(max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False,
                                    enable_progress_bar=False, enable_model_summary=False)
trainer.fit(model, DataLoader(TensorDataset(wave(32, 4), torch.arange(32) % 3), 8))
show("trained", *model.parameters(), trainer.callback_metrics["loss"])
