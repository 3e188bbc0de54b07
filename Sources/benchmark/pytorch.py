"""The benchmark's training steps in PyTorch; answers the commands described in Worker.swift.

Needs PyTorch: pip install torch
"""

import json
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class VAE(nn.Module):
    """784-400-20, binary images, batch 128."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 400)
        self.mean = nn.Linear(400, 20)
        self.logVariance = nn.Linear(400, 20)
        self.decoderHidden = nn.Linear(20, 400)
        self.logits = nn.Linear(400, 784)

    def loss(self, inputs, fixed=False):
        x = inputs["x"]
        h = F.relu(self.hidden(x))
        mean, log_variance = self.mean(h), self.logVariance(h)
        noise = inputs["noise"] if fixed else torch.randn_like(mean)
        z = mean + torch.exp(0.5 * log_variance) * noise
        logits = self.logits(F.relu(self.decoderHidden(z)))
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        divergence = -0.5 * torch.sum(1 + log_variance - mean**2 - log_variance.exp())
        return (reconstruction + divergence) / x.shape[0]


STEPS = {"vae": VAE}


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


def ours(module_name, tensor):
    """Our linear weights are [inputs, outputs], PyTorch's the other way round."""
    return tensor.t() if module_name.endswith("weight") and tensor.dim() == 2 else tensor


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    model = STEPS[name]()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused="--default-adam" not in sys.argv)
    inputs = {}
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "import":
            tensors = read(argument)
            with torch.no_grad():
                for key, parameter in model.named_parameters():
                    parameter.copy_(ours(key, tensors.pop(key)))
            inputs = tensors
            print("done", flush=True)
        elif command == "check":
            loss = model.loss(inputs, fixed=True)
            loss.backward()
            write(argument, {"loss": loss} | {key: ours(key, p.grad) for key, p in model.named_parameters()})
            print("done", flush=True)
        elif command == "run":
            times = []
            for _ in range(int(argument)):
                start = time.perf_counter()
                optimizer.zero_grad()
                loss = model.loss(inputs)
                loss.backward()
                optimizer.step()
                times.append((time.perf_counter() - start) * 1e3)
            print(*times, flush=True)
        elif command == "memory":
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)


if __name__ == "__main__":
    main()
