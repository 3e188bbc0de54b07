private enum BernoulliLogLikelihood: BinaryKernel {
  @inline(always) static func apply(_ x: Vector, _ logit: Vector) -> Vector {
    // x·logit − max(logit, 0) is exact for binary x; subtracting softplus whole would cancel at large logits.
    fma(x, logit, -larger(logit, Vector(repeating: 0))) - vectorLogOnePlusExp(minus: logit.magnitude)
  }
}

private enum BernoulliResidual: BinaryKernel {
  @inline(always) static func apply(_ x: Vector, _ logit: Vector) -> Vector { x - vectorSigmoid(logit) }
}

/// x·logit − ln(1 + e^logit): the log-probability of binary values, in nats, elementwise and in one pass.
///
/// - Precondition: the shapes agree.
public func bernoulliLogLikelihood(_ x: Tensor, logits: Tensor) -> Tensor {
  guard x.shape == logits.shape else {
    fail("bernoulliLogLikelihood", "the values \(x.shape) and the logits \(logits.shape) must have one shape")
  }
  return x.zip(logits, BernoulliLogLikelihood.self).recorded(
    x, logits, { upstream, inputs, _ in upstream * inputs[1] },
    { upstream, inputs, _ in
      let (x, logits) = (inputs[0], inputs[1])
      return upstream * (Recording.isOn ? x - sigmoid(logits) : x.zip(logits, BernoulliResidual.self))
    })
}
