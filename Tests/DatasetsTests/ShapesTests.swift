import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("Shapes")
struct ShapesTests {
  static let small = Shapes(side: 16, scales: 2, angles: 4, positions: 3)

  @Test("Covered areas are those of rectangle, ellipse and triangle, and centres of mass where the factors say")
  func areas() {
    let law = Shapes(side: 64, scales: 3, angles: 5, positions: 3)
    for shape in Int32(0)..<3 {
      let factors = IndexTensor([shape, 2, 0, 1, 0, shape, 1, 3, 2, 1], shape: [2, 5])
      let images = law.images(of: factors)
      let values = law.values(of: factors)
      for image in 0..<2 {
        let pixels = Array(images.scalars[image * 4096..<(image + 1) * 4096]).map { Double($0) }
        let pose = Array(values.scalars[5 * image..<5 * image + 5]).map { Double($0) }
        let area = pixels.reduce(0, +) / 4096
        let unit = [1.7, Double.pi / 2, 1.28][Int(shape)]
        #expect(near(area, unit * pose[1] * pose[1], 0.02 * area))
        var (x, y) = (0.0, 0.0)
        for place in pixels.indices {
          x += pixels[place] * (Double(place % 64) + 0.5) / 64 / (4096 * area)
          y += pixels[place] * (Double(place / 64) + 0.5) / 64 / (4096 * area)
        }
        // The triangle's centroid lies 1/15 of its size from the circle's middle, towards its short side.
        let offset = shape == 2 ? -pose[1] / 15 : 0
        #expect(near(x, pose[3] + offset * cos(pose[2]), 2e-3))
        #expect(near(y, pose[4] + offset * sin(pose[2]), 2e-3))
      }
    }
  }

  @Test("Every combination is a different image, and the probabilities of all sum to 1")
  func everything() {
    let law = Self.small
    #expect(law.combinationCount == 3 * 2 * 4 * 9)
    #expect(near(law.entropy, log(216), 1e-9))
    var factors: [Int32] = []
    for number in Int32(0)..<216 {
      factors += [number % 3, number / 3 % 2, number / 6 % 4, number / 24 % 3, number / 72]
    }
    let images = law.images(of: IndexTensor(factors, shape: [216, 5]))
    let logs = law.logProbability(of: images).scalars
    #expect(logs.allSatisfy { near(Double($0), -log(216), 1e-5) })
    #expect(images.scalars.contains { $0 > 0 && $0 < 1 } && images.scalars.allSatisfy { $0 >= 0 && $0 <= 1 })
    #expect(law.logProbability(of: Tensor.zeros([1, 16, 16, 1])).scalar == -.infinity)
    #expect(law.logProbability(of: images * 0.99).scalars.allSatisfy { $0 == -.infinity })
  }

  @Test("Samples are the images of their factors, and factors are uniform")
  func samples() {
    var random = Random(seed: 71)
    let (images, factors) = Self.small.labelledSamples(2_000, using: &random)
    #expect(images.shape == [2_000, 16, 16, 1] && factors.shape == [2_000, 5])
    #expect(Self.small.images(of: factors).scalars == images.scalars)
    for (column, size) in Self.small.factorSizes.enumerated() {
      var counts = [Int](repeating: 0, count: size)
      for row in 0..<2_000 { counts[Int(factors.scalars[5 * row + column])] += 1 }
      #expect(chiSquared(counts, [Double](repeating: 1 / Double(size), count: size)) < 5.5)
    }
  }

  @Test("A factor out of range stops with its name")
  func mistakes() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Shapes(side: 16).images(of: IndexTensor([0, 4, 0, 0, 0], shape: [1, 5]))
    }
    #expect(text(result).contains("error: Shapes: scale 4 is not 0 to 3"))
  }
}
