"""The PyTorch side of the benchmark; answers the commands described in Worker.swift.

    worker.py NAME THREADS [--channels-last] [--compile] [--default-adam]

NAME is a training step of `models.py`, or `operation:` and a name of `operations.py`. Needs PyTorch: pip install torch
"""

import copy
import json
import resource
import sys
import time

import torch
import torch.nn as nn

from models import MODELS
from operations import Operation


def read(path):
    """A safetensors file of 32-bit floats."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            tensors[name] = torch.frombuffer(data[first:last], dtype=torch.float32).reshape(entry["shape"]).clone()
    return tensors


def write(path, tensors):
    header, blobs, end = {}, [], 0
    for name, tensor in tensors.items():
        blob = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [end, end + len(blob)]}
        blobs.append(blob)
        end += len(blob)
    head = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(head).to_bytes(8, "little") + head + b"".join(blobs))


# Our names of parameters where PyTorch's differ, and the order of axes that turns its layout into ours.
NAMES = {
    nn.BatchNorm2d: {"weight": "scale", "bias": "offset"},
    nn.LayerNorm: {"weight": "scale", "bias": "offset"},
    nn.LSTM: {"weight_ih_l0": "inputWeight", "weight_hh_l0": "recurrentWeight", "bias_ih_l0": "bias"},
    nn.Embedding: {"weight": "table"},
}
AXES = {nn.Linear: (1, 0), nn.Conv2d: (2, 3, 1, 0), nn.ConvTranspose2d: (2, 3, 0, 1), nn.LSTM: (1, 0)}


def parameters(model):
    """Each trained parameter: our name, PyTorch's cell, the order of axes."""
    for path, module in model.named_modules():
        for name, cell in module.named_parameters(recurse=False):
            if name == "bias_hh_l0":  # PyTorch keeps a second bias of the gates, which adds nothing
                nn.init.zeros_(cell)
                continue
            own = NAMES.get(type(module), {}).get(name, name)
            axes = AXES.get(type(module)) if cell.dim() > 1 else None
            yield ".".join(filter(None, (path, own))), cell, axes


class Training:
    """A training step, driven by the commands."""

    def __init__(self, name):
        self.model = MODELS[name]()

    def make(self, flags):
        self.channels_last = "--channels-last" in flags
        if self.channels_last:
            self.model.to(memory_format=torch.channels_last)
        if "--compile" in flags:
            self.model.compiled()
        fused = "--default-adam" not in flags
        self.model.make_optimizers(lambda cells: torch.optim.Adam(cells, lr=1e-3, fused=fused))

    def load(self, tensors):
        with torch.no_grad():
            for name, cell, axes in parameters(self.model):
                value = tensors.pop(name)
                cell.copy_(value.permute([axes.index(i) for i in range(len(axes))]) if axes else value)
        self.inputs = self.model.prepared(tensors, self.channels_last)

    def check(self):
        """The loss and gradients of the eager model in double precision, so that rounding is ours alone."""
        exact = copy.deepcopy(self.model).double()
        loss = type(exact).loss(exact, {k: v.double() if v.is_floating_point() else v for k, v in self.inputs.items()}, True)
        loss.backward()
        gradients = {n: cell.grad.permute(axes) if axes else cell.grad for n, cell, axes in parameters(exact)}
        return {"loss": loss.float()} | {name: gradient.float() for name, gradient in gradients.items()}

    def run(self):
        self.model.step(self.inputs)


class Single:
    """An operation, driven by the same commands."""

    def __init__(self, name):
        self.operation = Operation(name)

    def make(self, flags):
        self.channels_last = "--channels-last" in flags
        if "--compile" in flags:
            self.operation.compile()

    def load(self, tensors):
        self.operation.load(tensors, self.channels_last)

    def check(self):
        return {"result": self.operation.result()}

    def run(self):
        self.operation.run()


def main():
    name, threads, flags = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    torch.set_num_threads(threads)
    work = Single(name.removeprefix("operation:")) if name.startswith("operation:") else Training(name)
    work.make(flags)
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "import":
            work.load(read(argument))
            print("done", flush=True)
        elif command == "check":
            write(argument, work.check())
            print("done", flush=True)
        elif command == "run":
            times = []
            for _ in range(int(argument)):
                start = time.perf_counter()
                work.run()
                times.append((time.perf_counter() - start) * 1e3)
            print(*times, flush=True)
        elif command == "memory":
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)


if __name__ == "__main__":
    main()
