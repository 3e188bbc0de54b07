"""PyTorch's values of matrix products, softmax, layer normalisation, attention and recurrent networks.

    python3 Tests/Reference/sequences.py

Gradients are those of the sum of squares of the outputs.
"""

import torch
import torch.nn.functional as F
from cases import Cases, Uniform, Whole

unit = Uniform(-1, 1)
suite = Cases("sequences")


def with_gradients(case, inputs, function):
    """The outputs, then the gradients of the sum of their squares with respect to each input."""
    inputs = [x.requires_grad_() for x in inputs]
    outputs = function(*inputs)
    loss = sum((y**2).sum() for y in outputs)
    gradients = torch.autograd.grad(loss, inputs, allow_unused=True, materialize_grads=True)
    case.expect(*[y.detach() for y in outputs], *gradients)


for case in suite.operation("matmul", unit, unit):
    first, second = case.broadcasting_shapes()
    first, second = first[-2:], second[-2:]
    rows, depth, columns = case.extent(0, 17), case.extent(0, 17), case.extent(0, 17)
    one, other = case.choice(transposingFirst=[0, 1]), case.choice(transposingSecond=[0, 1])
    a, b = [rows, depth], [depth, columns]
    inputs = case.draw(first + (a[::-1] if one else a), second + (b[::-1] if other else b))
    with_gradients(
        case, inputs, lambda x, y: [(x.mT if one else x) @ (y.mT if other else y)])

for case in suite.operation("linear", unit, unit, unit):
    width, outputs = case.extent(0, 17), case.extent(0, 17)
    inputs = case.draw(case.shape(ranks=(0, 1, 2)) + [width], [width, outputs], [outputs])
    with_gradients(case, inputs, lambda x, w, b: [x @ w + b])

for name, function in (("softmax", F.softmax), ("logSoftmax", F.log_softmax)):
    for case in suite.operation(name, Uniform(-4, 4)):
        shape = case.shape(ranks=(1, 2, 3), largest=17)
        axis = case.argument(axis=case.axis(shape))
        with_gradients(case, [case.draw(shape)], lambda x: [function(x, dim=axis)])

for case in suite.operation("categoricalLogLikelihood", Uniform(-4, 4), Whole(0, 5)):
    shape = case.shape(ranks=(0, 1, 2))
    logits, labels = case.draw(shape + [case.choice(classes=[5, 7, 16, 17, 33])], shape)
    with_gradients(
        case, [logits], lambda x: [-F.cross_entropy(x.reshape(-1, x.shape[-1]), labels.long().reshape(-1), reduction="none").reshape(shape)])

for case in suite.operation("layerNormalized", Uniform(-2, 2), unit, unit):
    width = case.extent(1, 17)
    inputs = case.draw(case.shape(ranks=(0, 1, 2)) + [width], [width], [width])
    with_gradients(case, inputs, lambda x, s, o: [F.layer_norm(x, [width], s, o, eps=0.01)])

for case in suite.operation("attention", Uniform(-2, 2), Uniform(-2, 2), unit, Whole(0, 3)):
    leading, heads, depth, width = case.shape(ranks=(0, 1, 2), largest=3), case.choice(heads=[1, 2, 3]), case.extent(1, 9), case.extent(1, 9)
    kind = case.choice(kind=[0, 1, 2])  # everything, causal, masked
    time, longer = case.extent(0, 17), case.extent(0, 9)
    keys = time + longer if kind == 1 else case.extent(1, 17)
    q, k, v, m = case.draw(leading + [time, heads * depth], leading + [keys, heads * depth], leading + [keys, heads * width], [time, keys])
    mask = torch.ones(time, keys, dtype=torch.bool)
    if kind == 1:
        mask = mask.tril(keys - time)
    if kind == 2:
        mask = m > 0

    def split(x):
        return x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads).transpose(-2, -3)

    def attention(q, k, v):
        y = F.scaled_dot_product_attention(split(q), split(k), split(v), attn_mask=mask)
        # PyTorch 2.15 gives zeros for a query that sees nothing, as here.
        return [y.transpose(-2, -3).reshape(*leading, time, heads * width)]

    with_gradients(case, [q, k, v], attention)


def recurrent(case, gates):
    batch, time, width, hidden = case.extent(1, 5), case.extent(1, 7), case.extent(1, 7), case.extent(1, 17)
    return [batch, time, width], [batch, hidden], [width, gates * hidden], [hidden, gates * hidden], [gates * hidden]


def network(kind, weights):
    """PyTorch's module as a function of its weights; its second bias of an LSTM is zero."""
    module = kind(weights[0].shape[0], weights[1].shape[0], batch_first=True).double()
    values = dict(zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), weights[:2] + weights[2:]))
    values["weight_ih_l0"], values["weight_hh_l0"] = weights[0].mT, weights[1].mT
    values.setdefault("bias_hh_l0", torch.zeros_like(weights[2]))
    return lambda *inputs: torch.func.functional_call(module, values, inputs)


for case in suite.operation("lstm", unit, unit, unit, unit, unit, unit):
    x, state, *weights = recurrent(case, 4)

    def lstm(x, h, c, *weights):
        y, (h, c) = network(torch.nn.LSTM, list(weights))(x, (h[None], c[None]))
        return [y, h[0], c[0]]

    with_gradients(case, case.draw(x, state, state, *weights), lstm)

for case in suite.operation("gru", unit, unit, unit, unit, unit, unit):
    x, state, *weights = recurrent(case, 3)

    def gru(x, h, *weights):
        y, h = network(torch.nn.GRU, list(weights))(x, h[None])
        return [y, h[0]]

    with_gradients(case, case.draw(x, state, *weights, weights[-1]), gru)


def few(case, gates):
    batch, time, width, hidden = (case.choices.choice((0, 1, 2)) for _ in range(4))
    return [batch, time, width], [batch, hidden], [width, gates * hidden], [hidden, gates * hidden], [gates * hidden]


def joined(steps, hidden):
    return torch.stack(steps, 1) if steps else hidden.new_zeros(hidden.shape[0], 0, hidden.shape[1])


# PyTorch's modules refuse to have no time, no inputs or no hidden values: these are their definitions.
for case in suite.operation("few lstm", unit, unit, unit, unit, unit, unit):
    x, state, *weights = few(case, 4)

    def lstm(x, h, c, w, u, b):
        steps = []
        for t in range(x.shape[1]):
            i, f, g, o = (x[:, t] @ w + h @ u + b).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            steps.append(h)
        return [joined(steps, h), h, c]

    with_gradients(case, case.draw(x, state, state, *weights), lstm)

for case in suite.operation("few gru", unit, unit, unit, unit, unit, unit):
    x, state, *weights = few(case, 3)

    def gru(x, h, w, u, b, d):
        steps = []
        for t in range(x.shape[1]):
            (r, z, n), (p, q, m) = (x[:, t] @ w + b).chunk(3, 1), (h @ u + d).chunk(3, 1)
            z = torch.sigmoid(z + q)
            h = (1 - z) * torch.tanh(n + torch.sigmoid(r + p) * m) + z * h
            steps.append(h)
        return [joined(steps, h), h]

    with_gradients(case, case.draw(x, state, *weights, weights[-1]), gru)

suite.write()
