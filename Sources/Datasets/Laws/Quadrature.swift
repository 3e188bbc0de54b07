import Foundation

/// Nodes and weights that integrate polynomials of degree below 2 · `count` over an interval exactly (Gauss & Legendre).
func gaussLegendre(_ count: Int, in interval: ClosedRange<Double> = 0...1) -> (nodes: [Double], weights: [Double]) {
  let half = (interval.upperBound - interval.lowerBound) / 2
  let middle = (interval.upperBound + interval.lowerBound) / 2
  var nodes: [Double] = []
  var weights: [Double] = []
  for index in 0..<count {
    var x = -cos(Double.pi * (Double(index) + 0.75) / (Double(count) + 0.5))
    var derivative = 1.0
    for _ in 0..<50 {  // Newton's method, which needs about five steps
      let (value, slope) = legendre(count, at: x)
      derivative = slope
      let step = value / slope
      x -= step
      if abs(step) < 1e-15 { break }
    }
    nodes.append(middle + half * x)
    weights.append(half * 2 / ((1 - x * x) * derivative * derivative))
  }
  return (nodes, weights)
}

/// The Legendre polynomial of a degree and its derivative.
private func legendre(_ degree: Int, at x: Double) -> (value: Double, slope: Double) {
  var (previous, current) = (0.0, 1.0)
  for order in 1...max(degree, 1) {
    let n = Double(order)
    (previous, current) = (current, ((2 * n - 1) * x * current - (n - 1) * previous) / n)
  }
  return (current, Double(degree) * (x * current - previous) / (x * x - 1))
}

/// The probability that a standard normal number lies between two, accurate in both tails.
func normalProbability(from lower: Double, to upper: Double) -> Double {
  if lower > 0 { return 0.5 * (erfc(lower * 0.5.squareRoot()) - erfc(upper * 0.5.squareRoot())) }
  return 0.5 * (erfc(-upper * 0.5.squareRoot()) - erfc(-lower * 0.5.squareRoot()))
}

/// −Σ p ln p in nats, where 0 ln 0 is 0.
func entropy(ofProbabilities probabilities: [Double]) -> Double {
  probabilities.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
}
