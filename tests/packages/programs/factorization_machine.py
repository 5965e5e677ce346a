"""deepctr-torch: DeepFM, trained"""

import numpy as np
import torch
from common import fill, show
from deepctr_torch.inputs import DenseFeat, SparseFeat
from deepctr_torch.models import DeepFM

columns = [SparseFeat("a", 4, 4), SparseFeat("b", 3, 4), DenseFeat("c", 1)]
model = fill(DeepFM(columns, columns, dnn_hidden_units=(8,), task="binary", device="cpu"), 0.1)
model.compile("adam", "binary_crossentropy")
x = {"a": np.arange(8) % 4, "b": np.arange(8) % 3, "c": np.linspace(0, 1, 8)}
torch.manual_seed(0)
model.fit(x, (np.arange(8) % 2).astype("float32"), batch_size=4, epochs=2, verbose=0, shuffle=False)
show("DeepFM", model.predict(x, 8))
