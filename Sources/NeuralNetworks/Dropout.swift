import Tensors

/// Values set to zero with the probability `rate`, the others divided by 1 − `rate` so that the mean stays: any shape.
///
/// Inside ``inference(_:)`` the identity. Srivastava, Hinton and others (2014), JMLR 15; `Dropout` in PyTorch.
public final class Dropout: Layer {
  /// The probability that a value is set to zero.
  public let rate: Float
  /// The random state, which checkpoints keep so that a run continues exactly: seed and gamma in 16-bit parts, `[8]`.
  @Untrained var generator: Tensor

  /// A layer with a generator of its own, split off `random`.
  public init(_ rate: Float, using random: inout Random) {
    guard rate >= 0, rate < 1 else { fail("Dropout", "needs a rate of 0 or more and below 1, not \(rate)") }
    self.rate = rate
    generator = random.split().parts
  }

  /// The values that remain; each call draws anew.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    if Inference.isOn { return x }
    var random = Random(parts: generator)
    defer { generator = random.parts }
    return dropout(x, rate: rate, using: &random)
  }
}

/// `x` with values set to zero with the probability `rate` and the others divided by 1 − `rate`; inside
/// ``inference(_:)``, `x`.
///
/// - Precondition: `rate` is 0 or more and below 1.
public func dropout(_ x: Tensor, rate: Float, using random: inout Random) -> Tensor {
  guard rate >= 0, rate < 1 else { fail("dropout", "needs a rate of 0 or more and below 1, not \(rate)") }
  guard !Inference.isOn, rate > 0 else { return x }
  return x * ((Tensor.uniform(x.shape, using: &random) .>= rate) * (1 / (1 - rate)))
}

extension Random {
  /// Seed and gamma in parts of 16 bits, which Float32 holds exactly: `[8]`.
  fileprivate var parts: Tensor {
    Tensor([seed, gamma].flatMap { word in (0..<4).map { Float(word >> (16 * $0) & 0xffff) } })
  }

  /// The generator in a state that was read before; what is no 16-bit number counts as 0.
  fileprivate init(parts: Tensor) {
    let words = parts.scalars.map { $0 >= 0 && $0 < 65536 ? UInt64($0) : 0 }
    func word(_ first: Int) -> UInt64 { (0..<4).reduce(0) { $0 | words[first + $1] << (16 * $1) } }
    self.init(seed: word(0), gamma: word(4))
  }
}
