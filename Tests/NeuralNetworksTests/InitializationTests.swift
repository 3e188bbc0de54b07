import Tensors
import Testing

@testable import NeuralNetworks

@Suite struct InitializationTests {
  struct Law: Sendable {
    let initialization: Initialization
    /// The variance that the paper gives for these fans.
    let variance: @Sendable (_ fanIn: Double, _ fanOut: Double) -> Double
  }

  static let laws = [
    Law(initialization: .glorotUniform) { 2 / ($0 + $1) }, Law(initialization: .glorotNormal) { 2 / ($0 + $1) },
    Law(initialization: .heUniform) { fanIn, _ in 2 / fanIn }, Law(initialization: .heNormal) { fanIn, _ in 2 / fanIn },
    Law(initialization: .leCunUniform) { fanIn, _ in 1 / fanIn },
    Law(initialization: .leCunNormal) { fanIn, _ in 1 / fanIn },
    Law(initialization: .normal(standardDeviation: 0.02)) { _, _ in 0.0004 },
    Law(initialization: .zeros) { _, _ in 0 },
  ]

  @Test(arguments: laws.indices)
  func `variances are their papers', and a window multiplies both fans`(index: Int) {
    let law = Self.laws[index]
    for (shape, fanIn, fanOut) in [([300, 200], 300.0, 200.0), ([2, 3, 50, 100], 300, 600)] {
      var random = Random(seed: 5)
      let weights = law.initialization.sample(shape, using: &random)
      #expect(weights.shape == shape)
      let (variance, count) = (law.variance(fanIn, fanOut), weights.count)
      expectMean(Double(weights.mean().scalar), 0, variance: variance, count: count)
      expectMean(Double(weights.variance().scalar), variance, variance: 2 * variance * variance, count: count)
      let (largest, bound) = (Double(abs(weights).max().scalar), (3 * variance).squareRoot())
      switch law.initialization {
      case .glorotUniform, .heUniform, .leCunUniform: #expect(largest <= bound * 1.000_001 && largest > bound * 0.999)
      default: #expect(variance == 0 || largest > bound * 2)
      }
    }
  }

  @Test(arguments: [[20, 7], [7, 20], [13, 13], [3, 3, 4, 10], [2, 2, 1, 30], [1, 1], [0, 3]])
  func `orthogonal weights have orthonormal rows or columns, the fewer`(_ shape: [Int]) {
    var random = Random(seed: 6)
    let columns = shape.last ?? 1
    let rows = shape.dropLast().reduce(1, *)
    let weights = Initialization.orthogonal(gain: 2).sample(shape, using: &random)
    #expect(weights.shape == shape)
    let matrix = weights.reshaped(to: [rows, columns])
    let isTall = rows >= columns
    let gram = matmul(matrix, matrix, transposingFirst: isTall, transposingSecond: !isTall)
    let (size, products) = (min(rows, columns), gram.scalars)
    var near = true
    for i in 0..<size {
      for j in 0..<size { near = near && abs(products[i * size + j] - (i == j ? 4 : 0)) < 2e-6 }
    }
    #expect(near, "\(gram)")
  }

  @Test func `orthogonal matrices are spread evenly: each entry has the variance 1 / size`() {
    var random = Random(seed: 7)
    let draws = (0..<2000).map { _ in Initialization.orthogonal().sample([3, 3], using: &random).scalars }
    for entry in 0..<9 {
      let values = draws.map { Double($0[entry]) }
      // Each is the cosine of a uniform direction with an axis, which is uniform in −1…1.
      expectMean(values.reduce(0, +) / 2000, 0, variance: 1.0 / 3, count: 2000)
      expectMean(values.reduce(0) { $0 + $1 * $1 } / 2000, 1.0 / 3, variance: 1.0 / 5 - 1.0 / 9, count: 2000)
    }
  }
}
