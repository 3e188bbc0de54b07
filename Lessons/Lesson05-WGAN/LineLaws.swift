import LessonKit

// Laws on the line, where W₁, the best critic and the bias of the gradient penalty are integrals over x.

/// Equally likely normal bumps of standard deviation 0.1.
struct Bumps {
  let centres: [Float]
  let deviation: Float = 0.1

  /// Independent points, `[count, 1]`.
  func samples(_ count: Int, using random: inout Random) -> Tensor {
    let chosen = Tensor.uniform([count], in: 0..<Float(centres.count), using: &random)
    let places = Tensor(centres).gathered(at: IndexTensor(floor(chosen)), axis: 0)
    return (places + Tensor.normal([count], using: &random) * deviation).reshaped(to: [count, 1])
  }

  /// The share of points below x.
  func cumulative(_ x: Double) -> Double {
    centres.map { 0.5 * erfc((Double($0) - x) / (Double(deviation) * 2.0.squareRoot())) }.reduce(0, +)
      / Double(centres.count)
  }
}

/// All about a pair of laws that the lesson compares a critic with, by the midpoint rule.
struct LinePair {
  let real, fake: Bumps
  /// The midpoints of cells of length `cell`, `[cells]`.
  let x: [Double]
  let cell: Double
  /// F_fake − F_real at `x`: how much mass must cross x, to the right where it is positive.
  let crossing: [Double]
  /// r: the density of x̂ = ε·data + (1 − ε)·sample at `x`, for independent data, samples and ε.
  let between: [Double]

  init(real: Bumps, fake: Bumps) {
    (self.real, self.fake) = (real, fake)
    let all = real.centres + fake.centres
    let (low, high) = (Double(all.min()!) - 0.8, Double(all.max()!) + 0.8)
    let cells = 1200
    let cell = (high - low) / Double(cells)
    x = (0..<cells).map { low + (Double($0) + 0.5) * cell }
    crossing = x.map { fake.cumulative($0) - real.cumulative($0) }
    self.cell = cell
    between = Self.density(real, fake, at: Tensor(x.map { [Float($0)] })).scalars.map(Double.init)
  }

  /// r at `x`, `[cells, 1] → [cells]`: x̂ is a normal bump for each pair of centres and each ε.
  private static func density(_ real: Bumps, _ fake: Bumps, at x: Tensor) -> Tensor {
    let epsilon = Tensor((0..<300).map { (Float($0) + 0.5) / 300 })  // [300]
    let pairs = real.centres.flatMap { a in fake.centres.map { b in epsilon * a + (1 - epsilon) * b } }
    let width = sqrt(square(epsilon) + square(1 - epsilon)).tiled(times: pairs.count, axis: 0) * real.deviation
    let distances = (x - concatenate(pairs, axis: 0)) / width  // [cells, pairs · 300]
    return (exp(square(distances) * -0.5) / width).mean(axis: 1) / (2 * Float.pi).squareRoot()
  }

  /// W₁ = ∫ |F_fake − F_real| dx.
  var distance: Double { crossing.reduce(0) { $0 + abs($1) } * cell }

  /// The slope of the best critic under a penalty of weight λ; of the best 1-Lipschitz critic for λ = ∞.
  func slopes(lambda: Double) -> [Double] {
    zip(crossing, between).map { g, r in (g < 0 ? -1 : 1) * (1 + abs(g) / (2 * lambda * max(r, 1e-9))) }
  }

  /// E f(data) − E f(samples) of that critic, ∫ f′·(F_fake − F_real) dx.
  func value(lambda: Double) -> Double {
    zip(slopes(lambda: lambda), crossing).reduce(0) { $0 + $1.0 * $1.1 } * cell
  }
}
