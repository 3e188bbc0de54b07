import LessonKit

// The Helmholtz machine and its wake-sleep algorithm: Hinton, Dayan, Frey & Neal (1995), Science 268, 1158–1161.
// States are a list: layer 0 is the image x, layer k its causes hₖ; each layer is `[batch, units]` of zeros and ones.

/// All the states of some binary units, `[2^units, units]`.
func allStates(_ units: Int) -> Tensor { allBinaryImages(height: 1, width: units).reshaped(to: [1 << units, units]) }

/// ln p(state | parent) for each pair, when every parent gives the log-odds of all units, in nats.
///
/// `[parents, units], [states, units] → [parents, states]`: Σᵢ sᵢ lᵢ − ln(1 + e^lᵢ).
func logTable(logits: Tensor, states: Tensor) -> Tensor {
  matmul(logits, states, transposingSecond: true) - softplus(logits).sum(axis: 1, keepingAxes: true)
}

/// p(x, h): independent causes at the top, and below them each layer given the one above.
final class Generative: Module {
  /// The log-odds of the topmost units, `[units]`.
  @Parameter var bias: Tensor
  /// `layers[k]` gives the log-odds of layer k from layer k + 1.
  let layers: [Linear]

  /// - Parameter units: the units of each layer, the image's first.
  init(units: [Int], using random: inout Random) {
    bias = .zeros([units[units.count - 1]])
    layers = (1..<units.count).map {
      Linear(units[$0], units[$0 - 1], initialization: .normal(standardDeviation: 0.1), using: &random)
    }
  }

  /// The machine of given layers, which it shares with another.
  init(bias: Tensor, layers: [Linear]) {
    self.bias = bias
    self.layers = layers
  }

  /// A fantasy: all layers drawn from the top down, so that layer 0 is an image; one `Tensor.bernoulli` each.
  func dream(_ count: Int, using random: inout Random) -> [Tensor] {
    withoutGradients {
      var states = [Tensor.bernoulli(sigmoid(bias).broadcast(to: [count, bias.count]), using: &random)]
      for layer in layers.reversed() { states.append(.bernoulli(sigmoid(layer(states.last!)), using: &random)) }
      return states.reversed()
    }
  }

  /// ln p(x, h) of states of all layers, in nats, `[batch]`.
  func logProbability(of states: [Tensor]) -> Tensor {
    let top = Bernoulli(logits: bias.reshaped(to: [1, bias.count])).logProbability(of: states[layers.count])
    return layers.indices.reduce(top) { sum, k in
      sum + Bernoulli(logits: layers[k](states[k + 1])).logProbability(of: states[k])
    }
  }

  /// ln p(top) of all states of the topmost layer, `[2^units]`.
  var logTop: Tensor {
    logTable(logits: bias.reshaped(to: [1, bias.count]), states: allStates(bias.count)).reshaped(to: [-1])
  }

  /// ln p(x), exactly: a log-sum-exp over the states of one layer after another, from the top, `[batch, pixels] → [batch]`, nats.
  func logProbability(of x: Tensor) -> Tensor {
    // BEGIN SOLUTION WakeSleep.3
    var (above, logP) = (allStates(bias.count), logTop)
    for k in layers.indices.reversed() {
      let below = k == 0 ? x : allStates(layers[k].bias.count)
      let joint = logTable(logits: layers[k](above), states: below) + logP.reshaped(to: [-1, 1])  // [above, below]
      (above, logP) = (below, joint.logSumExp(axis: 0))
    }
    return logP
    // END SOLUTION
  }
}

/// q(h|x): each layer given the one below, its units independent.
final class Recognition: Module {
  /// `layers[k]` gives the log-odds of layer k + 1 from layer k.
  let layers: [Linear]

  init(units: [Int], using random: inout Random) {
    layers = (1..<units.count).map {
      Linear(units[$0 - 1], units[$0], initialization: .normal(standardDeviation: 0.1), using: &random)
    }
  }

  /// An interpretation: `x` and its causes, drawn from the bottom up; one `Tensor.bernoulli` for each layer above x.
  func interpret(_ x: Tensor, using random: inout Random) -> [Tensor] {
    withoutGradients {
      layers.reduce(into: [x]) { states, layer in
        states.append(.bernoulli(sigmoid(layer(states.last!)), using: &random))
      }
    }
  }

  /// ln q(h|x) of states of all layers, in nats, `[batch]`.
  func logProbability(of states: [Tensor]) -> Tensor {
    layers.indices.dropFirst().reduce(Bernoulli(logits: layers[0](states[0])).logProbability(of: states[1])) {
      $0 + Bernoulli(logits: layers[$1](states[$1])).logProbability(of: states[$1 + 1])
    }
  }
}

/// A generative model and the recognition model that interprets for it.
final class HelmholtzMachine: Module {
  let generative: Generative
  let recognition: Recognition

  /// - Parameter units: the units of each layer, the image's first.
  init(units: [Int], using random: inout Random) {
    generative = Generative(units: units, using: &random)
    recognition = Recognition(units: units, using: &random)
  }

  /// The wake phase: images are interpreted, and the generative model is to make what was found likelier; nats/image.
  ///
  /// Its draws from `random` are those of `recognition.interpret(x)`.
  func wakeLoss(_ x: Tensor, using random: inout Random) -> Tensor {
    // BEGIN SOLUTION WakeSleep.1
    let states = recognition.interpret(x, using: &random)
    return -generative.logProbability(of: states).mean()
    // END SOLUTION
  }

  /// The sleep phase: images are dreamt, and the recognition model is to find the causes they were made from; nats/dream.
  ///
  /// Its draws from `random` are those of `generative.dream(count)`.
  func sleepLoss(dreams count: Int, using random: inout Random) -> Tensor {
    // BEGIN SOLUTION WakeSleep.2
    let states = generative.dream(count, using: &random)
    return -recognition.logProbability(of: states).mean()
    // END SOLUTION
  }

  /// E_q[ln p(x, h) − ln q(h|x)], exactly, by summing out one layer after another from the top: `[batch, pixels] → [batch]`, nats.
  func bound(_ x: Tensor) -> Tensor {
    // BEGIN SOLUTION WakeSleep.4
    var (above, value) = (allStates(generative.bias.count), generative.logTop)  // value: what a state above is worth
    for k in generative.layers.indices.reversed() {
      let below = k == 0 ? x : allStates(generative.layers[k].bias.count)
      let logP = logTable(logits: generative.layers[k](above), states: below).transposed()  // [below, above]
      let logQ = logTable(logits: recognition.layers[k](below), states: above)  // [below, above]
      (above, value) = (below, (exp(logQ) * (logP - logQ + value)).sum(axis: 1))
    }
    return value
    // END SOLUTION
  }
}
