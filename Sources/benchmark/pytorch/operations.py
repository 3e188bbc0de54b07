"""The benchmark's single operations in PyTorch; names and inputs are those of `Operations.swift`."""

import torch
import torch.nn.functional as F

from models import images


def convolution(stride=1, padding=0, dilation=1, groups=1):
    def apply(x, weight, bias):
        if groups == "depthwise":
            weight, count = weight.permute(2, 0, 1)[:, None], weight.shape[2]
        else:
            weight, count = weight.permute(3, 2, 0, 1), groups
        return F.conv2d(x, weight, bias, stride, padding, dilation, count)

    return apply


def transposed(x, weight, bias):
    return F.conv_transpose2d(x, weight.permute(2, 3, 0, 1), bias, 2, 1)


def causal(x, weight, bias):
    """[batch, channels, time], two taps at a distance of 64."""
    return F.conv1d(F.pad(x, (64, 0)), weight.permute(2, 1, 0), bias, dilation=64)


def attention(*inputs):
    """Four heads, one after another in the last axis."""
    q, k, v = (x.unflatten(2, (4, 16)).transpose(1, 2) for x in inputs)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)


OPERATIONS = {
    "add": torch.add,
    "add a row": torch.add,
    "add a column": torch.add,
    "multiply": torch.mul,
    "divide": torch.div,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "gelu": F.gelu,
    "softplus": F.softplus,
    "sin": torch.sin,
    "sum": torch.sum,
    "sum of rows": lambda x: x.sum(1),
    "sum of columns": lambda x: x.sum(0),
    "sum of the middle": lambda x: x.sum(1),
    "mean": torch.mean,
    "variance": lambda x: x.var(1, unbiased=False),
    "max": lambda x: x.amax(1),
    "max of columns": lambda x: x.amax(0),
    "argmax": lambda x: x.argmax(1).float(),
    "argmax of columns": lambda x: x.argmax(0).float(),
    "logSumExp": lambda x: torch.logsumexp(x, 1),
    "cumulative sum": lambda x: torch.cumsum(x, 1),
    "softmax": lambda x: torch.softmax(x, 1),
    "layer norm": lambda x, scale, offset: F.layer_norm(x, x.shape[-1:], scale, offset),
    "transpose": lambda x: x.t().contiguous(),
    "swap heads": lambda x: x.permute(0, 2, 1, 3).contiguous(),
    "concatenate": lambda a, b: torch.cat([a, b], 1),
    "slice": lambda x: x[:, 100:900].contiguous(),
    "pad": lambda x: F.pad(x, (1, 1)),
    "repeat": lambda x: x.repeat_interleave(2, 1),
    "tile": lambda x: x.tile(2, 1),
    "flip": lambda x: x.flip(1),
    "roll": lambda x: x.roll(100, 1),
    "embedding": lambda table, index: F.embedding(index, table),
    "gather": lambda x, index: torch.gather(x, 1, index),
    "scatter-add": lambda x, values, index: x.scatter_add(1, index, values),
    "scatter-add to rows": lambda x, values, index: x.scatter_add(0, index, values),
    "sort": lambda x: torch.sort(x, 1).values,
    "matmul 512": torch.matmul,
    "matmul 128×784×400": torch.matmul,
    "matmul 32×288×12544": torch.matmul,
    "matmul of heads": lambda a, b: torch.matmul(a, b.transpose(-1, -2)),
    "attention": attention,
    "convolution 3×3, 32": convolution(padding=1),
    "convolution 3×3, 64": convolution(padding=1),
    "convolution 1×1, 64": convolution(),
    "convolution 5×5, 1 to 32": convolution(padding=2),
    "convolution 4×4 by 2": convolution(stride=2, padding=1),
    "depthwise 3×3": convolution(padding=1, groups="depthwise"),
    "transposed 4×4 by 2": transposed,
    "causal, dilated": causal,
    "bilinear to twice the size": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
    "average pool": lambda x: F.avg_pool2d(x, 2),
    "max pool": lambda x: F.max_pool2d(x, 2),
}


def reads_images(name):
    return any(part in name for part in ("convolution", "depthwise", "transposed", "bilinear", "pool"))


def prepared(name, inputs, channels_last):
    """Images and sequences with their channels where PyTorch wants them."""
    x = inputs[0]
    if reads_images(name):
        form = torch.channels_last if channels_last else torch.contiguous_format
        return [images(x).contiguous(memory_format=form)] + inputs[1:]
    if "causal" in name:
        return [x.transpose(1, 2).contiguous()] + inputs[1:]
    if name in ("embedding", "gather", "scatter-add", "scatter-add to rows"):
        return inputs[:-1] + [inputs[-1].long()]
    return inputs


class Operation:
    """One operation, or that and the gradients of its sum."""

    def __init__(self, name):
        self.differentiated = name.endswith(" ∇")
        self.name = name.removesuffix(" ∇")
        self.function = OPERATIONS[self.name]

    def load(self, tensors, channels_last):
        inputs = [tensors[key] for key in sorted(tensors)]
        self.inputs = prepared(self.name, inputs, channels_last)
        if self.differentiated:
            for x in self.inputs:
                x.requires_grad_(True)

    def compile(self):
        self.function = torch.compile(self.function)

    def result(self):
        """The value in our layout."""
        y = self.run()
        if reads_images(self.name):
            return y.permute(0, 2, 3, 1)
        return y.transpose(1, 2) if "causal" in self.name else y

    def run(self):
        if not self.differentiated:
            with torch.no_grad():
                return self.function(*self.inputs)
        y = self.function(*self.inputs)
        torch.autograd.grad(y, self.inputs, torch.ones_like(y))
        return y
