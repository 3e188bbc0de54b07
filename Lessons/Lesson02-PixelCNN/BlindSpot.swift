import LessonKit

/// The one stack of 2016a: a 7×7 window of kind A, then layers of kind B; it has a blind spot.
final class MaskedStack: Module {
  let first: MaskedConv2D
  let layers: [MaskedConv2D]
  let logits: Linear

  init(channels: Int, layers count: Int, firstSize: Int = 7, size: Int = 3, levels: Int, using random: inout Random) {
    first = MaskedConv2D(1, channels, mask: mask(.a, .plain, size: firstSize), using: &random)
    layers = (0..<count).map { _ in
      MaskedConv2D(channels, channels, mask: mask(.b, .plain, size: size), using: &random)
    }
    logits = Linear(channels, levels, using: &random)
  }

  /// Scores of the levels of each pixel, `[batch, height, width, 1] → [batch, height, width, levels]`.
  func callAsFunction(_ x: Tensor) -> Tensor { logits(layers.reduce(relu(first(x))) { relu($1($0)) }) }
}

/// The absolute gradient of one pixel's scores with respect to each pixel of random images, `[height, width]`: what it sees.
func receptiveField(
  row: Int, column: Int, height: Int, width: Int, using random: inout Random, of scores: (Tensor) -> Tensor
) -> Tensor {
  let x = Tensor.uniform([16, height, width, 1], using: &random)
  let slope = gradient(at: x) { x in
    let pixel = scores(x).sliced([0..<16, row..<row + 1, column..<column + 1])  // [16, 1, 1, levels]
    return (pixel * Tensor.normal(pixel.shape, using: &random)).sum()
  }
  return abs(slope).mean(axes: [0, 3])
}
