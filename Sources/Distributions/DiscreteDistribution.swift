import Tensors

/// A law whose components each take one of finitely many numbered values, 0 ..< ``classes``.
public protocol DiscreteDistribution: ProbabilityDistribution where Value == IndexTensor {
  /// How many values each component may take.
  var classes: Int { get }
  /// ln p of every value of each component, in nats, `[batch, …, classes]`.
  var logProbabilities: Tensor { get }
}

extension DiscreteDistribution {
  /// p of every value of each component, `[batch, …, classes]`.
  public var probabilities: Tensor { exp(logProbabilities) }

  /// −Σ p ln p, summed over the event: the entropy in nats, `[batch]`; values without probability add nothing.
  public var entropy: Tensor {
    let logs = logProbabilities
    return -(exp(logs) * logs.replacingMinusInfinity).sum(axis: -1).summedOverEvent
  }

  /// Fails unless every value is within 0 ..< `classes`.
  func checkRange(_ x: IndexTensor, in operation: String) {
    for (position, value) in x.scalars.enumerated() where value < 0 || value >= classes {
      fail(operation, "the value \(value) at position \(position) is not within 0..<\(classes)")
    }
  }
}

/// KL(q‖p) between laws over the same numbered values, exact by enumeration, in nats, `[batch]`.
///
/// ∞ where q gives probability to a value that p excludes.
///
/// - Precondition: both have the same number of values.
public func klDivergence(_ q: some DiscreteDistribution, _ p: some DiscreteDistribution) -> Tensor {
  guard q.classes == p.classes else {
    fail("klDivergence", "q has \(q.classes) values and p has \(p.classes): they must be the same")
  }
  _ = commonShape("klDivergence", [("q", q.shape), ("p", p.shape)])
  let (logQ, logP) = (q.logProbabilities, p.logProbabilities)
  let probabilities = exp(logQ)
  let terms = probabilities * (logQ.replacingMinusInfinity - logP.replacingMinusInfinity)
  let isImpossible = (probabilities .> 0) * (logP .== -.infinity)
  return (terms - log(1 - isImpossible)).sum(axis: -1).summedOverEvent
}

extension Tensor {
  /// −∞ made finite, since 0·∞ is not a number but 0·ln 0 means 0.
  var replacingMinusInfinity: Tensor { clamped(to: -Float.greatestFiniteMagnitude...(.infinity)) }
}
