import LessonKit

/// MADE (Germain, Gregor, Murray & Larochelle 2015, arXiv 1502.03509), the model to beat.
///
/// One hidden layer, raster order, a softmax over the levels of each pixel, conditioned on the class.
final class MADE: ConditionalModel {
  let hidden, scores: MaskedLinear
  let condition: Embedding
  let dropout: Dropout
  let levels: Int

  init(
    pixels: Int, levels: Int, classes: Int, hidden width: Int, dropout rate: Float, using random: inout Random
  ) {
    self.levels = levels
    // A hidden unit of degree d reads pixels 1 … d and feeds the scores of pixels d + 1 and later (section 3).
    let degrees = Tensor((0..<width).map { Float(1 + $0 * (pixels - 1) / width) })
    let inputs = Tensor((0..<pixels).map { Float($0 + 1) }, shape: [pixels, 1])
    let outputs = Tensor((0..<pixels * levels).map { Float($0 / levels + 1) })
    hidden = MaskedLinear(mask: inputs .<= degrees, using: &random)
    scores = MaskedLinear(
      mask: degrees.reshaped(to: [width, 1]) .< outputs, initialization: .glorotUniform, using: &random)
    condition = Embedding(classes, width, initialization: .normal(standardDeviation: 0.1), using: &random)
    dropout = Dropout(rate, using: &random)
  }

  func pixelLogProbabilities(_ x: Tensor, _ labels: IndexTensor) -> Tensor {
    let h = dropout(relu(hidden(x.reshaped(to: [x.shape[0], -1])) + condition(labels)))  // [batch, hidden]
    let levelScores = scores(h).reshaped(to: Array(x.shape.dropLast()) + [levels])
    return categoricalLogLikelihood(levelScores, levelIndices(x, levels))
  }
}

/// A batch moved by up to one pixel along each axis, black coming in at the edge: `[batch, height, width, 1]`.
func moved(_ x: Tensor, using random: inout Random) -> Tensor {
  let (down, right) = (Int.random(in: 0...2, using: &random), Int.random(in: 0...2, using: &random))
  let wide = x.padded(before: 1, after: 1, axis: 1).padded(before: 1, after: 1, axis: 2)
  return wide.sliced([0..<x.shape[0], down..<down + x.shape[1], right..<right + x.shape[2]])
}
