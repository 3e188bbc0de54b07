"""Cases of arithmetic, comparisons, elementary functions, activations, choices and reductions.

"NAME gradient" holds the gradients of Σ y² with respect to every input.
"""

import torch
import torch.nn.functional as F

from cases import Cases, Uniform, Whole

suite = Cases("elementwise")


def shape(case, smallest=0):
    """Small enough that two hundred cases fit in a few kilobytes, long enough to fill a vector."""
    ranks = case.choices.choice((0, 1, 1, 2, 3, 4))
    return case.shape((ranks,), smallest, {0: 17, 1: 17, 2: 17, 3: 5, 4: 3}[ranks])


def stretched(case, count):
    """Shapes that broadcast to one."""
    whole = shape(case)
    shapes = []
    for _ in range(count):
        kept = [extent if case.choices.random() < 0.7 else 1 for extent in whole]
        shapes.append(kept[case.choices.choice((0, 0, 0, 1)) :])
    return shapes


def folding(case, nonempty=False):
    """A shape, the axes to fold (recorded unless all) and whether they stay."""
    while True:
        extents = shape(case)
        axes = [axis for axis in range(len(extents)) if case.choices.random() < 0.5]
        if not nonempty or all(extents[axis] for axis in axes or range(len(extents))):
            break
    if axes:
        case.argument(axes=[axis - len(extents) if case.choices.random() < 0.3 else axis for axis in axes])
    return extents, axes or list(range(len(extents))), bool(case.choice(keeping=[0, 1]))


def add(name, laws, shapes, function, differentiable=True):
    """`shapes(case)` gives the shapes of the inputs and whatever else `function` needs."""
    names = [name, name + " gradient"] if differentiable else [name]
    for one in names:
        for case in suite.operation(one, *laws):
            extents, *rest = shapes(case)
            drawn = case.draw(*extents)
            inputs = drawn if isinstance(drawn, list) else [drawn]
            for x in inputs:
                x.requires_grad_(differentiable)
            y = function(*inputs, *rest)
            if one == name:
                case.expect(*(y if isinstance(y, tuple) else (y,)))
            else:
                found = torch.autograd.grad((y[0] if isinstance(y, tuple) else y).square().sum(), inputs, allow_unused=True)
                case.expect(*(torch.zeros_like(x) if g is None else g for g, x in zip(found, inputs)))
        for case in suite.operations[-1][2]:
            case.outputs = [output.detach() for output in case.outputs]


normal, above = Uniform(-3, 3), Uniform(0.05, 4)
ties = Whole(-2, 3)

for name, laws, function in [
    ("+", (normal, normal), torch.add),
    ("-", (normal, normal), torch.sub),
    ("*", (normal, normal), torch.mul),
    ("/", (normal, above), torch.div),
    ("power", (above, normal), torch.pow),
    ("minimum", (ties, ties), torch.minimum),
    ("maximum", (ties, ties), torch.maximum),
    ("maximum of reals", (normal, normal), torch.maximum),
]:
    add(name, laws, lambda case: (stretched(case, 2),), function)
for name, function in [
    (".<", torch.lt), (".<=", torch.le), (".>", torch.gt), (".>=", torch.ge), (".==", torch.eq), (".!=", torch.ne)
]:
    add(name, (ties, ties), lambda case: (stretched(case, 2),), function, False)
    add(name + " scalar", (ties,), lambda case: ([shape(case)], case.choice(scalar=[-1, 0, 1])), function, False)
add(
    "select", (Whole(0, 2), normal, normal), lambda case: (stretched(case, 3),),
    lambda mask, a, b: torch.where(mask != 0, a, b),
)

scalars = [-2.5, -1, 0.125, 3, 7.75]
for name, function in [
    ("+ scalar", lambda x, s: x + s), ("- scalar", lambda x, s: x - s), ("scalar -", lambda x, s: s - x),
    ("* scalar", lambda x, s: x * s), ("/ scalar", lambda x, s: x / s), ("scalar /", lambda x, s: s / x),
    ("scalar power", lambda x, s: x**s), ("leakyRelu", lambda x, s: F.leaky_relu(x, 0.125 + abs(s) / 16)),
    ("clamped", lambda x, s: x.clamp(min(s, 1), 1.5)),
]:
    law = above if name in ("scalar /", "scalar power") else normal
    add(name, (law,), lambda case: ([shape(case)], case.choice(scalar=scalars)), function)
add(
    "whole power", (Whole(-5, 6),), lambda case: ([shape(case)], case.choice(scalar=[0, 1, 2, 3, 4, 5])),
    lambda x, s: x**s,
)

for name, law, function in [
    ("negation", normal, torch.neg), ("exp", Uniform(-30, 30), torch.exp), ("expm1", Uniform(-2, 2), torch.expm1),
    ("log", Uniform(1e-3, 50), torch.log), ("log1p", Uniform(-0.95, 5), torch.log1p),
    ("sqrt", above, torch.sqrt), ("square", normal, torch.square), ("abs", normal, torch.abs),
    ("sin", Uniform(-30, 30), torch.sin), ("cos", Uniform(-30, 30), torch.cos), ("tanh", normal, torch.tanh),
    ("relu", normal, torch.relu), ("elu", normal, F.elu), ("gelu", Uniform(-6, 6), F.gelu), ("silu", Uniform(-20, 20), F.silu),
    ("sigmoid", Uniform(-20, 20), torch.sigmoid), ("logSigmoid", Uniform(-20, 20), F.logsigmoid),
    ("softplus", Uniform(-20, 20), lambda x: F.softplus(x, threshold=100)),
]:
    add(name, (law,), lambda case: ([shape(case)],), function)
for name, function in [("sign", torch.sign), ("floor", torch.floor)]:
    add(name, (ties if name == "sign" else normal,), lambda case: ([shape(case)],), function, False)


def likelihood(case):
    extents = shape(case)
    return ([extents, extents],)


add(
    "bernoulliLogLikelihood", (Uniform(0, 1), Uniform(-20, 20)), likelihood,
    lambda x, logits: -F.binary_cross_entropy_with_logits(logits, x, reduction="none"),
)


def reduction(function):
    """A function of one shape of axes and one of none, where PyTorch wants an axis."""

    def apply(x, axes, keeping):
        if x.dim() == 0:
            return function(x.reshape(1), [0], False)
        return function(x, axes, keeping)

    return apply


def product(x, axes, keeping):
    for axis in sorted(axes, reverse=True):
        x = x.prod(axis, keepdim=keeping)
    return x


for name, law, nonempty, function in [
    ("sum", normal, False, torch.sum), ("mean", normal, True, torch.mean),
    ("variance", normal, True, lambda x, axes, keeping: x.var(axes, unbiased=False, keepdim=keeping)),
    ("max", ties, True, torch.amax), ("min", ties, True, torch.amin), ("max of reals", normal, True, torch.amax),
    ("product", Uniform(-1.5, 1.5), False, product), ("product with zeros", Whole(-1, 3), False, product),
    ("logSumExp", Uniform(-30, 30), False, torch.logsumexp),
]:
    def shapes(case, nonempty=nonempty):
        extents, axes, keeping = folding(case, nonempty)
        return [extents], axes, keeping

    add(name, (law,), shapes, reduction(function))


def long(case):
    extents = [case.extent(1, 3), case.choices.randrange(500, 3000), case.extent(1, 3)]
    case.choices.shuffle(extents)
    return [extents], case.argument(axis=extents.index(max(extents)))


for name, law, function in [
    ("long sum", normal, torch.sum), ("long mean", normal, torch.mean),
    ("long variance", normal, lambda x, axis: x.var(axis, unbiased=False)), ("long max", normal, torch.amax),
    ("long logSumExp", normal, torch.logsumexp),
]:
    add(name, (law,), long, function, False)


def along(case):
    extents = case.shape((1, 2, 3), 1, 9)
    return [extents], case.argument(axis=case.axis(extents))


for name, law, function, differentiable in [
    ("argmax", ties, torch.argmax, False), ("argmin", ties, torch.argmin, False),
    ("cumulativeSum", normal, torch.cumsum, True),
    ("sorted", ties, lambda x, axis: tuple(x.sort(dim=axis, stable=True)), True),
]:
    add(name, (law,), along, function, differentiable)


def along_few(case):
    """Few or no values: an axis may be empty, but not one in which a largest value is looked for."""
    extents = case.shape((1, 2, 3), 0, 2)
    axis = case.argument(axis=case.axis(extents))
    if case.laws[0] is ties:
        extents[axis] = max(1, extents[axis])
    return [extents], axis


for name, law, function, differentiable in [
    ("few argmax", ties, torch.argmax, False), ("few argmin", ties, torch.argmin, False),
    ("few cumulativeSum", normal, torch.cumsum, True),
    ("few sorted", normal, lambda x, axis: tuple(x.sort(dim=axis, stable=True)), True),
]:
    add(name, (law,), along_few, function, differentiable)

suite.write()
