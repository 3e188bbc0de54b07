import Foundation
import Tensors
import Testing

@testable import Figures

struct ChartTests {
  @Test func `points of a class stand where the ticks say`() throws {
    let points = Tensor([1, 2, -3, 5, 4, -6], shape: [3, 2])
    let plot = ScatterPlot(points, classes: IndexTensor([0, 1, 3]), classNames: ["a", "b", "c", "d"])
    var open = plot.drawing
    // Opaque, so that the pixels have exactly the class's colour, and without the legend's markers.
    open = Drawing(width: open.width, height: open.height)
    for mark in plot.drawing.marks {
      guard case .clipped(let marks, let place) = mark else { continue }
      let opaque = marks.map { mark -> Mark in
        guard case .markers(let centres, _, let radius, let color, _) = mark else { return mark }
        return .markers(centres, shape: .disc, radius: radius, color: color, opacity: 1)
      }
      open.add(.clipped(opaque, place))
    }
    let bare = Raster.rendering(open)
    let reading = try Reading(plot, image: bare)
    for (index, place) in [(0, (1.0, 2.0)), (1, (-3.0, 5.0)), (3, (4.0, -6.0))] {
      let middle = try #require(reading.middle(of: .category(index)))
      #expect(abs(reading.x(at: middle.x) - place.0) < 0.02)
      #expect(abs(reading.y(at: middle.y) - place.1) < 0.04)
    }
    #expect(["a", "b", "d"].allSatisfy { plot.svg().contains(">\($0)</text>") } && !plot.svg().contains(">c</text>"))
  }

  @Test func `ten classes differ in colour and in shape`() {
    #expect(Set((0..<10).map { Color.category($0) }).count == 10)
    #expect(Set((0..<10).map { MarkerShape.category($0) }).count == 10)
    let pairs = (0..<100).map { "\(Color.category($0).code) \(MarkerShape.category($0))" }
    #expect(Set(pairs).count == 100)
  }

  @Test func `a bar is as high as its value`() throws {
    let chart = BarChart(categories: ["a", "b", "c"], bars: [Series("n", [3.0, 1.5, 4.2])])
    let reading = try Reading(chart)
    let bars = reading.pixels(of: Color(0x8fb8d8))
    let columns = Dictionary(grouping: bars, by: \.x)
    let tops = columns.mapValues { column in Double(column.map(\.y).min() ?? 0) }
    let (first, last) = (columns.keys.min() ?? 0, columns.keys.max() ?? 0)
    for (share, height) in [(0.1, 3.0), (0.5, 1.5), (0.9, 4.2)] {
      let top = try #require(tops[first + Int(share * Double(last - first))])
      #expect(abs(reading.y(at: top) - height) < 0.02)
    }
    #expect(chart.alternativeText.contains("n: a 3, b 1.5, c 4.2"))
  }

  @Test func `negative bars hang from zero and missing ones leave a remark`() throws {
    let chart = BarChart(range: 0...2, bars: [Series("n", [-1.0, .nan])])
    let reading = try Reading(chart)
    let rows = reading.pixels(of: Color(0x8fb8d8)).map(\.y)
    #expect(abs(reading.y(at: Double(try #require(rows.min()))) - 0) < 0.02)
    #expect(abs(reading.y(at: Double(try #require(rows.max())) + 1) + 1) < 0.02)
    #expect(chart.svg().contains("1 value is not finite"))
  }

  @Test func `a grid under a shift stands shifted and keeps its colours`() throws {
    let points = WarpedGrid.points(xRange: -1...1, yRange: 0...2, rows: 3, columns: 5)
    #expect(points.shape == [15, 2] && Array(points.scalars[0..<4]) == [-1, 0, -0.5, 0])
    let shifted = Tensor(
      points.scalars.enumerated().map { $0.offset.isMultiple(of: 2) ? $0.element + 10 : $0.element }, shape: [15, 2])
    let figure = WarpedGrid(shifted, rows: 3, columns: 5)
    let marks = figure.drawing.marks.compactMap { mark -> [Mark]? in
      if case .clipped(let marks, _) = mark { marks } else { nil }
    }
    guard case .polyline(let line, let color, _, _, _) = try #require(marks.first?.first) else {
      Issue.record("the grid's first mark must be a line")
      return
    }
    let reading = try Reading(figure)
    #expect(abs(reading.x(at: line[0].x * 2) - 9) < 0.01 && abs(reading.y(at: line[0].y * 2) - 0) < 0.01)
    #expect(color.blue > color.red && color.blue > 100)
  }

  @Test func `long and countless labels neither overflow nor take long`() throws {
    let title = String(repeating: "long ", count: 100_000)
    let series = (0..<200).map { Series("\(title)\($0)", [1.0, 2]) }
    let plot = LinePlot(title: title, xLabel: title, yLabel: title, series: series)
    let image = try PNGImage(decoding: plot.png())
    #expect(image.width < 2000 && image.height < 1200)
    #expect(plot.svg().contains("… and 177 more"))
  }

  @Test func `panels stand beside and below each other`() throws {
    let images = Tensor(repeating: 0, shape: [1, 4, 4, 1])
    let one = ImageGrid(images, columns: 1, scale: 4)
    let (width, height) = (one.drawing.width, one.drawing.height)
    let panels = Panels([one, one, one], columns: 2)
    #expect(panels.drawing.width == 2 * width && panels.drawing.height == 2 * height)
    let image = try PNGImage(decoding: panels.png())
    #expect(
      image.color(Int(width * 2) + 20, 20) == Color(0)
        && image.color(Int(width * 2) + 20, 20 + Int(height * 2)) == .white)
  }
}

struct SVGTests {
  let hostile = "<script>alert(\"1\")</script> & 'x' \u{1}]]>"

  @Test func `labels are text whatever they hold`() {
    let plot = LinePlot(
      title: hostile, xLabel: hostile, yLabel: hostile, series: [Series(hostile, [1.0, 2]), Series("b", [2.0, 1])],
      references: [ReferenceLine(hostile, 1.5)])
    let content = XMLContent(plot.svg())
    #expect(content.isWellFormed)
    #expect(content.elements["script"] == nil)
    #expect(content.texts.contains { $0.hasPrefix("<script>alert(\"1\")</script> & 'x' \u{fffd}]]>") })
  }

  @Test func `every kind of figure is well-formed, without identifiers, with a description`() {
    let table = Tensor((0..<12).map { Float($0) }, shape: [3, 4])
    let points = Tensor([0, 1, 2, 3, 4, 5], shape: [3, 2])
    let figures: [any DrawnFigure] = [
      ImageGrid(Tensor(repeating: 0.5, shape: [2, 4, 4, 3]), columns: 2, rowLabels: ["a<b"]),
      LinePlot(title: "", xLabel: "", yLabel: "", series: [Series("a", [1.0, 2]).withError([0.1, 0.2])]),
      ScatterPlot(points, values: Tensor([1, .nan, 3]), valueLabel: "v"), HeatMap(table, points: points),
      ReceptiveFieldMap(table, row: 1, column: 1), Spectrogram(Tensor([1, 2, 3]), sampleRate: 10, window: 8),
      Spectrogram(Tensor([Float]()), sampleRate: 10),
      WarpedGrid(Tensor(repeating: 1, shape: [4, 2]), rows: 2, columns: 2),
      BarChart(range: 0...1, bars: [Series("h", [1.0])], lines: [Series("l", x: [0.0, 1], y: [1.0, 1])]),
      BarChart(categories: [], bars: []), HeatMap(Tensor([], shape: [0, 0])), ScatterPlot(Tensor([], shape: [0, 2])),
      HeatMap(Tensor(repeating: .nan, shape: [2, 2])),
      ScatterPlot(Tensor(repeating: 1e38, shape: [9, 2]), equalScales: true),
    ]
    for figure in figures {
      let content = XMLContent(figure.svg())
      #expect(content.isWellFormed && content.elements["svg"] ?? 0 > 0 && !content.attributes.contains("id"))
      #expect(figure.alternativeText.count > 12)
      #expect((try? PNGImage(decoding: figure.png())) != nil)
      #expect(!figure.svg().contains("nan") && !figure.svg().contains("Sequence"))
    }
  }

  @Test func `a point's name stands beside it, and a point that is nowhere has none`() throws {
    let plot = ScatterPlot(Tensor([[0, 0], [1, 1], [.nan, 2]]), xRange: 0...2, yRange: 0...2)
    #expect(!plot.svg().contains("Eve"))
    let svg = plot.named(["Adam", "Eve", "Abel"]).svg()
    let eve = try #require(svg.firstMatch(of: /<text x="([0-9.]+)" y="([0-9.]+)"[^>]*>Eve</))
    let adam = try #require(svg.firstMatch(of: /<text x="([0-9.]+)" y="([0-9.]+)"[^>]*>Adam</))
    // One unit of two to the right and upwards, which is half of the plot of about 640 × 500.
    #expect(try #require(Double(eve.1)) > #require(Double(adam.1)) + 200)
    #expect(try #require(Double(eve.2)) < #require(Double(adam.2)) - 150)
    #expect(!svg.contains("Abel"))
  }

  @Test func `numbers are written with at most two decimals`() {
    #expect(
      [0, -0.001, 1.5, -2.05, 3.999, 1e300, .nan].map { SVGWriter.number($0) } == [
        "0", "0", "1.5", "-2.05", "4", "1000000000", "0",
      ])
  }

  @Test func `all of ASCII and the course's signs have a letter in the raster's font`() {
    let missing = StrokeFont.glyph("\u{65e5}").strokes
    let signs = (32..<127).map { Character(UnicodeScalar(UInt8($0))) } + "−·…×²σμεℒαβλθπ≤≥°é₁⁻⁹‖∞½¼√ˣᵀᵢⱼ"
    for sign in signs {
      let glyph = StrokeFont.glyph(sign)
      #expect(glyph.strokes != missing && glyph.advance > 1 && (sign == " " || !glyph.strokes.isEmpty), "\(sign)")
    }
    #expect(Set(signs.map { "\(StrokeFont.glyph($0).strokes)" }).count == signs.count)
    #expect(StrokeFont.glyph("ü").strokes == StrokeFont.glyph("u").strokes)
  }
}

struct HeatMapTests {
  /// The value whose colour is nearest.
  func value(of color: Color, in range: ClosedRange<Double>) -> Double {
    let distances = (0...1000).map { step -> Int in
      let other = ColorMap.viridis.color(at: Double(step) / 1000)
      let (r, g, b) = (
        Int(other.red) - Int(color.red), Int(other.green) - Int(color.green), Int(other.blue) - Int(color.blue)
      )
      return r * r + g * g + b * b
    }
    let nearest = distances.indices.min { distances[$0] < distances[$1] } ?? 0
    return range.lowerBound + (range.upperBound - range.lowerBound) * Double(nearest) / 1000
  }

  @Test(arguments: [true, false]) func `each cell's colour tells its value`(hasRange: Bool) throws {
    let values = (0..<12).map { Float($0 * $0) / 10 - 3 }
    let map = HeatMap(
      Tensor(values, shape: [3, 4]), xRange: hasRange ? 0...4 : nil, yRange: hasRange ? 0...3 : nil)
    let image = try PNGImage(decoding: map.png())
    let place = try #require(
      map.drawing.marks.compactMap { mark -> Rectangle? in
        if case .image(_, let place) = mark { place } else { nil }
      }.first)
    for row in 0..<3 {
      for column in 0..<4 {
        let x = place.x + place.width * (Double(column) + 0.5) / 4
        let down = Double(hasRange ? 2 - row : row)
        let y = place.y + place.height * (down + 0.5) / 3
        let color = image.color(Int(x * 2), Int(y * 2))
        let expected = Double(values[row * 4 + column])
        #expect(abs(value(of: color, in: -3...9.1) - expected) < 12.1 / 255)
      }
    }
  }

  @Test func `luminance rises along viridis`() {
    let luminance = (0...255).map { step -> Double in
      let color = ColorMap.viridis.color(at: Double(step) / 255)
      return 0.2126 * Double(color.red) + 0.7152 * Double(color.green) + 0.0722 * Double(color.blue)
    }
    #expect(zip(luminance, luminance.dropFirst()).allSatisfy { $0 <= $1 + 0.5 })
    #expect(luminance[0] < 30 && luminance[255] > 200)
  }

  @Test func `a diverging map is even about zero`() {
    let scale = ColorBar(holding: [-1, 4], map: .diverging, label: "")
    #expect(scale.axis.lower == -4 && scale.axis.upper == 4 && scale.position(of: 0) == 0.5)
  }

  @Test func `pixels without influence are grey and counted`() throws {
    let influence = Tensor([0.5, -1, 0, 0, 0, 0], shape: [2, 3])
    let map = ReceptiveFieldMap(influence, row: 0, column: 2)
    let image = try PNGImage(decoding: map.png())
    #expect(image.samples.indices.filter { $0 % 3 == 0 && image.samples[$0] == 0xe9 }.count > 1000)
    #expect(map.alternativeText.contains("2 of 6 pixels act on row 0, column 2"))
    #expect(map.svg().contains("no influence (4 pixels)"))
  }

  @Test func `a tone's power stands at its frequency`() {
    let samples = (0..<64).map { Float(cos(2 * Double.pi * 5 * Double($0) / 64)) }
    let power = Spectrogram.power(of: samples, from: 0, window: 64)
    // A cosine of amplitude 1 under a Hann window has magnitude N / 4 at its bin and N / 8 beside it.
    #expect(power.count == 33)
    #expect(abs(power[5] - 256) < 0.1 && abs(power[4] - 64) < 0.1 && abs(power[6] - 64) < 0.1 && power[9] < 1e-3)
    let figure = Spectrogram(Tensor(samples + samples), sampleRate: 6400, window: 64)
    #expect(figure.alternativeText.contains("0.02 s, strongest at 500 Hz"))
  }
}
