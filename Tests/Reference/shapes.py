"""Cases of shapes, indices and matrices: `python3 Tests/Reference/shapes.py`."""

import torch

from cases import Cases, Uniform, Whole

suite = Cases("shapes")
real = Uniform(-2, 2)
axes = (1, 2, 3, 4)


def moving(name, *laws):
    """Cases whose first input has an axis to work along."""
    for case in suite.operation(name, *laws):
        shape = case.shape(ranks=axes, largest=7)
        yield case, shape, case.argument(axis=case.axis(shape))


def part(case, extent, name="range"):
    start = case.choices.randint(0, extent)
    end = case.choices.randint(start, extent)
    case.argument(**{name: [start, end]})
    return start, end


for case in suite.operation("reshaped", real):
    shape = case.shape(largest=7)
    x = case.draw(shape)
    factors = shape[:]
    case.choices.shuffle(factors)
    while len(factors) > 1 and case.choices.random() < 0.5:
        factors.append(factors.pop() * factors.pop())
    case.argument(shape=factors)
    case.expect(x.reshape(factors))

for case in suite.operation("broadcast", real):
    whole = case.shape(largest=7)
    shape = [extent if case.choices.random() < 0.6 else 1 for extent in whole]
    shape = shape[case.choices.randint(0, len(shape)) if 1 in shape[:1] else 0 :]
    case.argument(shape=whole)
    case.expect(case.draw(shape).broadcast_to(whole))

for case in suite.operation("permuted", real):
    shape = case.shape(ranks=(0, 1, 2, 3, 4, 5), largest=9)
    order = list(range(len(shape)))
    case.choices.shuffle(order)
    case.argument(order=order)
    case.expect(case.draw(shape).permute(order))

for case in suite.operation("transposed", real):
    case.expect(case.draw(case.shape(ranks=(2, 3))).transpose(-1, -2))

for case, shape, axis in moving("sliced", real):
    start, end = part(case, shape[axis])
    case.expect(case.draw(shape).narrow(axis, start, end - start))

for case in suite.operation("sliced several", real):
    shape = case.shape(ranks=axes, largest=7)
    x = case.draw(shape)
    bounds = [part(case, extent, f"range{axis}") for axis, extent in enumerate(shape)]
    bounds = bounds[: case.argument(count=case.choices.randint(0, len(shape)))]
    case.expect(x[tuple(slice(start, end) for start, end in bounds)])

for case, shape, axis in moving("padded", real):
    before, after = case.choice(before=[0, 1, 2, 5]), case.choice(after=[0, 1, 3])
    widths = [0, 0] * len(shape)
    place = 2 * (len(shape) - 1 - axis % len(shape))
    widths[place : place + 2] = before, after
    case.expect(torch.nn.functional.pad(case.draw(shape), widths))

for case, shape, axis in moving("concatenate", real, real, real):
    shapes = [shape[:] for _ in range(3)]
    for one in shapes:
        one[axis] = case.extent(largest=7)
    case.expect(torch.cat(case.draw(*shapes), axis))

for case in suite.operation("stack", real, real, real):
    shape = case.shape(ranks=(0, 1, 2, 3), largest=7)
    axis = case.argument(axis=case.axis(shape + [1]))
    case.expect(torch.stack(case.draw(shape, shape, shape), axis))

for case, shape, axis in moving("split", real):
    first = case.choices.randint(0, shape[axis])
    second = case.choices.randint(0, shape[axis] - first)
    sizes = case.argument(sizes=[first, second, shape[axis] - first - second])
    case.expect(*torch.split(case.draw(shape), sizes, axis))

for case, shape, axis in moving("replacing", real, real):
    start, end = part(case, shape[axis])
    values = shape[:]
    values[axis] = end - start
    x, replacement = case.draw(shape, values)
    index = torch.arange(start, end)
    case.expect(x.index_copy(axis, index, replacement))

for case, shape, axis in moving("flipped", real):
    case.expect(case.draw(shape).flip(axis))

for case, shape, axis in moving("rolled", real):
    places = case.argument(places=case.choices.randint(-12, 12))
    x = case.draw(shape)
    case.expect(torch.roll(x, places, axis) if x.numel() else x)

for case, shape, axis in moving("tiled", real):
    times = [1] * len(shape)
    times[axis] = case.choice(times=[0, 1, 2, 3, 5])
    case.expect(torch.tile(case.draw(shape), times))

for case, shape, axis in moving("repeated", real):
    times = case.choice(times=[0, 1, 2, 3, 5])
    case.expect(torch.repeat_interleave(case.draw(shape), times, axis))


def pointing(name, *laws):
    """Cases with indices of their own extent along one axis, in an input drawn from 0..<12."""
    for case, shape, axis in moving(name, *laws):
        shape[axis] = case.extent(smallest=1, largest=9)
        indices = shape[:]
        indices[axis] = case.extent(largest=9)
        yield case, shape, axis, indices


for case, shape, axis, indices in pointing("gathered", real, Whole(0, 63)):
    x, index = case.draw(shape, indices)
    case.expect(torch.gather(x, axis, index.long() % shape[axis]))

for case, shape, axis, indices in pointing("scatterAdded", real, Whole(0, 63), real):
    x, index, source = case.draw(shape, indices, indices)
    case.expect(torch.scatter_add(x, axis, index.long() % shape[axis], source))

for case in suite.operation("embedding", real, Whole(0, 63)):
    shape = [case.extent(smallest=1), *case.shape(ranks=(0, 1, 2), largest=9)]
    table, index = case.draw(shape, case.shape(ranks=(0, 1, 2), largest=9))
    case.expect(table[index.long() % shape[0]])

for case in suite.operation("oneHot", Whole(0, 63)):
    classes = case.argument(classes=case.extent(smallest=1))
    index = case.draw(case.shape(ranks=(0, 1, 2))).long() % classes
    case.expect(torch.nn.functional.one_hot(index, classes))


def matrices(name, *laws, largest=9):
    """Cases of one matrix or a batch of them."""
    for case in suite.operation(name, *laws):
        n = case.extent(largest=largest)
        yield case, case.shape(ranks=(0, 0, 1, 2), largest=3), n


for case, batch, n in matrices("logDeterminant", real, largest=17):
    sign, magnitude = torch.linalg.slogdet(case.draw([*batch, n, n]))
    case.expect(sign, magnitude)

for case, batch, n in matrices("inverse", real):
    case.expect(torch.linalg.inv(case.draw([*batch, n, n])))

for case, batch, n in matrices("solve", real, real):
    count = case.extent(largest=5)
    a, b = case.draw([*case.choices.choice((batch, [])), n, n], [*batch, n, count])
    case.expect(torch.linalg.solve(a, b))

for case, batch, n in matrices("solveTriangular", real, real):
    transposing = case.choice(transposing=[0, 1])
    a, b = case.draw([*batch, n, n], [*batch, n, case.extent(largest=5)])
    lower = torch.tril(a)
    matrix, is_upper = (lower.mT, True) if transposing else (lower, False)
    case.expect(torch.linalg.solve_triangular(matrix, b, upper=is_upper))

for case, batch, n in matrices("cholesky", real):
    a = case.draw([*batch, n, n])
    case.expect(torch.linalg.cholesky((a + a.mT) / 2 + (2 * n + 1) * torch.eye(n)))

for case, batch, n in matrices("luDecomposition", real):
    case.expect(*torch.linalg.lu(case.draw([*batch, n, n])))

for case, batch, n in matrices("singularValueDecomposition", real):
    a = case.draw([*batch, n, case.extent(largest=9)])
    case.expect(torch.linalg.svdvals(a), a)

for case, batch, n in matrices("symmetricEigenvectors", real):
    a = case.draw([*batch, n, n])
    symmetric = (a + a.mT) / 2
    case.expect(torch.linalg.eigvalsh(symmetric), symmetric)


def projected_gradients(case, function, inputs, directions):
    """For the gradient of the sum of squares with respect to each input, Σ g·d and Σ |g·d|."""
    inputs = [x.requires_grad_() for x in inputs]
    gradients = torch.autograd.grad(function(*inputs).square().sum(), inputs)
    products = [g * d for g, d in zip(gradients, directions)]
    case.expect(*(torch.stack([p.sum(), p.abs().sum()]) for p in products))


def positive(a):
    return torch.linalg.cholesky((a + a.mT) / 2 + (2 * a.shape[-1] + 1) * torch.eye(a.shape[-1]))


for name, function in [
    ("logDeterminant gradient", lambda a: torch.linalg.slogdet(a)[1]), ("inverse gradient", torch.linalg.inv),
    ("cholesky gradient", positive),
]:
    for case, batch, n in matrices(name, real, real):
        a, direction = case.draw([*batch, n, n], [*batch, n, n])
        projected_gradients(case, function, [a], [direction])

for case, batch, n in matrices("solve gradient", real, real, real, real):
    first, second = [*case.choices.choice((batch, [])), n, n], [*batch, n, case.extent(largest=5)]
    a, b, *directions = case.draw(first, second, first, second)
    projected_gradients(case, torch.linalg.solve, [a, b], directions)

for case, batch, n in matrices("solveTriangular gradient", real, real, real, real):
    transposing = case.choice(transposing=[0, 1])
    first, second = [*batch, n, n], [*batch, n, case.extent(largest=5)]
    a, b, *directions = case.draw(first, second, first, second)

    def solution(a, b):
        lower = torch.tril(a)
        return torch.linalg.solve_triangular(lower.mT if transposing else lower, b, upper=bool(transposing))

    projected_gradients(case, solution, [a, b], directions)

suite.write()
