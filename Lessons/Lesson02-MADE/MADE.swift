import LessonKit

// The masked autoencoder of Germain, Gregor, Murray & Larochelle (2015), arXiv 1502.03509, with the paper's names.

/// The numbers m(k) of all units: an ordering of the D inputs, and how far along it each hidden unit may look (section 3).
struct Degrees {
  let inputs: Tensor  // m⁰(d), the place of each input in the ordering: 1…D, each once, [inputs]
  let hidden: [Tensor]  // mˡ(k), 1…D−1: unit k depends on no input whose place is later, [units] for each layer

  /// The inputs in the order in which they are drawn: the inverse of the permutation `inputs`.
  var order: [Int] { inputs.sorted(axis: 0).indices.scalars.map(Int.init) }

  /// The same units with an ordering in which the inputs of `known` come first; otherwise the order stays.
  func beginning(with known: [Int]) -> Degrees {
    let later = Tensor((0..<inputs.count).map { known.contains($0) ? 0 : Float(inputs.count) })
    let order = Tensor((inputs + later).sorted(axis: 0).indices)
    return Degrees(inputs: Tensor(order.sorted(axis: 0).indices) + 1, hidden: hidden)
  }
}

extension Degrees {
  /// Hidden degrees in random order, and with `shuffled` a random ordering of the inputs, else the natural one.
  ///
  /// The paper draws each hidden degree by itself. Equal shares give each unit the same law, and leave no allowed
  /// connection without a path once each layer has D−1 units.
  init(inputs count: Int, hidden widths: [Int], shuffled: Bool, using random: inout Random) {
    let order = shuffled ? IndexTensor.permutation(count, using: &random).scalars : Array(0..<Int32(count))
    inputs = Tensor(order.map { Float($0 + 1) })
    hidden = widths.map { width in
      Tensor(IndexTensor.permutation(width, using: &random).scalars.map { Float($0 % Int32(count - 1) + 1) })
    }
  }
}

/// 1 where a connection stands and 0 where it is cut; rows are where it comes from, columns where it goes to.
struct Masks {
  let hidden: [Tensor]  // [inputs, units], then [units, units] for each further layer
  let output: Tensor  // [units, inputs]: output d is for input d
  let direct: Tensor  // [inputs, inputs]: from inputs straight to outputs
}

/// The masks that make output d a function of the inputs before d in the ordering, and of nothing else.
///
/// A hidden unit sees units of degrees up to its own, an output d only degrees below m⁰(d) (sections 3 and 4.1).
func masks(of degrees: Degrees) -> Masks {
  // BEGIN SOLUTION MADE.1
  let from = ([degrees.inputs] + degrees.hidden).map { $0.reshaped(to: [-1, 1]) }
  let hidden = zip(from, degrees.hidden).map { before, degree in before .<= degree }
  return Masks(hidden: hidden, output: from[from.count - 1] .< degrees.inputs, direct: from[0] .< degrees.inputs)
  // END SOLUTION
}

/// The network; which ordering it follows is told by the masks of each call.
final class MADE: Module {
  let inputs: Int
  let layers: [Linear]  // W and b of each hidden layer, V and c of the output
  let connectivity: [Parameter]  // U: the shapes of the weights; 1(U ⊙ M) tells units what they see (section 4.3)
  let direct: Parameter?  // A: [inputs, inputs], from inputs straight to outputs (section 3)
  let dropout: Dropout?

  /// A network with hidden layers of these `widths`; `manyMasks` if it is to learn more than one ordering.
  init(
    inputs: Int, hidden widths: [Int], direct hasDirect: Bool = true, manyMasks: Bool, dropout rate: Float = 0,
    using random: inout Random
  ) {
    self.inputs = inputs
    layers = zip([inputs] + widths, widths + [inputs]).map { Linear($0, $1, using: &random) }
    connectivity = manyMasks ? layers.map { Parameter(wrappedValue: .zeros($0.weight.shape)) } : []
    direct = hasDirect ? Parameter(wrappedValue: .zeros([inputs, inputs])) : nil
    dropout = rate > 0 ? Dropout(rate, using: &random) : nil
  }

  /// The logit of p(x_d = 1 | inputs before d) for all d in one pass: `[batch, inputs] → [batch, inputs]`.
  func logits(_ x: Tensor, _ masks: Masks) -> Tensor {
    var h = x
    for (place, mask) in (masks.hidden + [masks.output]).enumerated() {
      if place > 0 { h = dropout?(relu(h)) ?? relu(h) }
      h = layers[place](h, weight: layers[place].weight * mask)  // [batch, units]
      if !connectivity.isEmpty { h = h + (connectivity[place].wrappedValue * mask).sum(axis: 0) }
    }
    return direct.map { h + matmul(x, $0.wrappedValue * masks.direct) } ?? h
  }

  /// log p(x) = Σ_d log p(x_d | inputs before d), in nats (section 2): binary `[batch, inputs] → [batch]`.
  func logProbability(of x: Tensor, _ masks: Masks) -> Tensor {
    // BEGIN SOLUTION MADE.2
    let logits = logits(x, masks)
    return (x * logSigmoid(logits) + (1 - x) * logSigmoid(-logits)).sum(axis: 1)
    // END SOLUTION
  }

  /// log p(x) in each ordering, in nats, without dropout or gradients: `[count, inputs] → [orderings, count]`.
  func logProbabilities(of x: Tensor, in orderings: [Degrees]) -> Tensor {
    let batches = (0..<x.shape[0]).batches(ofSize: 4096).map { x.examples(at: $0) }
    let rows = orderings.map { degrees in
      let masks = masks(of: degrees)
      return concatenate(
        batches.map { x in withoutGradients { inference { logProbability(of: x, masks) } } }, axis: 0)
    }
    return stack(rows, axis: 0)
  }

  /// Draws all inputs of `x`, `[batch, inputs]`, anew but for the first `known` in the ordering, one after the other.
  ///
  /// Its draws: for each such input, in the ordering's order, one `Tensor.bernoulli` of shape `[batch, 1]`.
  func completed(_ x: Tensor, keeping known: Int, _ degrees: Degrees, using random: inout Random) -> Tensor {
    // BEGIN SOLUTION MADE.3
    let masks = masks(of: degrees)
    var x = x
    for input in degrees.order.dropFirst(known) {
      let logit = logits(x, masks).sliced(input..<input + 1, axis: 1)  // [batch, 1]
      x = x.replacing(input..<input + 1, axis: 1, with: .bernoulli(sigmoid(logit), using: &random))
    }
    return x
    // END SOLUTION
  }

  /// Independent samples, `[count, inputs]`: ancestral sampling, one pass of the network for each input.
  func samples(_ count: Int, _ degrees: Degrees, using random: inout Random) -> Tensor {
    withoutGradients { inference { completed(.zeros([count, inputs]), keeping: 0, degrees, using: &random) } }
  }
}

/// The log of the average *probability* that several orderings give, in nats: `[orderings, batch] → [batch]`.
func averaged(_ logProbabilities: Tensor) -> Tensor {
  // BEGIN SOLUTION MADE.4
  logProbabilities.logSumExp(axis: 0) - log(Float(logProbabilities.shape[0]))
  // END SOLUTION
}
