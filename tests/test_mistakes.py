"""Mistakes and what is said about them: the table can be read aloud.

An error says what was given, why it can't be, and what to write instead. It begins with the name that the user wrote,
and names nothing that the user cannot import.
"""

import inspect
import re

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import Tensor, linalg, ones, special, tensor, zeros
from autograd.table import FUNCTIONS
from nn import functional as F


class Net(nn.Module):
    """Forgets super().__init__(), and has a layer."""

    def __init__(self):
        self.hidden = nn.Linear(3, 2)


class Plain(nn.Module):
    """Forgets super().__init__(), and has none."""

    def __init__(self):
        self.width = 3

    def forward(self, x):
        return x


GIVEN = {"np": np, "autograd": autograd, "nn": nn, "F": F, "optim": optim, "tensor": tensor, "zeros": zeros, "Net": Net,
         "Plain": Plain}

TABLE = [
    # Shapes
    ('x + zeros(4)', autograd.ShapeError,
     'add(float32[2, 3], float32[4]): shapes (2,3) (4,) cannot be broadcast together; shapes are compared '
     'from the right and must be equal or 1 there: unsqueeze() inserts an axis of 1'),
    ('x @ x', autograd.ShapeError,
     'matmul(float32[2, 3], float32[2, 3]): the rows of the first matrix have 3 elements and the columns '
     'of the second 2; they must have as many: shapes (n, k) and (k, m)'),
    ('x.view(4)', autograd.ShapeError,
     'reshape(float32[2, 3], shape=4): 6 elements cannot fill the shape (4,); one length may be -1, it is '
     'then computed'),
    ('x.expand(5, 5)', autograd.ShapeError,
     'expand(float32[2, 3], shape=(5, 5)): shape (2,3) cannot be broadcast to (5,5); shapes are compared '
     'from the right and must be equal or 1 there: unsqueeze() inserts an axis of 1'),
    ('autograd.cat([x, zeros(3, 2)])', autograd.ShapeError,
     'cat(float32[2, 3], float32[3, 2]): along axis 1 tensor 0 has 3 elements and tensor 1 has 2; only the'
     ' axis along which they are joined may differ'),
    ('autograd.stack([x, zeros(3, 2)])', autograd.ShapeError,
     'stack(float32[2, 3], float32[3, 2]): the tensors must all have one shape'),
    ('autograd.stack([])', autograd.ShapeError,
     'stack(): there is no tensor in the list'),
    ('x.repeat(2)', RuntimeError,
     'repeat(float32[2, 3], 2): (2,) has a number for 1 of the 2 axes of shape (2, 3); write one for each '
     'axis, or use tile()'),
    ('x.t().dot(x)', RuntimeError,
     'dot(float32[3, 2], float32[2, 3]): it takes a vector (1 axis), this tensor has shape (3, 2); '
     'matmul() takes any'),
    ('x[2]', IndexError,
     'index 2 does not fit a tensor of shape (2, 3): index 2 is out of bounds for axis 0 with size 2'),
    ('x[0, 0, 0]', IndexError,
     'index (0, 0, 0) does not fit a tensor of shape (2, 3): there are too many indices: 3 for 2 axes'),
    ('x["rows"]', IndexError,
     "index 'rows' does not fit a tensor of shape (2, 3): an index is an integer, a slice, ..., None, or a"
     ' Tensor or list of integers or booleans'),
    ('x[1.0]', IndexError,
     'index 1.0 does not fit a tensor of shape (2, 3): an index is an integer, a slice, ..., None, or a '
     'Tensor or list of integers or booleans'),
    ('x[0] = zeros(4)', autograd.ShapeError,
     'a value of shape (4,) cannot be written to index 0 of a tensor of shape (2, 3): could not broadcast '
     'input array from shape (4,) into shape (3,); shapes are compared from the right and must be equal or'
     ' 1 there: unsqueeze() inserts an axis of 1'),
    ('zeros(2, -1)', autograd.ShapeError,
     'a shape cannot have a negative length, as in (2, -1)'),
    ('zeros("two")', TypeError,
     "a shape is made of whole numbers, and ('two',) is not"),
    ('zeros(0).max()', autograd.ShapeError,
     'max(float32[0]): there is no element to take the maximum of'),
    ('zeros(2, 3, 4) @ zeros(3, 4, 3)', autograd.ShapeError,
     'matmul(float32[2, 3, 4], float32[3, 4, 3]): the stacks of matrices in shapes (2,3,4) and (3,4,3) cannot be '
     'broadcast together; shapes are compared from the right and must be equal or 1 there: unsqueeze() inserts an axis '
     'of 1'),
    ('autograd.einsum("ij,jk->ik", x, x)', autograd.ShapeError,
     "einsum('ij,jk->ik', float32[2, 3], float32[2, 3]): a letter of the equation stands for axes of "
     'different lengths'),

    # Axes and options
    ('x.sum(axes=0)', TypeError,
     "sum(float32[2, 3], axes=0): there is no option 'axes'; did you mean 'axis'? It is called sum(x, *, "
     'dim=None, keepdim=False, dtype=None)'),
    ('x.sum(dim=2)', IndexError,
     'sum(float32[2, 3], dim=2): dim=2 is out of range for a tensor with 2 axes; it may be -2 to 1'),
    ('x.softmax(2)', IndexError,
     'softmax(float32[2, 3], dim=2): dim=2 is out of range for a tensor with 2 axes; it may be -2 to 1'),
    ('x.unsqueeze(4)', IndexError,
     'unsqueeze(float32[2, 3], dim=4): dim=4 is out of range for a tensor with 2 axes; it may be -3 to 2'),
    ('x.norm(dim=2)', IndexError,
     'norm(float32[2, 3], dim=2): dim=2 is out of range for a tensor with 2 axes; it may be -2 to 1'),
    ('x.max(2)', IndexError,
     'max(float32[2, 3], 2): dim=2 is out of range for a tensor with 2 axes; it may be -2 to 1'),
    ('x.size(2)', IndexError,
     'dim=2 is out of range for a tensor with 2 axes; it may be -2 to 1'),
    ('x.permute(0, 0)', autograd.ShapeError,
     'permute(float32[2, 3], dims=(0, 0)): dims=(0, 0) names an axis twice, for a tensor with 2 axes'),
    ('x.transpose(0)', TypeError,
     "transpose(float32[2, 3], 0): the option 'dim1' is missing. It is called transpose(x, *, dim0, dim1)"),
    ('x.sum(dim="rows")', TypeError,
     "sum(float32[2, 3], dim='rows'): a whole number belongs in the place of this str"),
    ('autograd.div(x, x, rounding_mode="up")', ValueError,
     "div(float32[2, 3], float32[2, 3], rounding_mode='up'): rounding_mode must be None, 'floor' or "
     "'trunc', not 'up'"),
    ('x.round(decimal=2)', TypeError,
     "round(float32[2, 3], decimal=2): there is no option 'decimal'; did you mean 'decimals'? It is called"
     ' round(x, *, decimals=0)'),
    ('autograd.mean()', TypeError,
     "mean(): the argument 'x' is missing. It is called mean(x, *, dim=None, keepdim=False, dtype=None)"),
    ('x.mean(0, dim=1)', TypeError,
     "mean(float32[2, 3], 0, dim=1): 'dim' is given twice. It is called mean(x, *, dim=None, "
     'keepdim=False, dtype=None)'),
    ('F.softmax(x)', TypeError,
     "softmax(float32[2, 3]): the option 'dim' is missing. It is called softmax(x, *, dim, dtype=None)"),

    # Types
    ('-tensor([True])', TypeError,
     'neg(bool[1]): a boolean has no negative; to invert a mask write ~t, to calculate with 0 and 1 '
     't.int()'),
    ('tensor([True]) - tensor([False])', TypeError,
     'sub(bool[1], bool[1]): booleans are not subtracted; for where two masks differ write a ^ b, to '
     'calculate with 0 and 1 t.int()'),
    ('~x', TypeError,
     'bitwise_not(float32[2, 3]): elements of this type have no such operation; convert them first: '
     't.float(), t.long() or t.bool()'),
    ('x + "1"', TypeError,
     "add(float32[2, 3], '1'): a Tensor holds booleans, integers or floats, not text (from str); convert "
     'the data first, e.g. with np.asarray(data, dtype=np.float32)'),
    ('x + None', TypeError,
     'add(float32[2, 3], None): both must be Tensors, arrays or numbers'),
    ('x.to("cuda")', RuntimeError,
     "to(float32[2, 3], 'cuda'): tensors live in NumPy arrays, on the device 'cpu' alone, not on 'cuda'; "
     "leave out the argument, or write 'cpu'"),
    ('nn.Linear(3, 2).to("cuda")', RuntimeError,
     "tensors live in NumPy arrays, on the device 'cpu' alone, not on 'cuda'; leave out the argument, or "
     "write 'cpu'"),
    ('nn.Linear(3, 2, device="cuda")', RuntimeError,
     "Linear(3, 2, device='cuda'): tensors live in NumPy arrays, on the device 'cpu' alone, not on "
     "'cuda'; leave out the argument, or write 'cpu'"),
    ('nn.Linear(3, 2).cuda()', RuntimeError,
     "Linear.cuda(): there is only the CPU; leave out the call, or write .to('cpu')"),
    ('nn.LazyLinear(2).weight.sum()', RuntimeError,
     'a parameter of a lazy layer has neither shape nor values before the layer has seen its first input; '
     'call the model on an example once, before anything looks at its parameters'),
    ('nn.Linear(3, 2).train("yes")', ValueError,
     "train(mode) takes True or False, not 'yes'"),
    ('nn.LazyConv2d(8, 3)(zeros(3, 4))', autograd.ShapeError,
     'LazyConv2d(float32[3, 4]): the input must have shape (N, C, H, W), or without N, not (3, 4)'),
    ('nn.EmbeddingBag(5, 2)(tensor([0, 1]))', ValueError,
     'EmbeddingBag(int64[2]): the input must have shape (bags, indices), or (indices,) beside offsets, '
     'not (2,) without offsets'),
    ('nn.utils.prune.l1_unstructured(nn.Linear(3, 2), "weights", 1)', ValueError,
     "prune: Linear.weights is no parameter; there are ['weight', 'bias']"),
    ('nn.BatchNorm1d(3).__setattr__("running_mean", 0)', TypeError,
     'BatchNorm1d.running_mean is a buffer and cannot become a int; assign a Tensor or None, or del it '
     'first'),
    ('nn.Linear(3, 2).load_state_dict("model.pt")', TypeError,
     'load_state_dict() takes a dict of names and tensors, not a str; of a file, write nn.load(path)'),
    ('F.channel_shuffle(zeros(1, 3, 2), 2)', autograd.ShapeError,
     'channel_shuffle(float32[1, 3, 2], 2): 3 channels cannot be divided into groups=2'),
    ('zeros(2, device="cuda")', RuntimeError,
     "tensors live in NumPy arrays, on the device 'cpu' alone, not on 'cuda'; leave out the argument, or "
     "write 'cpu'"),
    ('x.to("flot32")', TypeError,
     "to(float32[2, 3], 'flot32'): there is no dtype 'flot32'; write autograd.float32 (or float64, "
     "float16, int64, bool, ...), or its name 'float32'"),
    ('tensor([[1, 2], [3]])', ValueError,
     'nested lists must have one length at each depth, to be the rows of an array; these have not: pad '
     'them, e.g. with nn.utils.rnn.pad_sequence()'),
    ('tensor("abc")', TypeError,
     'a Tensor holds booleans, integers or floats, not text (from str); convert the data first, e.g. with '
     'np.asarray(data, dtype=np.float32)'),
    ('autograd.cat([x, 1.0])', TypeError,
     'cat(float32[2, 3], 1.0): a Tensor belongs in the place of this float'),
    ('3 @ x', TypeError,
     'matmul(3, float32[2, 3]): a Tensor belongs in the place of this int'),
    ('x < "a"', TypeError,
     "lt(float32[2, 3], 'a'): elements of this type have no such operation; convert them first: t.float(),"
     ' t.long() or t.bool()'),
    ('x.norm(p="fro2")', ValueError,
     "norm(float32[2, 3], p='fro2'): p='fro2' is no norm; it may be a number, 'fro' or 'nuc'"),
    ('tensor([1, 2], requires_grad=True)', RuntimeError,
     'only floating tensors can require gradients, this one is int64; make it floating first: '
     't.float().requires_grad_()'),
    ('x.gather(0, x)', IndexError,
     'gather(float32[2, 3], dim=0, index=float32[2, 3]): an index must hold integers or booleans; write '
     'index.long()'),
    ('if x > 0: pass', RuntimeError,
     'the truth of a tensor with 6 elements (shape (2, 3)) is ambiguous; write t.any() or t.all()'),
    ('len(tensor(1.0))', TypeError,
     'len() of a tensor without axes; its number of elements is t.numel()'),
    ('np.polyfit(w, w, 1)', TypeError,
     'np.polyfit does not work on Tensors that require gradients; for the bare values write t.detach().numpy()'),

    # Gradients
    ('x.sum().backward()', RuntimeError,
     'one of the outputs (shape ()) does not require gradients, so nothing was recorded for it; call '
     'requires_grad_() on the leaves before computing with them'),
    ('w.exp().backward()', RuntimeError,
     'a gradient can start by itself only from a single element, this output has shape (3,); reduce it '
     'first, e.g. y.sum().backward(), or pass dL/dy: y.backward(gradient)'),
    ('loss = (w * w).sum(); loss.backward(); loss.backward()', RuntimeError,
     'the graph was released by an earlier backward pass (found at `sum`); to go through it again, make '
     'the first pass with backward(retain_graph=True)'),
    ('w.numpy()', RuntimeError,
     'numpy() of a tensor that requires gradients (shape (3,)) would lose its history; write '
     't.detach().numpy()'),
    ('np.asarray(w)', RuntimeError,
     'this function would turn a tensor that requires gradients (shape (3,)) into a bare array and lose '
     'its history; write t.detach().numpy(), or use a function of autograd'),
    ('w.item()', RuntimeError,
     'item() needs exactly one element, this tensor has 3 (shape (3,)); use tolist(), or reduce it first, '
     'e.g. t.sum().item()'),
    ('w += 1', RuntimeError,
     'a leaf tensor that requires gradients (shape (3,)) cannot be changed in place while recording, since'
     ' its gradient would be lost; wrap the change in no_grad(), or work on t.clone()'),
    ('y = w * 1; y.grad', UserWarning,
     '.grad of the result of `mul` is None: backward() fills it for leaves only; call retain_grad() on the'
     ' result first'),
    ('y = w * 1; y.requires_grad = False', RuntimeError,
     'requires_grad of the result of `mul` cannot be switched off, only that of leaves; to use the value '
     'as a constant write t.detach()'),
    ('w.grad = zeros(2)', RuntimeError,
     '.grad must have the shape and dtype of its tensor ((3,), float32), not (2,), float32; write '
     'value.to(t.dtype).expand(t.shape).clone() if that is meant'),

    # Layers
    ('nn.Linear(3, 2)(zeros(2, 4))', autograd.ShapeError,
     'Linear(float32[2, 4]): the input must have shape (*, in_features) and the weight (out_features, '
     'in_features), but they have (2, 4) and (2, 3)'),
    ('nn.Linear(3)', TypeError,
     "Linear(3): the argument 'out_features' is missing. It is called Linear(in_features, out_features, "
     'bias=True, device=None, dtype=None)'),
    ('nn.Linear(3.0, 2)', TypeError,
     'Linear(3.0, 2): a shape is made of whole numbers, and (2, 3.0) is not'),
    ('nn.Conv2d(3, 8, kernel=3)', TypeError,
     "Conv2d(3, 8, kernel=3): there is no option 'kernel'; did you mean 'kernel_size'? It is called "
     'Conv2d(in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,'
     " padding_mode='zeros', device=None, "
     'dtype=None)'),
    ('nn.Conv2d(3, 8)', TypeError,
     "Conv2d(3, 8): the argument 'kernel_size' is missing. It is called Conv2d(in_channels, out_channels, "
     "kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode='zeros', device=None, "
     'dtype=None)'),
    ('nn.Conv2d(1, 8, 3)(zeros(64, 28, 28))', autograd.ShapeError,
     'Conv2d(float32[64, 28, 28]): the input must have shape (N, 1, H, W), or without N, not (64, 28, 28);'
     ' the one channel is added by x.unsqueeze(-3)'),
    ('nn.Conv2d(3, 8, 3)(zeros(4, 28, 28))', autograd.ShapeError,
     'Conv2d(float32[4, 28, 28]): the input must have shape (N, 3, H, W), or without N, not (4, 28, 28)'),
    ('nn.Conv2d(3, 8, 3)(zeros(2, 28, 28, 3))', autograd.ShapeError,
     'Conv2d(float32[2, 28, 28, 3]): the input must have shape (N, 3, H, W), or without N, not (2, 28, 28,'
     ' 3); the channels come first: x.movedim(-1, -3)'),
    ('nn.LSTM(3, 4, num_layer=2)', TypeError,
     "LSTM(3, 4, num_layer=2): there is no option 'num_layer'; did you mean 'num_layers'? It is called "
     'LSTM(input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, '
     'bidirectional=False, proj_size=0, device=None, dtype=None)'),
    ('nn.LSTM(3, 4)(zeros(5, 2, 4))', autograd.ShapeError,
     'LSTM(float32[5, 2, 4]): the input must have shape (T, B, 3), or (T, 3) without a batch, not (5, 2, '
     '4)'),
    ('nn.Dropout(rate=0.5)', TypeError,
     "Dropout(rate=0.5): there is no option 'rate'. It is called Dropout(p=0.5, inplace=False)"),
    ('nn.Dropout(2.0)', ValueError,
     'Dropout(2.0): p must be a probability between 0 and 1, not 2.0'),
    ('nn.Dropout("0.5")', TypeError,
     "Dropout('0.5'): a number belongs where text was given"),
    ('nn.Upsample(size=4)(x)', autograd.ShapeError,
     'Upsample(float32[2, 3]): the input must have shape (N, C, W), (N, C, H, W) or (N, C, D, H, W), not '
     '(2, 3)'),
    ('nn.LSTM(3, 4)([1, 2])', autograd.ShapeError,
     'LSTM([1, 2]): the input must have shape (T, B, 3), or (T, 3) without a batch, not (2,)'),
    ('nn.Linear(3, 2)(x, x)', TypeError,
     'Linear(float32[2, 3], float32[2, 3]): too many positional arguments. It is called Linear(input)'),
    ('nn.ReLU(x)', TypeError,
     "ReLU(float32[2, 3]): a Tensor of shape (2, 3) was given for the option 'inplace': a layer is made "
     'with its options and then called with Tensors, as in ReLU(...)(input)'),
    ('nn.BatchNorm2d(3)(zeros(2, 4, 8, 8))', autograd.ShapeError,
     'BatchNorm2d(float32[2, 4, 8, 8]): the input must have shape (N, 3, H, W), not (2, 4, 8, 8)'),
    ('nn.LayerNorm(4)(x)', autograd.ShapeError,
     'LayerNorm(float32[2, 3]): the input must end in the axes (4,), its shape is (2, 3)'),
    ('nn.LearnedPositions(7, 16)(zeros(2, 7, 16))', autograd.ShapeError,
     'LearnedPositions(float32[2, 7, 16]): the input must have shape (B, L, 7), not (2, 7, 16): the layer '
     'was made with embed_dim=7, which comes first, and max_len=16'),
    ('nn.MultiheadAttention(6, 4)', ValueError,
     'MultiheadAttention(6, 4): embed_dim=6 must be divisible by num_heads=4'),
    ('nn.Embedding(4, 2)(tensor([4]))', IndexError,
     'Embedding(int64[1]): index 4 is out of range for a table of 4 rows'),
    ('nn.Embedding(4, 2)(zeros(2))', TypeError,
     'Embedding(float32[2]): indices must be integers, not float32; write input.long()'),
    ('nn.Sequential([nn.Linear(2, 3), nn.ReLU()])', TypeError,
     'Sequential([Linear(in_features=2, out_features=3, bias=True), ReLU()]): Sequential holds Modules, '
     'not a list; write Sequential(*layers)'),
    ('nn.Sequential(nn.Linear(2, 3), autograd.relu)', TypeError,
     'Sequential(Linear(in_features=2, out_features=3, bias=True), relu): Sequential holds Modules, not a '
     'function; nn has layers of many functions, such as nn.ReLU()'),
    ('nn.ModuleList(nn.Linear(2, 3))', TypeError,
     'ModuleList(Linear(in_features=2, out_features=3, bias=True)): a list of Modules belongs in the place'
     ' of this Linear; write ModuleList([layer])'),
    ('F.conv2d(x)', TypeError,
     "conv2d(float32[2, 3]): the argument 'weight' is missing. It is called conv2d(input, weight, "
     'bias=None, stride=1, padding=0, dilation=1, groups=1)'),
    ('F.max_pool2d(x, 2)', autograd.ShapeError,
     'max_pool2d(float32[2, 3], 2): the input must have shape (N, C, H, W), or without N, not (2, 3)'),
    ('F.dropout(x, 2)', ValueError,
     'dropout(float32[2, 3], 2): a dropout probability must be between 0 and 1, not 2'),
    ('Net()', AttributeError,
     'Net.hidden is assigned before Module.__init__() was called; begin __init__ with super().__init__()'),
    ('Plain()(x)', AttributeError,
     'Plain was made without Module.__init__(); begin its __init__ with super().__init__()'),
    ('model = nn.Linear(3, 2); model.weight = zeros(2, 3)', TypeError,
     'Linear.weight is a Parameter and cannot become a Tensor, which would not be trained; assign '
     'nn.Parameter(...), or write new values into it: with no_grad(): module.weight[:] = values'),

    # Losses
    ('F.cross_entropy(zeros(4, 3), tensor(np.eye(4, 3, dtype=int)))', TypeError,
     "cross_entropy(float32[4, 3], int64[4, 3]): the target has the input's shape (4, 3), so it would hold"
     ' class probabilities, but these are int64; write target.float(), or give the indices of the classes:'
     ' target.argmax(1)'),
    ('F.cross_entropy(zeros(4, 3), zeros(4))', TypeError,
     'cross_entropy(float32[4, 3], float32[4]): class indices must be integers, the target is float32; '
     'write target.long(), or give class probabilities, of shape (4, 3)'),
    ('F.cross_entropy(zeros(4, 3), tensor([0, 1, 2]))', autograd.ShapeError,
     'cross_entropy(float32[4, 3], int64[3]): for an input of shape (4, 3) (3 classes) the target must '
     'have shape (4,) (class indices) or (4, 3) (class probabilities), not (3,)'),
    ('F.cross_entropy(zeros(4, 3), tensor([1, 2, 3, 1]))', IndexError,
     'cross_entropy(float32[4, 3], int64[4]): target 3 is out of range: there are 3 classes, 0 to 2'),
    ('F.cross_entropy(tensor([0, 1]), zeros(2, 3))', TypeError,
     'cross_entropy(int64[2], float32[2, 3]): the scores come first and are floating, but are int64 here, '
     'and the target is float32: write cross_entropy(scores, target)'),
    ('nn.CrossEntropyLoss(zeros(4, 3), tensor([0, 1, 2, 0]))', TypeError,
     'CrossEntropyLoss(float32[4, 3], int64[4]): a Tensor of shape (4,) was given for the option '
     "'size_average': a layer is made with its options and then called with Tensors, as in "
     'CrossEntropyLoss(...)(input, target)'),
    ('nn.MSELoss(x, x)', TypeError,
     'MSELoss(float32[2, 3], float32[2, 3]): a Tensor of shape (2, 3) was given for the option '
     "'size_average': a layer is made with its options and then called with Tensors, as in "
     'MSELoss(...)(input, target)'),
    ('nn.CrossEntropyLoss()(zeros(4, 3))', TypeError,
     "CrossEntropyLoss(float32[4, 3]): the argument 'target' is missing. It is called cross_entropy(input,"
     " target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', "
     'label_smoothing=0.0)'),
    ('nn.CrossEntropyLoss(reduction="average")(zeros(1, 3), tensor([0]))', ValueError,
     "CrossEntropyLoss(float32[1, 3], int64[1]): reduction must be 'mean', 'sum' or 'none', not 'average'"),
    ('F.binary_cross_entropy(x + 2, x)', ValueError,
     'binary_cross_entropy(float32[2, 3], float32[2, 3]): the input must be probabilities, but it reaches '
     'from 2.0 to 2.0; for scores use binary_cross_entropy_with_logits'),
    ('F.one_hot(x)', TypeError,
     'one_hot(float32[2, 3]): indices must be integers, not float32; write input.long()'),

    # Optimizers
    ('optim.SGD(nn.Linear(2, 3))', TypeError,
     'SGD(Linear(in_features=2, out_features=3, bias=True)): a list of parameters belongs in the place of '
     'this Linear; write SGD(model.parameters(), ...)'),
    ('optim.SGD(nn.Linear(2, 3).parameters, lr=0.1)', TypeError,
     'SGD(parameters, lr=0.1): a list of parameters belongs in the place of this method; write '
     'SGD(model.parameters(), ...)'),
    ('optim.SGD(w, lr=0.1)', TypeError,
     'SGD(float32[3], lr=0.1): a list of parameters belongs in the place of this one Tensor; write '
     'SGD([p], ...)'),
    ('optim.SGD([], lr=0.1)', ValueError,
     'SGD([], lr=0.1): the parameter list is empty: model.parameters() gives none (are the layers in a '
     'list? then write nn.ModuleList([...])), or it is an iterator that was used up before'),
    ('optim.SGD([1.0], lr=0.1)', TypeError,
     'SGD([1.0], lr=0.1): parameters are Tensors, but parameter 0 is of type float: 1.0'),
    ('optim.SGD([w], learning_rate=0.1)', TypeError,
     "SGD([float32[3]], learning_rate=0.1): there is no option 'learning_rate'. It is called SGD(params, "
     'lr=0.001, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, maximize=False, foreach=None, '
     'differentiable=False, fused=None)'),
    ('optim.SGD([w], lr=0.1, momentun=0.9)', TypeError,
     "SGD([float32[3]], lr=0.1, momentun=0.9): there is no option 'momentun'; did you mean 'momentum'? It "
     'is called SGD(params, lr=0.001, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, '
     'maximize=False, foreach=None, differentiable=False, fused=None)'),
    ('optim.SGD([w], lr=-0.1)', ValueError,
     'SGD([float32[3]], lr=-0.1): lr is -0.1, but must be 0 or more; to climb instead of descending write '
     'maximize=True'),
    ('optim.Adam([w], lr="0.1")', ValueError,
     "Adam([float32[3]], lr='0.1'): lr is '0.1', but must be a number, not text; leave out the quotation "
     'marks'),
    ('optim.Adam(lr=0.1)', TypeError,
     "Adam(lr=0.1): the argument 'params' is missing. It is called Adam(params, lr=0.001, betas=(0.9, "
     '0.999), eps=1e-08, weight_decay=0, amsgrad=False, *, foreach=None, maximize=False, capturable=False,'
     ' differentiable=False, fused=None, decoupled_weight_decay=False)'),
    ('optim.lr_scheduler.StepLR(0.1, 3)', TypeError,
     'StepLR(0.1, 3): an optimizer belongs in the place of this float; write optimizer = optim.SGD(...) '
     'first, and give that'),
    ('optim.lr_scheduler.StepLR(optim.SGD([w]))', TypeError,
     "StepLR(SGD(...)): the argument 'step_size' is missing. It is called StepLR(optimizer, step_size, "
     'gamma=0.1, last_epoch=-1)'),

    # Data
    ('nn.data.DataLoader([1, 2], batchsize=2)', TypeError,
     "DataLoader([1, 2], batchsize=2): there is no option 'batchsize'; did you mean 'batch_size'? It is "
     'called DataLoader(dataset, batch_size=1, shuffle=None, sampler=None, batch_sampler=None, '
     'num_workers=0, collate_fn=None, pin_memory=False, drop_last=False, timeout=0, worker_init_fn=None, '
     'multiprocessing_context=None, generator=None, *, prefetch_factor=None, persistent_workers=False, '
     "pin_memory_device='', in_order=True)"),
    ('nn.data.DataLoader([1, 2], batch_size=0)', ValueError,
     'DataLoader([1, 2], batch_size=0): batch_size must be a whole number, at least 1, not 0'),
    ('nn.data.TensorDataset(zeros(4, 3), zeros(5))', autograd.ShapeError,
     'the tensors of a TensorDataset must have one length, not [(4, 3), (5,)]'),
]


@pytest.mark.parametrize(("program", "kind", "message"), TABLE, ids=[program for program, *_ in TABLE])
@pytest.mark.filterwarnings("error")
def test_mistake_and_message(program, kind, message):
    with pytest.raises(kind) as info:
        exec(program, {**GIVEN, "x": zeros(2, 3), "w": tensor([1.0, 2.0, 3.0], requires_grad=True)})
    assert (type(info.value), str(info.value)) == (kind, message)


# Every operation, every function of nn.functional, every layer and optimizer, called wrongly

VALUES = {"q": 0.5, "reduce": "mean", "index": zeros(2, 2).long(), "indices": zeros(2).long(), "k": 1, "n": 1,
          "repeats": 2, "shape": (2, 2),
          "sizes": (1, 1), "split_size_or_sections": 1, "chunks": 1, "indices_or_sections": 1, "shifts": 1,
          "start": 0, "length": 1, "size": 1, "step": 1, "value": 1.0, "mask": zeros(2, 2).bool(), "dim": 0, "dims": 0,
          "dim0": 0, "dim1": 1, "source": 0, "destination": 1, "correction": 1, "equation": "ij->ji", "dimension": 0}
PUBLIC = {name for module in (autograd, linalg, special, nn, F, optim, optim.lr_scheduler, np, Tensor)
          for name in dir(module)}


def called(signature):
    """Arguments for what a function cannot do without."""
    needed = [p for p in signature.parameters.values() if p.default is p.empty]
    return ([VALUES.get(p.name, ones(2, 2)) for p in needed if p.kind is p.POSITIONAL_OR_KEYWORD]
            + [ones(2, 2) for p in needed if p.kind is p.VAR_POSITIONAL],
            {p.name: VALUES.get(p.name, 1) for p in needed if p.kind is p.KEYWORD_ONLY})


def check(error, name, *parts):
    text = str(error)
    assert text.startswith((f"{name}(", f"{name.rstrip('_')}(")), text
    for part in parts:
        assert part in text, text
    private = set(re.findall(r"(?<![\w.])_\w+", text))
    assert private <= {"__init__", "_random_samples", "_weight", "_freeze"}, text  # PyTorch calls them so
    functions = set(re.findall(r"(?<![\w'])([A-Za-z]\w*)\(", text.partition(". It is called")[0]))
    assert functions <= PUBLIC | {"called", "layers"}, functions - PUBLIC


OPERATIONS = sorted({call.operation.public: call for name, call in FUNCTIONS.items() if name in PUBLIC}.items())
FUNCTIONAL = sorted((name, f) for name, f in vars(F).items() if inspect.isfunction(f) and not name.startswith("_"))
LAYERS = sorted((name, cls) for name, cls in vars(nn).items() if isinstance(cls, type) and issubclass(cls, nn.Module)
                and name not in ("Module", "Identity"))
OPTIMIZERS = sorted((name, cls) for space in (optim, optim.lr_scheduler) for name, cls in vars(space).items()
                    if isinstance(cls, type) and issubclass(cls, (optim.Optimizer, optim.lr_scheduler.LRScheduler))
                    and name not in ("Optimizer", "LRScheduler", "FactorLR") and name[0] != "_")
ALL = [pytest.param(name, call, id=name) for name, call in [*OPERATIONS, *FUNCTIONAL, *LAYERS, *OPTIMIZERS]]


@pytest.mark.parametrize(("name", "call"), ALL)
def test_unknown_option(name, call):
    args, options = called(inspect.signature(call))
    if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(call).parameters.values()):
        pytest.skip("takes any option")
    with pytest.raises(TypeError) as info:
        call(*args, **options, bogus=7)
    check(info.value, name, "bogus")


@pytest.mark.parametrize(("name", "call"), ALL)
def test_missing_argument(name, call):
    needed = [p.name for p in inspect.signature(call).parameters.values()
              if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if needed:
        with pytest.raises(TypeError) as info:
            call()
        check(info.value, name, "input" if "'input'" in str(info.value) else needed[0])


@pytest.mark.parametrize(("name", "call", "dim"), [
    pytest.param(name, call, dim, id=f"{name}-{dim}") for name, call in OPERATIONS
    for dim in ("dim", "dims", "dim0", "dim1", "dim2", "start_dim", "axis", "dimension")
    if dim in inspect.signature(call).parameters and name != "tensordot"])  # it takes a number of axes, too
def test_axis_out_of_range(name, call, dim):
    args, options = called(inspect.signature(call))
    bound = inspect.signature(call).bind_partial(*args)
    if dim in bound.arguments:
        args[list(bound.arguments).index(dim)] = 7
    else:
        options[dim] = 7
    with pytest.raises(IndexError, match=r"dim=7 is out of range for a tensor with \d axes; it may be -\d") as info:
        call(*args, **options)
    check(info.value, name, "7")


@pytest.mark.parametrize(("name", "call"), [
    pytest.param(name, call, id=name) for name, call in OPERATIONS
    if call.operation.meeting == (0, 1) and not call.operation.options])
def test_shapes_that_do_not_broadcast(name, call):
    with pytest.raises(autograd.ShapeError) as info:
        call(ones(2, 3), ones(4))
    check(info.value, name, "float32[2, 3]", "float32[4]")
