import LessonKit

// What the lesson measures by enumeration; learning needs none of it.

extension Generative {
  /// ln p(h₁) of all states of the layer that draws the image, `[2^units]`, nats.
  var logFirst: Tensor {
    Generative(bias: bias, layers: Array(layers.dropFirst())).logProbability(of: allStates(layers[0].weight.shape[0]))
  }

  /// A machine with one hidden layer whose units have the same probabilities as h₁'s, but are independent.
  var uncoupled: Generative {
    let states = allStates(layers[0].weight.shape[0])
    let on = (states * exp(logFirst).reshaped(to: [-1, 1])).sum(axis: 0)  // p(h₁ⱼ = 1), [units]
    let off = ((1 - states) * exp(logFirst).reshaped(to: [-1, 1])).sum(axis: 0)
    return Generative(bias: log(on) - log(off), layers: [layers[0]])
  }

  /// Σⱼ H(h₁ⱼ) − H(h₁) in nats: 0 where the units of h₁ are independent.
  var totalCorrelation: Float {
    let entropies = Bernoulli(logits: uncoupled.bias.reshaped(to: [1, -1])).entropy.scalars[0]
    return entropies + (exp(logFirst) * logFirst).sum().scalar
  }

  /// Correlations of the units of h₁ under p(h₁), `[units, units]`.
  var correlations: Tensor {
    let states = allStates(layers[0].weight.shape[0])
    let (weights, means) = (exp(logFirst).reshaped(to: [-1, 1]), sigmoid(uncoupled.bias))
    let covariance = matmul((states - means) * weights, states - means, transposingFirst: true)
    let deviations = sqrt(means * (1 - means) + 1e-6)
    return covariance / (deviations * deviations.reshaped(to: [-1, 1]))
  }

  /// The exact p(h₁ⱼ = 1 | x) by Bayes' rule, `[batch, pixels] → [batch, units]`.
  func posteriorMeans(_ x: Tensor) -> Tensor {
    let states = allStates(layers[0].weight.shape[0])
    let logJoint = logTable(logits: layers[0](states), states: x) + logFirst.reshaped(to: [-1, 1])  // [states, batch]
    return matmul(softmax(logJoint.transposed()), states)
  }
}

extension HelmholtzMachine {
  /// The sleep phase's loss without sampling: its expectation over everything that can be dreamt, in nats/dream.
  func exactSleepLoss() -> Tensor {
    var (above, logP) = (allStates(generative.bias.count), generative.logTop.detached())
    var loss = Tensor(0)
    for k in generative.layers.indices.reversed() {
      let below = allStates(generative.layers[k].bias.count)
      let joint = withoutGradients {
        logTable(logits: generative.layers[k](above), states: below) + logP.reshaped(to: [-1, 1])  // [above, below]
      }
      let logQ = logTable(logits: recognition.layers[k](below), states: above)  // [below, above]
      loss = loss - (exp(joint.transposed()) * logQ).sum()
      (above, logP) = (below, joint.logSumExp(axis: 0))
    }
    return loss
  }

  /// The angle in degrees between the steps down the sleep phase's loss and up the bound on `x`, of the recognition weights.
  func angle(_ x: Tensor) -> Float {
    let weights = recognition.parameters.map(\.parameter.wrappedValue)
    func direction(_ loss: Tensor) -> Tensor {
      withoutGradients {
        concatenate(gradients(of: loss, withRespectTo: weights).map { $0.reshaped(to: [-1]) }, axis: 0)
      }
    }
    let (sleep, bound) = (direction(exactSleepLoss()), direction(-bound(x).mean()))
    let cosine = (sleep * bound).sum() / sqrt(square(sleep).sum() * square(bound).sum())
    return acos(min(1, max(-1, cosine.scalar))) * 180 / .pi
  }
}
