"""linformer: attention to a few projected places"""

from common import fill, learn, wave
from linformer import Linformer

model = fill(Linformer(dim=32, seq_len=16, depth=1, heads=2, k=4))
learn("attention", model, model(wave(1, 16, 32)))
