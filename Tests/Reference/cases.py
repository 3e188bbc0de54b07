"""Random cases whose values the tensor library's tests compare with PyTorch's or NumPy's.

A script beside this one names operations and computes their values in double precision:

    suite = Cases("elementwise")
    for case in suite.operation("power", Uniform(0.1, 2), Uniform(-2, 2)):
        a, b = case.draw(*case.broadcasting_shapes())
        case.expect(torch.pow(a, b))
    suite.write()

It writes `elementwise.json`, which holds shapes and arguments, and `elementwise.f32`, which holds the expected values alone:
the inputs are drawn again by the test, from the same generator. `python3 Tests/Reference/elementwise.py` makes both anew.

Needs PyTorch: pip install torch
"""

import json
import pathlib
import random
from dataclasses import dataclass

import numpy
import torch

FOLDER = pathlib.Path(__file__).parent
EXTENTS = (0, 1, 1, 2, 3, 4, 5, 7, 9, 16, 17)


@dataclass
class Uniform:
    """Values between two bounds."""

    low: float
    high: float
    whole: bool = False


def Whole(low, high):
    """Whole numbers from `low` to below `high`: for ties, labels and indices."""
    return Uniform(low, high, True)


def splitmix(seed, count):
    """The first numbers of the library's own generator."""
    with numpy.errstate(over="ignore"):
        step = numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = numpy.uint64(seed) + step
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return z ^ (z >> numpy.uint64(31))


def drawn(law, seed, shape):
    """Values of a law in double precision, each one representable in single precision."""
    bits = splitmix(seed, int(numpy.prod(shape, dtype=int))) >> numpy.uint64(40)
    unit = bits.astype(numpy.float32) * numpy.float32(2.0**-24)
    low, high = numpy.float32(law.low), numpy.float32(law.high)
    values = unit * (high - low) + low
    if law.whole:
        values = numpy.floor(values)
    return torch.from_numpy(values.astype(numpy.float64).reshape(shape))


class Case:
    """One set of inputs, arguments and expected values of an operation."""

    def __init__(self, laws, seed, index):
        self.laws, self.seed, self.index = laws, seed, index
        self.choices = random.Random(seed)
        self.shapes, self.arguments, self.outputs = [], {}, []

    def extent(self, smallest=0, largest=17):
        return self.choices.choice([extent for extent in EXTENTS if smallest <= extent <= largest])

    def shape(self, ranks=(0, 1, 2, 3, 4), smallest=0, largest=9):
        return [self.extent(smallest, largest) for _ in range(self.choices.choice(ranks))]

    def broadcasting_shapes(self, smallest=0):
        """Two shapes of which either may be stretched."""
        whole = self.shape(smallest=smallest)
        shapes = []
        for _ in range(2):
            kept = [extent if self.choices.random() < 0.7 else 1 for extent in whole]
            shapes.append(kept[self.choices.choice((0, 0, 0, 1)) :] if kept else kept)
        return shapes

    def axis(self, shape):
        """An axis, counted from either end."""
        return self.choices.randrange(-len(shape), len(shape))

    def choice(self, **values):
        """An argument drawn from those given, recorded by its name: `case.choice(block=[1, 2, 3])`."""
        ((name, possible),) = values.items()
        return self.argument(**{name: self.choices.choice(possible)})

    def argument(self, **values):
        """Records an argument, a number or a list of whole numbers."""
        ((name, value),) = values.items()
        self.arguments[name] = value
        return value

    def draw(self, *shapes):
        """One input for each law of the operation; a single tensor for a single law."""
        self.shapes = [list(shape) for shape in shapes]
        tensors = [
            drawn(law, self.seed + number, shape) for number, (law, shape) in enumerate(zip(self.laws, shapes))
        ]
        return tensors[0] if len(tensors) == 1 else tensors

    def expect(self, *outputs):
        self.outputs = [torch.as_tensor(output).to(torch.float64) for output in outputs]


class Cases:
    def __init__(self, name):
        self.name, self.operations = name, []

    def operation(self, name, *laws, count=200):
        """The cases of one operation, to be filled in."""
        base = int.from_bytes(name.encode()[-6:], "little") << 13
        cases = [Case(laws, base + 16 * index, index) for index in range(count)]
        self.operations.append((name, laws, cases))
        return cases

    def write(self):
        listing, values = [], []
        for name, laws, cases in self.operations:
            listing.append(
                {
                    "operation": name,
                    "laws": [[law.low, law.high, int(law.whole)] for law in laws],
                    "cases": [
                        {
                            "seed": case.seed,
                            "shapes": case.shapes,
                            **({"arguments": listed(case.arguments)} if case.arguments else {}),
                            "outputs": [list(output.shape) for output in case.outputs],
                        }
                        for case in cases
                    ],
                }
            )
            values += [output.numpy().astype("<f4").ravel() for case in cases for output in case.outputs]
        lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in listing)
        (FOLDER / f"{self.name}.json").write_text(f"[{lines}]\n")
        (FOLDER / f"{self.name}.f32").write_bytes(numpy.concatenate(values).tobytes())
        print(f"{self.name}: {len(listing)} operations, {sum(map(len, values))} values")


def listed(arguments):
    """Each argument as a list of numbers."""
    return {name: value if isinstance(value, list) else [value] for name, value in arguments.items()}
