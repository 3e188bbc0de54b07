import LessonKit

/// One hidden layer of tanh units, whose parameters can be used by `Value` and by `Tensor` alike.
final class Classifier: Module {
  /// For each unit the weights of both inputs, a bias and the output's weight, and at last the output's bias: `[4 · units + 1]`.
  @Parameter var w: Tensor
  let units: Int

  init(units: Int, using random: inout Random) {
    self.units = units
    let scale = Tensor([1, 1, 1, 1 / Float(units).squareRoot()])
    let rows = Tensor.uniform([units, 4], in: -1..<1, using: &random) * scale
    w = concatenate([rows.reshaped(to: [4 * units]), .zeros([1])], axis: 0)
  }

  /// ln p(1|x) − ln p(0|x) with tensors: `[batch, 2] → [batch]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let rows = w.sliced(0..<4 * units, axis: 0).reshaped(to: [units, 4]).transposed()  // [4, units]
    let hidden = tanh(linear(x, rows.sliced(0..<2, axis: 0), rows.sliced(2..<3, axis: 0).reshaped(to: [units])))
    return (hidden * rows.sliced(3..<4, axis: 0)).sum(axis: 1) + w.sliced(4 * units..<4 * units + 1, axis: 0)
  }

  /// The same with values, for one point and for the parameters `w`.
  func callAsFunction(_ x: [Double], _ w: [Value]) -> Value {
    let x = x.map(Value.init)
    let terms = stride(from: 0, to: 4 * units, by: 4).map { at in
      w[at + 3] * tanh(sum([w[at] * x[0], w[at + 1] * x[1], w[at + 2]]))
    }
    return sum(terms + [w[4 * units]])
  }

  /// The parameters as variables, new ones each time.
  var values: [Value] { w.scalars.map { Value(Double($0)) } }
}

/// The mean of −ln p(label|x) = ln (1 + e^±logit) in nats, over points and labels 0 or 1.
func loss(_ model: Classifier, _ points: [[Double]], _ labels: [Double], _ w: [Value]) -> Value {
  let losses = zip(points, labels).map { log(Value(1) + exp((1 - 2 * $1) * model($0, w))) }
  return 1 / Double(points.count) * sum(losses)
}

/// The same with tensors: `[batch, 2]`, `[batch]`.
func loss(_ model: Classifier, _ x: Tensor, _ labels: Tensor) -> Tensor { softplus(model(x) * (1 - 2 * labels)).mean() }

/// The rows of `[count, 2]`.
func rows(_ x: Tensor) -> [[Double]] {
  let scalars = x.scalars.map(Double.init)
  return stride(from: 0, to: scalars.count, by: 2).map { [scalars[$0], scalars[$0 + 1]] }
}

extension TwoMoons {
  /// What the best classifier answers: the exact ln p(1|x) − ln p(0|x) of points, for noise of 0.1, `[count, 2] → [count]`.
  static func logOdds(of x: Tensor) -> Tensor {
    let upper = PlanarMixture([.curve(weight: 1) { SIMD2(cos(.pi * $0), sin(.pi * $0)) }], noise: 0.1)
    let lower = PlanarMixture([.curve(weight: 1) { SIMD2(1 - cos(.pi * $0), 0.5 - sin(.pi * $0)) }], noise: 0.1)
    return lower.logProbability(of: x) - upper.logProbability(of: x)
  }
}
