"""xlstm: blocks of matrix memory"""

from common import fill, learn, wave
from xlstm import mLSTMBlockConfig, mLSTMLayerConfig, xLSTMBlockStack, xLSTMBlockStackConfig

model = fill(xLSTMBlockStack(xLSTMBlockStackConfig(
    mlstm_block=mLSTMBlockConfig(mlstm=mLSTMLayerConfig(conv1d_kernel_size=4, qkv_proj_blocksize=4, num_heads=2)),
    context_length=8, num_blocks=2, embedding_dim=16, slstm_at=[])), 0.2)
learn("xlstm", model, model(wave(2, 8, 16)))
