"""Random cases of convolutions, pooling and resizing: values, and gradients of half the sum of their squares.

Images are `[batch, height, width, channels]` here as in the library; PyTorch wants channels second.
"""

import torch
import torch.nn.functional as F

from cases import Cases, Uniform

VALUES = Uniform(-1, 1)
CHANNELS = (1, 1, 2, 3, 5, 5, 17)


def with_gradients(function, *inputs):
    """The values of a function and the gradients of half the sum of their squares."""
    inputs = [tensor.requires_grad_() for tensor in inputs]
    values = function(*inputs)
    return [values.detach(), *torch.autograd.grad(values.square().sum() / 2, inputs)]


def first(x):
    """Channels second, for PyTorch."""
    return x.movedim(-1, 1).contiguous()


def last(x):
    return x.movedim(1, -1)


def draw_convolution(case, axes, laws=3):
    """Geometry and inputs of a convolution whose kernel fits."""
    stride, dilation = case.choice(stride=[1, 1, 2, 3]), case.choice(dilation=[1, 1, 2])
    padding = case.choice(padding=[0, 1, 2])
    kernel = [case.choices.choice((1, 2, 3, 4)) for _ in range(axes)]
    image = [max(1, dilation * (k - 1) + 1 - 2 * padding) + case.choices.choice((0, 0, 1, 3)) for k in kernel]
    batch = case.choices.choice((0, 1, 1, 2))
    return batch, image, kernel, case.choices.choice(CHANNELS), case.choices.choice(CHANNELS)


suite = Cases("convolutions")

for case in suite.operation("convolution2D", VALUES, VALUES, VALUES):
    batch, image, kernel, channels, results = draw_convolution(case, 2)
    x, w, b = case.draw([batch, *image, channels], [*kernel, channels, results], [results])
    s, p, d = (case.arguments[name] for name in ("stride", "padding", "dilation"))
    case.expect(*with_gradients(lambda x, w, b: last(F.conv2d(first(x), w.permute(3, 2, 0, 1).contiguous(), b, s, p, d)), x, w, b))

for case in suite.operation("maskedConvolution2D", VALUES, VALUES, Uniform(0, 2, whole=True)):
    batch, image, kernel, channels, results = draw_convolution(case, 2)
    fine = case.choice(fine=[0, 1])
    x, w, m = case.draw([batch, *image, channels], [*kernel, channels, results], kernel + [channels, results] * fine)
    whole = m if fine else m[..., None, None]
    s, p, d = (case.arguments[name] for name in ("stride", "padding", "dilation"))
    case.expect(
        *with_gradients(lambda x, w: last(F.conv2d(first(x), (w * whole).permute(3, 2, 0, 1).contiguous(), None, s, p, d)), x, w)
    )

for case in suite.operation("depthwiseConvolution2D", VALUES, VALUES, VALUES):
    batch, image, kernel, channels, _ = draw_convolution(case, 2)
    x, w, b = case.draw([batch, *image, channels], [*kernel, channels], [channels])
    s, p, d = (case.arguments[name] for name in ("stride", "padding", "dilation"))
    case.expect(
        *with_gradients(
            lambda x, w, b: last(F.conv2d(first(x), w.movedim(-1, 0)[:, None], b, s, p, d, channels)), x, w, b
        )
    )

for case in suite.operation("convolution1D", VALUES, VALUES, VALUES):
    batch, image, kernel, channels, results = draw_convolution(case, 1)
    causal = case.choice(causal=[0, 1])
    x, w, b = case.draw([batch, *image, channels], [*kernel, channels, results], [results])
    s, p, d = (case.arguments[name] for name in ("stride", "padding", "dilation"))
    zeros = ((kernel[0] - 1) * d, 0) if causal else (p, p)
    case.expect(
        *with_gradients(lambda x, w, b: last(F.conv1d(F.pad(first(x), zeros), w.permute(2, 1, 0).contiguous(), b, s, 0, d)), x, w, b)
    )

for case in suite.operation("transposedConvolution2D", VALUES, VALUES, VALUES):
    stride, padding = case.choice(stride=[1, 2, 3]), case.choice(padding=[0, 1])
    more = case.argument(outputPadding=case.choices.randrange(stride))
    kernel = [case.choices.choice((2, 3, 4)) for _ in range(2)]
    image = [case.choices.choice((2, 3, 5)) for _ in range(2)]
    batch, channels, results = case.choices.choice((1, 1, 2)), case.choices.choice(CHANNELS), case.choices.choice(CHANNELS)
    x, w, b = case.draw([batch, *image, channels], [*kernel, channels, results], [results])
    case.expect(
        *with_gradients(
            lambda x, w, b: last(F.conv_transpose2d(first(x), w.permute(2, 3, 0, 1).contiguous(), b, stride, padding, more)), x, w, b
        )
    )

for name, function in (("averagePool2D", F.avg_pool2d), ("maxPool2D", F.max_pool2d)):
    # Whole numbers, so that there are ties.
    for case in suite.operation(name, Uniform(-4, 4, whole=True)):
        size, stride = case.choice(size=[1, 2, 3]), case.choice(stride=[1, 2, 3])
        image = [size + case.choices.choice((0, 1, 2, 5)) for _ in range(2)]
        x = case.draw([case.choices.choice((1, 2)), *image, case.choices.choice(CHANNELS)])
        case.expect(*with_gradients(lambda x: last(function(first(x), size, stride)), x))

for name, mode in (("resizedNearest", {}), ("resizedBilinear", {"mode": "bilinear", "align_corners": False})):
    for case in suite.operation(name, VALUES):
        height, width = case.choice(height=[1, 2, 3, 5, 8, 12]), case.choice(width=[1, 2, 3, 4, 7, 16])
        shape = [case.choices.choice((1, 2)), case.extent(1, 9), case.extent(1, 9), case.choices.choice((1, 2, 3, 17))]
        x = case.draw(shape)
        case.expect(*with_gradients(lambda x: last(F.interpolate(first(x), (height, width), **mode)), x))

# PyTorch's order of channels differs: there a channel's pixels are neighbours.
for case in suite.operation("spaceToDepth", VALUES):
    block, channels = case.choice(block=[1, 2, 3]), case.choices.choice((1, 2, 3))
    x = case.draw([case.extent(1, 2), block * case.extent(1, 4), block * case.extent(1, 4), channels])
    deep = last(F.pixel_unshuffle(first(x), block))
    case.expect(deep.unflatten(-1, (channels, block * block)).transpose(-1, -2).flatten(-2))

for case in suite.operation("depthToSpace", VALUES):
    block, channels = case.choice(block=[1, 2, 3]), case.choices.choice((1, 2, 3))
    x = case.draw([case.extent(1, 2), case.extent(1, 4), case.extent(1, 4), block * block * channels])
    case.expect(last(F.pixel_shuffle(first(x.unflatten(-1, (block * block, channels)).transpose(-1, -2).flatten(-2)), block)))


# No images, no channels, or single pixels.
for case in suite.operation("few convolution2D", VALUES, VALUES, VALUES):
    stride, dilation, padding = case.choice(stride=[1, 2]), case.choice(dilation=[1, 2]), case.choice(padding=[0, 1])
    batch, channels, results = (case.choices.choice((0, 1, 2)) for _ in range(3))
    kernel = [case.choices.choice((1, 2)) for _ in range(2)]
    image = [max(1, dilation * (k - 1) + 1 - 2 * padding) for k in kernel]
    extents = [(i + 2 * padding - dilation * (k - 1) - 1) // stride + 1 for i, k in zip(image, kernel)]
    x, w, b = case.draw([batch, *image, channels], [*kernel, channels, results], [results])
    if batch and channels and results:
        case.expect(*with_gradients(lambda x, w, b: last(F.conv2d(first(x), w.permute(3, 2, 0, 1).contiguous(), b, stride, padding, dilation)), x, w, b))
    else:
        y = b.broadcast_to([batch, *extents, results])
        case.expect(y, torch.zeros_like(x), torch.zeros_like(w), y.sum((0, 1, 2)))

for name, function in (("few averagePool2D", F.avg_pool2d), ("few maxPool2D", F.max_pool2d)):
    for case in suite.operation(name, VALUES):
        size, stride = case.choice(size=[1, 2]), case.choice(stride=[1, 2])
        image = [size + case.choices.choice((0, 1)) for _ in range(2)]
        x = case.draw([case.choices.choice((0, 1)), *image, case.choices.choice((1, 2))])
        case.expect(*with_gradients(lambda x: last(function(first(x), size, stride)), x))

for name, mode in (("few resizedNearest", {}), ("few resizedBilinear", {"mode": "bilinear", "align_corners": False})):
    for case in suite.operation(name, VALUES):
        height, width = case.choice(height=[1, 2, 3]), case.choice(width=[1, 2, 3])
        x = case.draw([case.choices.choice((0, 1)), case.extent(1, 2), case.extent(1, 2), case.choices.choice((1, 2))])
        case.expect(*with_gradients(lambda x: last(F.interpolate(first(x), (height, width), **mode)), x))

suite.write()
