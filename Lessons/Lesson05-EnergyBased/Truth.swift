import LessonKit

// What the lesson measures by enumeration and quadrature; learning needs none of it.

/// ln p(state | parent) when each parent gives the log-odds of all units: `[parents, units], [states, units] → [parents, states]`.
private func logConditional(logits: Tensor, states: Tensor) -> Tensor {
  matmul(logits, states, transposingSecond: true) - softplus(logits).sum(axis: 1, keepingAxes: true)
}

private func binaryStates(_ units: Int) -> Tensor {
  allBinaryImages(height: 1, width: units).reshaped(to: [1 << units, units])
}

extension RBM {
  /// All images, `[2^visible, visible]`.
  var images: Tensor { binaryStates(visibleBias.count) }

  /// ln Z by enumeration, in nats.
  var logZ: Tensor { (-energy(images)).logSumExp() }

  /// ln p(v), `[batch, visible] → [batch]`, nats.
  func logProbability(of v: Tensor) -> Tensor { -energy(v) - logZ }

  /// The probability of each image after `steps` steps of Gibbs sampling from an image of `x`, `[2^visible]`: no sampling.
  func chainLaw(from x: Tensor, steps: Int) -> Tensor {
    withoutGradients {
      let causes = binaryStates(hiddenBias.count)
      let up = exp(logConditional(logits: hiddenLogits(images), states: causes))  // [images, causes]
      let down = exp(logConditional(logits: visibleLogits(causes), states: images))  // [causes, images]
      let first = exp(logConditional(logits: hiddenLogits(x), states: causes)).mean(axis: 0, keepingAxes: true)
      let law = (1..<steps).reduce(matmul(first, down)) { law, _ in matmul(matmul(law, up), down) }
      return law.reshaped(to: [-1])
    }
  }

  /// The loss of CD-k without sampling: its expectation over the chains.
  func expectedContrast(_ x: Tensor, steps: Int) -> Tensor {
    energy(x).mean() - (chainLaw(from: x, steps: steps) * energy(images)).sum()
  }

  /// The angle in degrees between the expected gradient of CD-k and that of −ln p(x): above 90 a small step makes p(x) worse.
  func angle(_ x: Tensor, steps: Int) -> Float {
    func direction(_ loss: Tensor) -> Tensor {
      let found = gradients(of: loss, withRespectTo: parameters.map(\.parameter.wrappedValue))
      return withoutGradients { concatenate(found.map { $0.reshaped(to: [-1]) }, axis: 0) }
    }
    let (contrast, exact) = (direction(expectedContrast(x, steps: steps)), direction(-logProbability(of: x).mean()))
    let cosine = (contrast * exact).sum() / sqrt(square(contrast).sum() * square(exact).sum())
    return acos(min(1, max(-1, cosine.scalar))) * 180 / .pi
  }
}

/// The square −reach…reach, cut into cells: integrals over the plane become sums.
///
/// The midpoint rule's error falls faster than any power of a cell's width for smooth densities that vanish at the edge.
struct Plane {
  let reach: Double
  let cells: Int
  /// The middles of the cells, row by row from the lower left, `[cells², 2]`.
  let points: Tensor

  init(reach: Double, cells: Int) {
    (self.reach, self.cells) = (reach, cells)
    let inner = reach * (1 - 1 / Double(cells))
    points = WarpedGrid.points(xRange: -inner...inner, yRange: -inner...inner, rows: cells, columns: cells)
  }

  private var width: Float { Float(2 * reach) / Float(cells) }

  /// ln Z = ln ∫ exp(−E), in nats.
  func logZ(_ model: some EnergyModel) -> Float {
    withoutGradients { (-model.energy(points)).logSumExp().scalar } + 2 * log(width)
  }

  /// KL(law ‖ model) = E[E(x)] + ln Z − H, in nats, with the law's exact entropy H.
  func divergence(_ law: some PlanarLaw, _ model: some EnergyModel) -> Float {
    let weights = exp(law.logProbability(of: points)) * (width * width)
    let energy = withoutGradients { (weights * model.energy(points)).sum().scalar }
    return energy + logZ(model) - Float(law.entropy)
  }

  /// Independent draws of the model's own law, `[count, 2]`: a row of cells, a cell of it, a place within the cell.
  func samples(_ model: some EnergyModel, _ count: Int, using random: inout Random) -> Tensor {
    withoutGradients {
      let table = (-model.energy(points)).reshaped(to: [cells, cells])
      let rows = IndexTensor.categorical(
        logits: table.logSumExp(axis: 1).reshaped(to: [1, cells]).broadcast(to: [count, cells]), using: &random)
      let columns = IndexTensor.categorical(logits: embedding(table, rows), using: &random)
      let corner = stack([Tensor(columns), Tensor(rows)], axis: 1)  // [count, 2]
      return (corner + .uniform([count, 2], using: &random)) * width - Float(reach)
    }
  }
}
