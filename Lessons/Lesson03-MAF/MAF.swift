import LessonKit

// The masked autoregressive flow of Papamakarios, Pavlakou & Murray (2017), arXiv 1705.07057, with the paper's names.

/// u = (x − μ) exp(−α), the direction that a density needs (equation 5), and ln |det ∂u/∂x| (equation 6).
///
/// All of `[batch, dimension]`; the log-determinant is `[batch]`, in nats. Since μᵢ and αᵢ depend on the coordinates
/// before i alone, the Jacobian is triangular.
func autoregressiveStep(_ x: Tensor, mu: Tensor, alpha: Tensor) -> (u: Tensor, logDeterminant: Tensor) {
  // BEGIN SOLUTION MAF.1
  let u = (x - mu) * exp(-alpha)
  return (u, -alpha.sum(axis: 1))
  // END SOLUTION
}

/// The network of a step: μᵢ and αᵢ for each coordinate from the ones before it (Germain 2015, arXiv 1502.03509).
///
/// Each unit has a degree, how many coordinates it may know; a connection within the network must not lower it, and one
/// into an output must raise it. In one dimension nothing may be known, and μ and α are constants.
final class MADE: Module {
  let dimension: Int
  let hidden: [MaskedLinear]
  let output: MaskedLinear

  init(dimension: Int, hidden widths: [Int], using random: inout Random) {
    self.dimension = dimension
    let inputs = Array(1...dimension)
    // 1 to dimension − 1 in turn: nothing may know the last coordinate.
    let inner = widths.map { width in (0..<width).map { dimension == 1 ? 0 : 1 + $0 % (dimension - 1) } }
    hidden = zip([inputs] + inner, inner).map { MaskedLinear(mask: mask(from: $0, to: $1, where: <=), using: &random) }
    // Zeros, so that every step begins as the identity.
    let last = mask(from: inner.last ?? inputs, to: inputs + inputs, where: <)
    output = MaskedLinear(mask: last, initialization: .zeros, using: &random)
  }

  /// μ and α: `[batch, dimension]` each.
  func callAsFunction(_ x: Tensor) -> (mu: Tensor, alpha: Tensor) {
    let h = hidden.reduce(x) { tanh($1($0)) }  // [batch, width]
    let parts = output(h).split(sizes: [dimension, dimension], axis: 1)
    return (parts[0], parts[1])
  }
}

/// 1 where a unit may feed one of the next layer, by their degrees, and 0 elsewhere: `[from, to]`.
func mask(from: [Int], to: [Int], where mayFeed: (Int, Int) -> Bool) -> Tensor {
  Tensor(from.map { low in to.map { high in mayFeed(low, high) ? 1 : 0 } })
}

/// The x that a step takes to `u`, one coordinate after the other: xᵢ = uᵢ exp(αᵢ) + μᵢ (equation 2), `[batch, dimension]`.
///
/// μᵢ and αᵢ need the x before i, so the network runs once for every coordinate.
func inverted(_ u: Tensor, through network: MADE) -> Tensor {
  // BEGIN SOLUTION MAF.2
  var x = Tensor.zeros(u.shape)
  for i in 0..<u.shape[1] {
    let (mu, alpha) = network(x)
    let next = u * exp(alpha) + mu  // right at i, where all that it reads is known
    x = x.replacing(i..<i + 1, axis: 1, with: next.sliced(i..<i + 1, axis: 1))
  }
  return x
  // END SOLUTION
}

/// Steps one after the other, each reading the coordinates in the reverse order of the one before (section 3.1).
final class MAF: Module {
  let steps: [MADE]

  init(dimension: Int, steps count: Int, hidden: [Int], using random: inout Random) {
    steps = (0..<count).map { _ in MADE(dimension: dimension, hidden: hidden, using: &random) }
  }

  /// A flow of steps that there are already.
  init(_ steps: [MADE]) { self.steps = steps }

  /// x → u through all steps, the coordinates reversed after each, with ln |det ∂u/∂x| of the whole: `[batch]`, nats.
  func callAsFunction(_ x: Tensor) -> (u: Tensor, logDeterminant: Tensor) {
    // BEGIN SOLUTION MAF.3
    var (u, total) = (x, Tensor.zeros([x.shape[0]]))
    for network in steps {
      let (mu, alpha) = network(u)
      let step = autoregressiveStep(u, mu: mu, alpha: alpha)
      u = step.u.flipped(axis: 1)
      total += step.logDeterminant
    }
    return (u, total)
    // END SOLUTION
  }

  /// The exact log p(x) by the change of variables (equation 3), u being standard normal: `[batch, dimension] → [batch]`, nats.
  func logProbability(of x: Tensor) -> Tensor {
    // BEGIN SOLUTION MAF.4
    let (u, logDeterminant) = self(x)
    return Normal.standard(u.shape).logProbability(of: u) + logDeterminant
    // END SOLUTION
  }

  /// u → x: the steps undone from the last to the first, `[batch, dimension]`.
  func inverse(_ u: Tensor) -> Tensor {
    steps.reversed().reduce(u) { inverted($0.flipped(axis: 1), through: $1) }
  }

  /// Independent samples, `[count, dimension]`; `dimension` runs of the network for each step.
  func samples(_ count: Int, using random: inout Random) -> Tensor {
    withoutGradients { inverse(.normal([count, steps[0].dimension], using: &random)) }
  }
}
