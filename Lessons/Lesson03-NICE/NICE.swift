import LessonKit

// NICE, non-linear independent components estimation: Dinh, Krueger & Bengio (2014), arXiv 1410.8516, with the paper's names.

/// From data to hidden variables, or back.
enum Direction { case forward, inverse }

/// An additive coupling (equations 9 to 11): where `mask` is 0, m of the places where it is 1 is added; those stay.
///
/// x, and what `m` reads and gives, are `[batch, dimension]`; `mask` is `[dimension]`. `m` is given zeros for the places that change.
func coupled(_ x: Tensor, mask: Tensor, _ direction: Direction, by m: (Tensor) -> Tensor) -> Tensor {
  // BEGIN SOLUTION NICE.1
  let shift = (1 - mask) * m(mask * x)
  return direction == .forward ? x + shift : x - shift
  // END SOLUTION
}

/// A coupling whose m is a network; it begins as the identity.
final class AdditiveCoupling: Module {
  /// 1 where values stay, `[dimension]`.
  let mask: Tensor
  let m: Sequential

  /// A coupling in which the even places stay or else the odd ones (section 5.1); either may be empty.
  init(dimension: Int, hidden: [Int], keepsEven: Bool, dropout: Float, using random: inout Random) {
    mask = Tensor((0..<dimension).map { $0.isMultiple(of: 2) == keepsEven ? 1 : 0 })
    var layers: [any Layer] = []
    for (inputs, outputs) in zip([dimension] + hidden, hidden) {
      layers += [Linear(inputs, outputs, using: &random), Function(silu)]
      if dropout > 0 { layers.append(Dropout(dropout, using: &random)) }
    }
    layers.append(Linear(hidden.last ?? dimension, dimension, initialization: .zeros, using: &random))
    m = Sequential(layers)
  }

  func callAsFunction(_ x: Tensor, _ direction: Direction) -> Tensor { coupled(x, mask: mask, direction) { m($0) } }
}

/// The law of the hidden variables, which are independent of each other (section 3.4).
enum Prior {
  case logistic, gaussian

  func law(_ shape: [Int]) -> any Distribution {
    self == .logistic ? Logistic.standard(shape) : Normal.standard(shape)
  }
}

/// Couplings that take turns, then a scale for each hidden variable: h = exp(s) ⊙ f(x) (section 3.3).
final class NICE: Module {
  /// The units of the data, fixed before training, `[dimension]` each: couplings see (x − centre) / unit.
  let centre, unit: Tensor
  let couplings: [AdditiveCoupling]
  /// `[dimension]`.
  @Parameter var s: Tensor
  let prior: Prior

  init(
    centre: Tensor, unit: Tensor, couplings count: Int, hidden: [Int], prior: Prior = .logistic, dropout: Float = 0,
    using random: inout Random
  ) {
    let dimension = unit.count
    (self.centre, self.unit, self.prior) = (centre, unit, prior)
    couplings = (0..<count).map { place in
      AdditiveCoupling(
        dimension: dimension, hidden: hidden, keepsEven: place.isMultiple(of: 2), dropout: dropout, using: &random)
    }
    s = .zeros([dimension])
  }

  /// x → h, `[batch, dimension]`.
  func encode(_ x: Tensor) -> Tensor { exp(s) * couplings.reduce((x - centre) / unit) { $1($0, .forward) } }

  /// h → x, the exact inverse.
  func decode(_ h: Tensor) -> Tensor { couplings.reversed().reduce(exp(-s) * h) { $1($0, .inverse) } * unit + centre }

  /// log p(x) = Σᵢ log p(hᵢ) + log|det ∂h/∂x| (equation 2) in nats, `[batch]`.
  ///
  /// An additive coupling has determinant 1; the scales and the units have not.
  func logProbability(of x: Tensor) -> Tensor {
    // BEGIN SOLUTION NICE.2
    let h = encode(x)  // [batch, dimension]
    return prior.law(h.shape).logProbability(of: h) + (s - log(unit)).sum()
    // END SOLUTION
  }

  func samples(_ count: Int, using random: inout Random) -> Tensor {
    decode(prior.law([count, unit.count]).sample(using: &random))
  }
}

/// One step of inpainting (section 5.2): where `hidden` is 1, x climbs log p(x) with a little noise and stays within 0…1.
///
/// x + rate ⊙ (∂log p(x)/∂x + noise) there; the other places stay. x and noise are `[batch, dimension]`, hidden and rate `[dimension]`.
func inpainted(
  _ x: Tensor, hidden: Tensor, rate: Tensor, noise: Tensor, logProbability: (Tensor) -> Tensor
) -> Tensor {
  // BEGIN SOLUTION NICE.4
  let slope = gradient(at: x) { logProbability($0).sum() }
  return select(hidden, (x + rate * (slope + noise)).clamped(to: 0...1), x)
  // END SOLUTION
}
