import LessonKit

// The inverse autoregressive flow of Kingma, Salimans, Jozefowicz, Chen, Sutskever & Welling (2016), arXiv 1606.04934, with the
// paper's names: each step takes z to μ + σ ⊙ z.

/// The next z, μ + σ ⊙ z (equation 10), and ln |det ∂next/∂z| (equation 11).
///
/// All of `[batch, dimension]`; the log-determinant is `[batch]`, in nats. μᵢ and σᵢ depend on the coordinates of z before i
/// alone, so the Jacobian is triangular, and since z is known, all of them come from one run of the network.
func inverseAutoregressiveStep(_ z: Tensor, mu: Tensor, logSigma: Tensor) -> (z: Tensor, logDeterminant: Tensor) {
  // BEGIN SOLUTION IAF.1
  let next = mu + exp(logSigma) * z
  return (next, logSigma.sum(axis: 1))
  // END SOLUTION
}

/// The network of a step: μᵢ and ln σᵢ for each coordinate from the ones before it (Germain 2015, arXiv 1502.03509).
///
/// Each unit has a degree, how many coordinates it may know; a connection within the network must not lower it, and one
/// into an output must raise it. In one dimension nothing may be known, and μ and σ are constants.
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

  /// μ and ln σ: `[batch, dimension]` each.
  ///
  /// ln σ stays within ±1.5. A single-precision z has seven digits, and those that one step squeezes out the inverse cannot
  /// bring back.
  func callAsFunction(_ z: Tensor) -> (mu: Tensor, logSigma: Tensor) {
    let h = hidden.reduce(z) { tanh($1($0)) }  // [batch, width]
    let parts = output(h).split(sizes: [dimension, dimension], axis: 1)
    return (parts[0], tanh(parts[1] / 1.5) * 1.5)
  }
}

/// 1 where a unit may feed one of the next layer, by their degrees, and 0 elsewhere: `[from, to]`.
func mask(from: [Int], to: [Int], where mayFeed: (Int, Int) -> Bool) -> Tensor {
  Tensor(from.map { low in to.map { high in mayFeed(low, high) ? 1 : 0 } })
}

/// Steps one after the other, the coordinates reversed after each (section 5), from standard normal noise ε to x.
final class IAF: Module {
  let steps: [MADE]

  init(dimension: Int, steps count: Int, hidden: [Int], using random: inout Random) {
    steps = (0..<count).map { _ in MADE(dimension: dimension, hidden: hidden, using: &random) }
  }

  /// A flow of steps that there are already.
  init(_ steps: [MADE]) { self.steps = steps }

  /// ε → x with ln |det ∂x/∂ε|: one run of each network, `[batch, dimension]` and `[batch]`, nats.
  func callAsFunction(_ noise: Tensor) -> (x: Tensor, logDeterminant: Tensor) {
    var (z, total) = (noise, Tensor.zeros([noise.shape[0]]))
    for made in steps {
      let (mu, logSigma) = made(z)
      let (next, stretching) = inverseAutoregressiveStep(z, mu: mu, logSigma: logSigma)
      z = next.flipped(axis: 1)
      total += stretching
    }
    return (z, total)
  }

  /// The sample x that `noise` becomes, and its own exact log q(x) at no further cost (equation 12): `[batch]`, nats.
  func sample(_ noise: Tensor) -> (x: Tensor, logQ: Tensor) {
    // BEGIN SOLUTION IAF.2
    let (x, logDeterminant) = self(noise)
    return (x, Normal.standard(noise.shape).logProbability(of: noise) - logDeterminant)
    // END SOLUTION
  }

  /// log q at points that are given, `[batch, dimension] → [batch]`, nats: their noise must be found first, the slow way.
  func logProbability(of x: Tensor) -> Tensor { sample(MAF(of: self).sample(x)).logQ }
}

/// E_q[log q(x) − β log p̃(x)] over the samples that `noise` becomes, one number, in nats: what training minimises.
///
/// At β = 1 it is KL(q‖p) − ln Z and never below −ln Z. `target` gives log p̃, `[batch, dimension] → [batch]`.
func reverseDivergence(_ flow: IAF, from target: (Tensor) -> Tensor, beta: Float, noise: Tensor) -> Tensor {
  // BEGIN SOLUTION IAF.3
  let (x, logQ) = flow.sample(noise)
  return (logQ - target(x) * beta).mean()
  // END SOLUTION
}

/// The mean of w log q(x) over the samples that `noise` becomes, held where they are, with w = log q(x) − β log p̃(x) less its
/// mean: one number, whose gradient alone has a meaning.
///
/// It is the score-function gradient (Williams 1992), with the same expectation as that of
/// ``reverseDivergence(_:from:beta:noise:)`` where no w passes ±`limit`. It needs log q at given points: the slow way.
func scoreSurrogate(
  _ flow: IAF, from target: (Tensor) -> Tensor, beta: Float, noise: Tensor, limit: Float = 5
) -> Tensor {
  let x = withoutGradients { flow(noise).x }
  let density = flow.logProbability(of: x)
  let excess = (density - target(x) * beta).detached()
  return ((excess - excess.mean()).clamped(to: -limit...limit) * density).mean()
}

/// By how much −log p̃(x) is above 30 nats, on average over the samples that `noise` becomes: one number.
///
/// It is 0, and so is its gradient, unless samples are lost far away from all that the target makes likely.
func stragglers(_ flow: IAF, from target: (Tensor) -> Tensor, noise: Tensor) -> Tensor {
  relu(-target(flow(noise).x) - 30).mean()
}

/// The z that a step takes to `next`, one coordinate after the other: zᵢ = (nextᵢ − μᵢ)/σᵢ, `[batch, dimension]`.
///
/// μᵢ and σᵢ need the z before i, so the network runs once for every coordinate.
func inverted(_ next: Tensor, through network: MADE) -> Tensor {
  // BEGIN SOLUTION IAF.4
  var z = Tensor.zeros(next.shape)
  for i in 0..<next.shape[1] {
    let (mu, logSigma) = network(z)
    let all = (next - mu) * exp(-logSigma)  // right at i, where all that it reads is known
    z = z.replacing(i..<i + 1, axis: 1, with: all.sliced(i..<i + 1, axis: 1))
  }
  return z
  // END SOLUTION
}

/// The same networks read as a masked autoregressive flow (Papamakarios 2017, arXiv 1705.07057, section 3.3).
///
/// A MAF computes u = (x − μ′) exp(−α′) from data x; with α′ = −ln σ and μ′ = −μ/σ that is σ ⊙ x + μ, the step of the IAF.
final class MAF: Module {
  let steps: [MADE]

  init(of flow: IAF) { steps = flow.steps }

  /// The MAF's density at given points, one run of each network: `[batch, dimension] → [batch]`, nats.
  func logProbability(of x: Tensor) -> Tensor {
    let (u, stretching) = IAF(steps)(x)
    return stretching + Normal.standard(u.shape).logProbability(of: u)
  }

  /// The sample that `u` becomes, `[batch, dimension]`, by a run of each network for every coordinate; it undoes the IAF.
  func sample(_ u: Tensor) -> Tensor { steps.reversed().reduce(u) { inverted($0.flipped(axis: 1), through: $1) } }
}
