import LessonKit

/// a·exp(−(x − c)²/(2w)): the mean of a Gaussian kernel under a Gaussian, and the product of two such, are of this form.
struct Bump {
  var height, centre, width: Double

  func callAsFunction(_ x: Double) -> Double { height * exp(-(x - centre) * (x - centre) / (2 * width)) }

  /// E over x ~ N(m, v): completing the square gives √(w/(w + v)) · exp(−(m − c)²/(2(w + v))).
  func mean(under law: GaussianLaw) -> Double { widened(by: law.variance)(law.mean) }

  /// E over e ~ N(0, variance) of the bump at x + e, as a function of x.
  func widened(by variance: Double) -> Bump {
    Bump(height: height * (width / (width + variance)).squareRoot(), centre: centre, width: width + variance)
  }

  static func * (a: Bump, b: Bump) -> Bump {
    let sum = a.width + b.width
    let difference = a.centre - b.centre
    return Bump(
      height: a.height * b.height * exp(-difference * difference / (2 * sum)),
      centre: (a.centre * b.width + b.centre * a.width) / sum, width: a.width * b.width / sum)
  }
}

/// N(mean, variance).
struct GaussianLaw {
  var mean: Double
  var variance: Double

  func samples(_ shape: [Int], using random: inout Random) -> Tensor {
    .normal(shape, using: &random) * Float(variance.squareRoot()) + Float(mean)
  }
}

/// What the MMD of two Gaussians and its estimators are on average, exactly, under a Gaussian kernel of bandwidth σ.
struct GaussianTruth {
  let p, q: GaussianLaw
  let bandwidth: Double

  /// E k(x, y)ʳ for independent x ~ a, y ~ b; kʳ is a Gaussian kernel with σ²/r in place of σ².
  private func kernelMean(_ a: GaussianLaw, _ b: GaussianLaw, power r: Double = 1) -> Double {
    Bump(height: 1, centre: b.mean, width: bandwidth * bandwidth / r).widened(by: b.variance).mean(under: a)
  }

  /// μ(x) = E k(x, y) over y ~ `law`: its mean embedding.
  func embedding(_ law: GaussianLaw) -> Bump {
    Bump(height: 1, centre: law.mean, width: bandwidth * bandwidth).widened(by: law.variance)
  }

  /// The witness μ_P(x) − μ_Q(x): positive where P has more mass than Q, as the kernel sees it.
  func witness(_ x: Double) -> Double { embedding(p)(x) - embedding(q)(x) }

  /// MMD² = E k(x, x′) + E k(y, y′) − 2 E k(x, y).
  var squaredMMD: Double { kernelMean(p, p) + kernelMean(q, q) - 2 * kernelMean(p, q) }

  /// What `biasedMMD` is too large by on average: each point paired with itself counts 1 in place of E k.
  func bias(_ n: Int, _ m: Int) -> Double { (1 - kernelMean(p, p)) / Double(n) + (1 - kernelMean(q, q)) / Double(m) }

  /// The variance of `unbiasedMMD` for n and m points.
  ///
  /// With the features φ(x) = μ_P + a and φ(y) = μ_Q + b the estimate is ‖μ_P − μ_Q‖² + 2⟨μ_P − μ_Q, ā − b̄⟩ and three sums of products
  /// ⟨a, a′⟩, ⟨b, b′⟩, ⟨a, b⟩ of different points, all uncorrelated. Where P = Q the first, of order 1/n, is 0; the rest is of order 1/n².
  func variance(_ n: Int, _ m: Int) -> Double {
    let (n, m) = (Double(n), Double(m))
    let linear = 4 * (witnessVariance(p) / n + witnessVariance(q) / m)
    return linear + 2 * centredSquare(p, p) / (n * (n - 1)) + 2 * centredSquare(q, q) / (m * (m - 1))
      + 4 * centredSquare(p, q) / (n * m)
  }

  private func witnessVariance(_ law: GaussianLaw) -> Double {
    let (f, g) = (embedding(p), embedding(q))
    let mean = f.mean(under: law) - g.mean(under: law)
    return (f * f).mean(under: law) - 2 * (f * g).mean(under: law) + (g * g).mean(under: law) - mean * mean
  }

  /// E ⟨φ(x) − μ_A, φ(y) − μ_B⟩² over independent x ~ a, y ~ b.
  private func centredSquare(_ a: GaussianLaw, _ b: GaussianLaw) -> Double {
    let (f, g, mean) = (embedding(a), embedding(b), kernelMean(a, b))
    return kernelMean(a, b, power: 2) - (f * f).mean(under: b) - (g * g).mean(under: a) + mean * mean
  }
}
