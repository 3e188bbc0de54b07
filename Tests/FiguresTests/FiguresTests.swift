import Foundation
import Tensors
import Testing

@testable import Figures

struct PNGTests {
  @Test(arguments: [1, 3]) func `a PNG holds the samples it was given`(channels: Int) throws {
    var random = Random(seed: 1)
    let samples = (0..<7 * 5 * channels).map { _ in UInt8.random(in: 0...255, using: &random) }
    let image = PNGImage(width: 7, height: 5, channels: channels, samples: samples)
    #expect(try PNGImage(decoding: image.encoded()) == image)
  }

  @Test func `what is no PNG, cut short or damaged is refused with a reason`() throws {
    let samples = (0..<3000).map { UInt8(truncatingIfNeeded: $0 * $0) }
    let file = try PNGImage(width: 50, height: 60, channels: 1, samples: samples).encoded()
    #expect(throws: PNGError.self) { try PNGImage(decoding: Data("no picture".utf8)) }
    #expect(throws: PNGError.self) { try PNGImage(decoding: Data()) }
    #expect(throws: PNGError.self) { try PNGImage(decoding: file.prefix(file.count / 2)) }
    var damaged = file
    damaged[20] ^= 255
    #expect(throws: PNGError.self) { try PNGImage(decoding: damaged) }
  }
}

struct ImageGridTests {
  let values = Tensor((0..<24).map { Float($0) / 23 }, shape: [3, 2, 4, 1])

  @Test func `every pixel of a grid has its image's value`() throws {
    let image = try PNGImage(decoding: ImageGrid(values, columns: 2, scale: 5).png())
    for index in 0..<3 {
      for y in 0..<2 {
        for x in 0..<4 {
          let left = 16 + index % 2 * 24 + x * 5
          let top = 16 + index / 2 * 14 + y * 5
          let expected = UInt8((values.scalars[(index * 2 + y) * 4 + x] * 255).rounded())
          for offset in [0, 4] {
            #expect(image.color(left + offset, top + offset).red == expected)
          }
        }
      }
    }
  }

  @Test func `the SVG holds the same pixels as the PNG`() throws {
    let svg = ImageGrid(values, columns: 3, scale: 2).svg()
    let start = try #require(svg.range(of: "base64,")).upperBound
    let code = svg[start...].prefix { $0 != "\"" }
    let image = try PNGImage(decoding: #require(Data(base64Encoded: String(code))))
    #expect(image.width == 3 * 8 + 2 * 4 && image.height == 4)
    #expect(image.color(13, 0).red == UInt8((8.0 / 23 * 255).rounded()))
    #expect(svg.contains("image-rendering:pixelated"))
  }

  @Test func `values outside 0 to 1 are cut and those not finite are magenta, with a remark`() throws {
    let grid = ImageGrid(Tensor([-3, 7, .nan, 0, 0.5, 1], shape: [1, 1, 2, 3]), columns: 1, scale: 4)
    let image = try PNGImage(decoding: grid.png())
    #expect(image.color(17, 17) == .notFinite)
    #expect(image.color(21, 17) == Color(0x0080ff))
    #expect(grid.svg().contains("1 value is not finite (magenta)"))
  }

  @Test func `the scale is chosen so that small images are comfortably visible`() throws {
    for (side, columns) in [(8, 10), (28, 10), (28, 16), (8, 20), (28, 1)] {
      let images = Tensor(repeating: 0, shape: [columns, side, side, 1])
      let image = try PNGImage(decoding: ImageGrid(images, columns: columns).png())
      #expect(
        columns == 1 ? image.width > 220 : (1200...1600).contains(image.width), "\(side) \(columns) \(image.width)")
    }
  }

  @Test func `no images give a picture that says so`() throws {
    let grid = ImageGrid(Tensor([], shape: [0, 8, 8, 1]), columns: 4, title: "Samples")
    #expect(grid.svg().contains("no images to show"))
    #expect(try PNGImage(decoding: grid.png()).width > 100)
  }

  @Test func `images of a wrong shape are refused by name and shape`() async throws {
    let result = try #require(
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        _ = ImageGrid(Tensor(repeating: 0, shape: [2, 8, 8]), columns: 4)
      })
    let message = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(message.contains("ImageGrid: images must be [count, height, width, 1 or 3], but the shape is [2, 8, 8]"))
  }
}

struct LinePlotTests {
  @Test(arguments: [(3.0, 7.0), (250.0, -0.002), (1e7, 4e-9), (-5.0, 2e20)])
  func `a point stands where the ticks say`(x: Double, y: Double) throws {
    let plot = LinePlot(
      title: "t", xLabel: "x", yLabel: "y", series: [Series("a", x: [x], y: [y])],
      xRange: min(0, 2 * x)...max(0, 2 * x),
      yRange: min(0, 2 * y)...max(0, 2 * y))
    let reading = try Reading(plot)
    let middle = try #require(reading.middle(of: .category(0)))
    #expect(abs(reading.x(at: middle.x) - x) < abs(x) * 0.003)
    #expect(abs(reading.y(at: middle.y) - y) < abs(y) * 0.005)
  }

  @Test func `logarithmic axes stand where the ticks say`() throws {
    let plot = LinePlot(
      title: "t", xLabel: "", yLabel: "", series: [Series("a", x: [0.03], y: [20])], xRange: 1e-4...10,
      yRange: 1...1000, logarithmicX: true, logarithmicY: true)
    let reading = try Reading(plot)
    let middle = try #require(reading.middle(of: .category(0)))
    #expect(abs(reading.x(at: middle.x, isLogarithmic: true) - 0.03) < 0.001)
    #expect(abs(reading.y(at: middle.y, isLogarithmic: true) - 20) < 0.5)
  }

  @Test func `a level runs at its height and stands in the legend with its value`() throws {
    let plot = LinePlot(
      title: "", xLabel: "step", yLabel: "nats", series: [Series("loss", [9.0, 5, 4])],
      references: [ReferenceLine("floor", 2.5)])
    let reading = try Reading(plot)
    let dashes = reading.pixels(of: .middle).filter { $0.x < 900 }
    #expect(dashes.count > 800)
    let height = Double(dashes.map(\.y).reduce(0, +)) / Double(dashes.count) + 0.5
    #expect(abs(reading.y(at: height) - 2.5) < 0.02)
    #expect(plot.svg().contains(">floor 2.5<"))
    #expect(plot.alternativeText.contains("loss from 9 to 4"))
  }

  @Test func `a curve has a gap where a value is not finite, and a remark`() {
    let y: [Float] = [1, 2, .nan, 4, .infinity, 6, 7, 8]
    let plot = LinePlot(title: "", xLabel: "", yLabel: "", series: [Series("a", y)])
    let x = Axis(holding: [0, 7])
    #expect(Series("a", y).runs(x: x, y: x) == [[0, 1], [3], [5, 6, 7]])
    #expect(plot.svg().contains("2 values are not finite and left out"))
  }

  @Test func `a curve with no finite value, or none at all, says so`() {
    let none = LinePlot(title: "T", xLabel: "", yLabel: "", series: [])
    let lost = LinePlot(title: "T", xLabel: "", yLabel: "", series: [Series("a", [Double.nan, .nan])])
    #expect(none.svg().contains("no data to draw"))
    #expect(lost.svg().contains("2 values are not finite"))
  }

  @Test func `a long curve keeps its extremes when thinned`() {
    let points = (0..<50_000).map { Point(Double($0) / 100, $0 == 31_234 ? 90 : Double($0 % 7)) }
    let thin = thinned(points)
    #expect(thin.count < 5000)
    #expect(thin.contains(points[31_234]) && thin.first == points.first && thin.last == points.last)
  }

  @Test func `dashes have the pattern's lengths`() {
    let pieces = dashes(of: [Point(0, 0), Point(6, 0), Point(20, 0)], pattern: [4, 3])
    #expect(pieces.map { [$0[0].x, $0[$0.count - 1].x] } == [[0, 4], [7, 11], [14, 18]])
  }
}

struct AxisTests {
  @Test func `ticks are round numbers`() {
    #expect(Axis(holding: [], range: 0...1).ticks.map(\.label) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(Axis(holding: [], range: -3...3).ticks.map(\.label) == ["−3", "−2", "−1", "0", "1", "2", "3"])
    #expect(
      Axis(holding: [], range: 0...4e6).ticks.map(\.label) == [
        "0", "5×10⁵", "10⁶", "1.5×10⁶", "2×10⁶", "2.5×10⁶", "3×10⁶", "3.5×10⁶", "4×10⁶",
      ])
    #expect(Axis(holding: [], range: 0...3e-6).ticks.map(\.label).last == "3×10⁻⁶")
    #expect(Axis(holding: [], range: 1_000_000.1...1_000_000.3).ticks.map(\.label).contains("1000000.12"))
    #expect(
      Axis(holding: [], range: 1...1e6, isLogarithmic: true).ticks.map(\.label) == [
        "1", "10", "100", "1000", "10⁴", "10⁵", "10⁶",
      ])
    #expect(
      Axis(holding: [], range: 1e-3...1e2, isLogarithmic: true).ticks.map(\.value) == [0.001, 0.01, 0.1, 1, 10, 100])
  }

  @Test(
    arguments: [[], [0], [5], [-1e-300], [1e299, -1e299], [.nan], [.infinity, 1], [1e16, 1e16 + 2]] as [[Double]])
  func `any data give a range with a width and a modest number of ticks`(values: [Double]) {
    for isLogarithmic in [false, true] {
      let axis = Axis(holding: values, isLogarithmic: isLogarithmic)
      #expect(axis.lower < axis.upper && axis.lower.isFinite && axis.upper.isFinite)
      #expect(axis.ticks.count <= 25)
      for value in values where value.isFinite && (!isLogarithmic || value > 0) {
        #expect((0...1).contains(axis.position(of: value)))
      }
    }
  }
}
