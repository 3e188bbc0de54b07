import LessonKit

// PixelCNN (van den Oord, Kalchbrenner & Kavukcuoglu 2016, arXiv 1601.06759: "2016a" below) and its gated, conditional
// successor (van den Oord and others 2016, arXiv 1606.05328: "2016b"), for grey images.

/// `a` for the first layer, where the window's centre is the pixel to predict; `b` for those that follow.
enum MaskKind: CaseIterable { case a, b }

/// The one stack of 2016a, or one of the two of 2016b.
enum Stack: CaseIterable { case plain, vertical, horizontal }

/// Which places of a window a layer may read, 1 or 0 (2016a, section 3.4; 2016b, section 2.2 and figure 2).
///
/// - `plain`, `[size, size]`: the rows above, and in the centre's row what stands left of the centre.
/// - `vertical`, `[size, size]`: the rows above, whole.
/// - `horizontal`, `[1, size]`: what stands left of the centre.
///
/// Kind `b` adds the centre, to the vertical stack the centre's whole row. `size` is odd.
func mask(_ kind: MaskKind, _ stack: Stack, size: Int) -> Tensor {
  // BEGIN SOLUTION PixelCNN.1
  let (windowRows, centre) = (stack == .horizontal ? 1 : size, size / 2)
  let places = (0..<windowRows).map { row in
    (0..<size).map { column -> Float in
      let isLeft = stack != .vertical && column < centre
      let isCentre = kind == .b && (stack == .vertical || column == centre)
      return row < windowRows / 2 || (row == windowRows / 2 && (isLeft || isCentre)) ? 1 : 0
    }
  }
  return Tensor(places)  // [window rows, size]
  // END SOLUTION
}

/// The gated unit y = tanh(f + Vᵀ_f h) ⊙ σ(g + Vᵀ_g h) (2016b, equation 4).
///
/// - Parameters:
///   - features: what the convolution gave, `[batch, height, width, 2·channels]`: first the channels f, then the channels g.
///   - condition: Vᵀh in the same order, the same at each pixel, `[batch, 2·channels]`.
/// - Returns: `[batch, height, width, channels]`.
func gated(_ features: Tensor, condition: Tensor) -> Tensor {
  // BEGIN SOLUTION PixelCNN.2
  let (batch, width) = (condition.shape[0], condition.shape[1])
  let sum = features + condition.reshaped(to: [batch, 1, 1, width])
  return tanh(sum.sliced(0..<width / 2, axis: 3)) * sigmoid(sum.sliced(width / 2..<width, axis: 3))
  // END SOLUTION
}

/// A layer of both stacks (2016b, figure 2): the vertical one reads all rows above, the horizontal one what stands left, and
/// a link brings what the former saw to the latter.
final class GatedLayer: Module {
  let vertical, horizontal: MaskedConv2D
  let link, output: Linear
  let verticalCondition, horizontalCondition: Embedding
  let dropout: Dropout
  let isFirst: Bool
  let size: Int

  init(
    _ inputs: Int, _ channels: Int, _ kind: MaskKind, size: Int, classes: Int, dropout rate: Float,
    using random: inout Random
  ) {
    func convolution(_ stack: Stack, _ random: inout Random) -> MaskedConv2D {
      MaskedConv2D(
        inputs, 2 * channels, mask: mask(kind, stack, size: size), initialization: .glorotUniform, using: &random)
    }
    func condition(_ random: inout Random) -> Embedding {
      Embedding(classes, 2 * channels, initialization: .normal(standardDeviation: 0.1), using: &random)
    }
    (vertical, horizontal) = (convolution(.vertical, &random), convolution(.horizontal, &random))
    link = Linear(2 * channels, 2 * channels, initialization: .glorotUniform, using: &random)
    output = Linear(channels, channels, initialization: .glorotUniform, using: &random)
    (verticalCondition, horizontalCondition) = (condition(&random), condition(&random))
    dropout = Dropout(rate, using: &random)
    (isFirst, self.size) = (kind == .a, size)
  }

  /// What the vertical stack sees: `[batch, height, width, inputs] → [batch, height, width, 2·channels]`, or some of its rows.
  func above(_ v: Tensor, rows: Range<Int>? = nil) -> Tensor {
    let features = vertical(v)
    return rows.map { features.sliced($0, axis: 1) } ?? features
  }

  /// The vertical stack's input to the next layer: `[batch, height, width, 2·channels] → [batch, height, width, channels]`.
  func down(_ above: Tensor, _ labels: IndexTensor) -> Tensor {
    dropout(gated(above, condition: verticalCondition(labels)))
  }

  /// The horizontal stack's input to the next layer, `[batch, height, width, channels]`, or some of its columns.
  ///
  /// All layers but the first have a residual connection: the first must not pass on the pixel it stands on.
  func right(_ h: Tensor, above: Tensor, _ labels: IndexTensor, columns: Range<Int>? = nil) -> Tensor {
    func cut(_ x: Tensor) -> Tensor { columns.map { x.sliced($0, axis: 2) } ?? x }
    let features = cut(horizontal(h)) + link(above)  // [batch, height, width, 2·channels]
    let change = output(dropout(gated(features, condition: horizontalCondition(labels))))
    return isFirst ? change : cut(h) + change
  }
}

/// p(x|class) = Π p(xᵢ | x₁ … xᵢ₋₁, class), pixels in raster order, each a softmax over its levels.
final class PixelCNN: ConditionalModel {
  let layers: [GatedLayer]
  let head: Sequential
  let height, width, levels, classes: Int

  init(
    height: Int, width: Int, levels: Int, classes: Int, channels: Int, layers count: Int, firstSize: Int = 7,
    size: Int = 3, headWidth: Int? = nil, dropout rate: Float = 0, using random: inout Random
  ) {
    (self.height, self.width, self.levels, self.classes) = (height, width, levels, classes)
    var layers: [GatedLayer] = []
    for index in 0..<count {
      layers.append(
        GatedLayer(
          index == 0 ? 4 : channels, channels, index == 0 ? .a : .b, size: index == 0 ? firstSize : size,
          classes: classes, dropout: rate, using: &random))
    }
    self.layers = layers
    let headWidth = headWidth ?? 2 * channels
    head = Sequential {
      relu
      Linear(channels, headWidth, using: &random)
      relu
      Dropout(rate, using: &random)
      Linear(headWidth, levels, initialization: .glorotUniform, using: &random)
    }
  }

  /// The image in 0…1 beside planes of ones, which show where it ends, and of coordinates.
  func planes(_ x: Tensor) -> Tensor {
    let ones = Tensor.ones(x.shape)
    let rows = Tensor((0..<height).map { 2 * Float($0) / Float(height - 1) - 1 }, shape: [1, height, 1, 1])
    let columns = Tensor((0..<width).map { 2 * Float($0) / Float(width - 1) - 1 }, shape: [1, 1, width, 1])
    return concatenate([x, ones, ones * rows, ones * columns], axis: 3)
  }

  /// Scores of the levels of each pixel, `[batch, height, width, 1] → [batch, height, width, levels]`.
  func callAsFunction(_ x: Tensor, _ labels: IndexTensor) -> Tensor {
    var (v, h) = (planes(x), planes(x))
    for (index, layer) in layers.enumerated() {
      let above = layer.above(v)  // [batch, height, width, 2·channels]
      h = layer.right(h, above: above, labels)
      if index + 1 < layers.count { v = layer.down(above, labels) }
    }
    return head(h)
  }

  /// ln p(xᵢ | pixels before it, class), nats: `[batch, height, width, 1], [batch] → [batch, height, width]`.
  func pixelLogProbabilities(_ x: Tensor, _ labels: IndexTensor) -> Tensor {
    categoricalLogLikelihood(self(x, labels), levelIndices(x, levels))
  }
}

/// A model of p(x|class) that goes from pixel to pixel.
protocol ConditionalModel: Module {
  /// ln p(xᵢ | pixels before it, class), nats: `[batch, height, width, 1], [batch] → [batch, height, width]`.
  func pixelLogProbabilities(_ x: Tensor, _ labels: IndexTensor) -> Tensor
}

extension ConditionalModel {
  /// ln p(x, class), nats, from the classes' probabilities and all rows of the image or the first: `[batch, classes]`.
  ///
  /// The sum of p(x, class) over the classes is p(x), which needs no label.
  func logJoint(_ x: Tensor, prior: [Float], rows: Int? = nil) -> Tensor {
    let parts = prior.enumerated().map { label, probability in
      let labels = IndexTensor([Int32](repeating: Int32(label), count: x.shape[0]))
      let pixels = pixelLogProbabilities(x, labels).sliced(0..<(rows ?? x.shape[1]), axis: 1)
      return pixels.sum(axes: [1, 2]) + log(probability)
    }
    return stack(parts, axis: 1)
  }
}

/// The levels 0 … `levels` − 1 of pixels in 0…1: `[batch, height, width, 1] → [batch, height, width]`.
func levelIndices(_ x: Tensor, _ levels: Int) -> IndexTensor {
  IndexTensor(floor(x * Float(levels - 1) + 0.5)).reshaped(to: Array(x.shape.dropLast()))
}
