import GradientChecking
import Tensors
import TestSupport
import Testing

@testable import Convolutions

@Suite struct ConvolutionTests {
  @Test func `a convolution by hand`() {
    let x = Tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], shape: [1, 3, 3, 1])
    let weight = Tensor([1, 10, 100, 1000], shape: [2, 2, 1, 1])
    expect(convolution2D(x, weight), shape: [1, 2, 2, 1], [5421, 6532, 8754, 9865])
    expect(
      convolution2D(x, weight, Tensor([0.5]), stride: 2, padding: 1), shape: [1, 2, 2, 1],
      [1000.5, 3200.5, 7040.5, 9865.5])
    expect(convolution2D(x, weight, dilation: 2), shape: [1, 1, 1, 1], [9731])
    expect(
      convolution2D(x, weight, padding: .same), shape: [1, 3, 3, 1],
      [5421, 6532, 603, 8754, 9865, 906, 87, 98, 9])
    expect(
      convolution2D(x, weight, padding: .causal), shape: [1, 3, 3, 1],
      [1000, 2100, 3200, 4010, 5421, 6532, 7040, 8754, 9865])
  }

  @Test func `channels mix, and depthwise they do not`() {
    let x = Tensor([1, 2, 3, 4], shape: [1, 1, 2, 2])
    let weight = Tensor([1, 10, 100, 1000], shape: [1, 1, 2, 2])
    expect(convolution2D(x, weight, Tensor([0, 0.5])), shape: [1, 1, 2, 2], [201, 2010.5, 403, 4030.5])
    expect(depthwiseConvolution2D(x, Tensor([10, 100], shape: [1, 1, 2])), shape: [1, 1, 2, 2], [10, 200, 30, 400])
  }

  @Test func `rectified results, and the gradient that they let through`() {
    let x = Tensor([1, 2, 3, 4], shape: [1, 2, 2, 1])
    let weight = Tensor([1], shape: [1, 1, 1, 1])
    let rectified = { @Sendable (x: Tensor) in convolution2D(x, weight, Tensor([-2]), rectified: true) }
    expect(rectified(x), shape: [1, 2, 2, 1], [0, 0, 1, 2])
    expect(gradient(at: x) { (rectified($0) * 3).sum() }, [0, 0, 3, 3])
    expect(rectified(Tensor([.nan], shape: [1, 1, 1, 1])), [.nan])
  }

  @Test func `causal sequences by hand`() {
    let x = Tensor([1, 2, 3, 4, 5], shape: [1, 5, 1])
    let weight = Tensor([10, 1], shape: [2, 1, 1])
    expect(convolution1D(x, weight, padding: .causal), shape: [1, 5, 1], [1, 12, 23, 34, 45])
    expect(convolution1D(x, weight, padding: .causal, dilation: 2), shape: [1, 5, 1], [1, 2, 13, 24, 35])
    expect(convolution1D(x, weight, stride: 2), shape: [1, 2, 1], [12, 34])
    expect(convolution1D(x, weight, Tensor([1]), padding: 1), shape: [1, 6, 1], [2, 13, 24, 35, 46, 51])
  }

  @Test func `a transposed convolution by hand`() {
    let x = Tensor([1, 2], shape: [1, 1, 2, 1])
    let weight = Tensor([1, 10, 100, 2, 20, 200], shape: [2, 3, 1, 1])
    expect(transposedConvolution2D(x, weight), shape: [1, 2, 4, 1], [1, 12, 120, 200, 2, 24, 240, 400])
    expect(
      transposedConvolution2D(x, weight, Tensor([5]), stride: 2), shape: [1, 2, 5, 1],
      [6, 15, 107, 25, 205, 7, 25, 209, 45, 405])
    let tall = Tensor([1, 2, 3, 4], shape: [1, 2, 2, 1])
    expect(
      transposedConvolution2D(tall, weight, stride: 2, padding: 1), shape: [1, 2, 3, 1], [20, 204, 40, 30, 304, 40])
    expect(
      transposedConvolution2D(x, Tensor([1], shape: [1, 1, 1, 1]), stride: 2, outputPadding: 1), shape: [1, 2, 4, 1],
      [1, 0, 2, 0, 0, 0, 0, 0])
  }

  @Test func `a mask removes what it covers`() {
    let x = normal([2, 5, 4, 3], seed: 1)
    let weight = normal([3, 3, 3, 18], seed: 2)
    let taps = Tensor([1, 1, 1, 1, 0, 0, 0, 0, 0], shape: [3, 3])
    let fine = uniform([3, 3, 3, 18], in: -1..<1, seed: 3) .> 0
    for mask in [taps, fine, fine * taps.reshaped(to: [3, 3, 1, 1]), .zeros([3, 3])] {
      let whole = mask.rank == 2 ? mask.reshaped(to: [3, 3, 1, 1]) : mask
      let bias = normal([18], seed: 4)
      expect(
        convolution2D(x, weight, bias, padding: 1, mask: mask),
        convolution2D(x, weight * whole, bias, padding: 1).scalars, tolerance: 1e-5)
      let slope = gradient(at: weight) { square(convolution2D(x, $0, padding: 1, mask: mask)).sum() }
      let wanted = gradient(at: weight) { square(convolution2D(x, $0 * whole, padding: 1)).sum() }
      expect(slope, wanted.scalars, tolerance: 1e-4)
    }
  }

  @Test func `the first pixel and the masked ones are independent of later ones`() {
    let weight = normal([3, 3, 1, 1], seed: 5)
    let causal = Tensor([1, 1, 1, 1, 0, 0, 0, 0, 0], shape: [3, 3])
    let x = normal([1, 4, 4, 1], seed: 6)
    for position in 0..<16 {
      let slope = gradient(at: x) {
        convolution2D($0, weight, padding: 1, mask: causal).reshaped(to: [16]).sliced(position..<position + 1, axis: 0)
          .sum()
      }
      for (other, value) in slope.scalars.enumerated() where other >= position { #expect(value == 0) }
    }
  }

  struct Shape: Sendable {
    var batch, height, width, kernelHeight, kernelWidth, stride, padding, dilation, channels, results: Int

    init(_ random: inout Random) {
      func pick(_ values: [Int]) -> Int { values[Int(random.next() % UInt64(values.count))] }
      (batch, stride, padding, dilation) = (
        pick([0, 1, 2, 3, 20]), pick([1, 1, 2, 3]), pick([0, 1, 2]), pick([1, 1, 2])
      )
      (kernelHeight, kernelWidth) = (pick([1, 2, 3, 4]), pick([1, 2, 3, 5]))
      (channels, results) = (pick([1, 3, 5, 16, 17, 32, 33]), pick([1, 2, 3, 5, 16, 17, 32, 33, 65]))
      height = max(1, dilation * (kernelHeight - 1) + 1 - 2 * padding) + pick([0, 1, 4, 7])
      width = max(1, dilation * (kernelWidth - 1) + 1 - 2 * padding) + pick([0, 1, 3, 8, 30])
    }

    func axis(_ input: Int, _ kernel: Int) -> ConvolutionAxis {
      let output = (input + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
      return ConvolutionAxis(
        input: input, kernel: kernel, stride: stride, before: padding, dilation: dilation, output: output)
    }
  }

  @Test(arguments: 0..<120)
  func `results and gradients on random shapes`(seed: Int) {
    var random = Random(seed: UInt64(seed))
    let s = Shape(&random)
    let isDepthwise = seed % 4 == 3
    let (y, x) = (s.axis(s.height, s.kernelHeight), s.axis(s.width, s.kernelWidth))
    var live = [Bool](repeating: true, count: s.kernelHeight * s.kernelWidth)
    if seed % 3 == 0 { live = live.map { _ in random.next() % 2 == 0 } }
    let isTransposed = seed % 2 == 0 && !isDepthwise
    let operation = Convolution(y: y, x: x, live: live, isDepthwise: isDepthwise, isTransposed: isTransposed)
    let results = isDepthwise ? s.channels : s.results
    let inputs = Tensor.normal([s.batch, s.height, s.width, s.channels], using: &random)
    let upstream = Tensor.normal([s.batch, y.output, x.output, results], using: &random)
    let weight = Tensor.normal(
      [s.kernelHeight, s.kernelWidth]
        + (isDepthwise ? [results] : isTransposed ? [results, s.channels] : [s.channels, results]), using: &random)
    let naive = Naive(operation, inputs, upstream, weight)
    let (forward, input, weights) = Threads.with(1 + seed % 3) {
      (
        operation.results(inputs, weight), operation.inputGradient(upstream, weight),
        operation.weightGradient(inputs, upstream)
      )
    }
    close(forward, upstream.shape, naive.forward, "results \(s)")
    close(input, inputs.shape, naive.input, "input gradient \(s)")
    close(weights, weight.shape, naive.weights, "weight gradient \(s)")
  }

  private func close(_ tensor: Tensor, _ shape: [Int], _ wanted: [Double], _ what: String) {
    #expect(tensor.shape == shape, "\(what)")
    let scale = wanted.reduce(1e-3) { max($0, $1.magnitude) }
    let worst = zip(tensor.scalars, wanted).reduce(0) { max($0, (Double($1.0) - $1.1).magnitude) }
    #expect(worst <= 2e-6 * scale, "\(what)")
  }

  // Small images of a large batch are gone through several at a time; the same pixel of several narrow ones shares a tile.
  @Test(arguments: [1, 2, 3, 4, 7, 8, 9, 13], [1, 2])
  func `images of a batch give what each gives alone`(width: Int, stride: Int) {
    let images = 51
    let x = normal([images, 2 * stride, width * stride, 5], seed: 10)
    let weight = normal([3, 3, 5, 35], seed: 11)
    let bias = normal([35], seed: 12)
    let depthwise = normal([3, 3, 5], seed: 13)
    let results = { (x: Tensor) in
      [
        convolution2D(x, weight, bias, stride: stride, padding: 1, rectified: true),
        transposedConvolution2D(x, weight, bias, stride: stride, padding: 1),
        depthwiseConvolution2D(x, depthwise, stride: stride, padding: 1),
      ]
    }
    let all = results(x)
    for image in 0..<images {
      let alone = results(x.sliced(image..<image + 1, axis: 0))
      for (all, alone) in zip(all, alone) {
        #expect(bits(all.sliced(image..<image + 1, axis: 0)) == bits(alone), "image \(image), \(all.shape)")
      }
    }
  }

  @Test func `the same bits on any number of threads`() {
    let x = normal([13, 17, 15, 20], seed: 7)
    let weight = normal([3, 3, 20, 36], seed: 8)
    let upstream = normal([13, 17, 15, 36], seed: 9)
    let axis = { ConvolutionAxis(input: $0, kernel: 3, stride: 1, before: 1, dilation: 1, output: $0) }
    let operation = Convolution(y: axis(17), x: axis(15), live: [Bool](repeating: true, count: 9))
    let all = [1, 2, 5].map { threads in
      Threads.with(threads) {
        [
          operation.results(x, weight), operation.inputGradient(upstream, weight),
          operation.weightGradient(x, upstream),
        ].map(bits)
      }
    }
    #expect(all[0] == all[1])
    #expect(all[0] == all[2])
  }

  static let functions: [@Sendable ([Tensor]) -> Tensor] = [
    { convolution2D($0[0], $0[1], $0[2], stride: 2, padding: 1) },
    { convolution2D($0[0], $0[1], $0[2], padding: 2, dilation: 2, mask: Tensor([1, 1, 1, 1, 1, 0], shape: [2, 3])) },
    { convolution2D($0[0], $0[1], $0[2] + Tensor([30, -30, 30]), padding: .same, rectified: true) },
    { depthwiseConvolution2D($0[0], $0[1].sum(axis: 3), $0[1].sum(axes: [0, 1, 3]), stride: 2, padding: 1) },
    { transposedConvolution2D($0[0], $0[1], $0[2], stride: 2, padding: 1, outputPadding: 1) },
    { convolution1D($0[0].sum(axis: 1), $0[1].sum(axis: 0), $0[2], padding: .causal, dilation: 2) },
  ]

  @Test(arguments: functions.indices)
  func `gradients agree to the second order`(index: Int) {
    let inputs = [normal([2, 3, 4, 2], seed: 10), normal([2, 3, 2, 3], seed: 11), normal([3], seed: 12)]
    let function = Self.functions[index]
    let report = gradientCheck(of: { function($0) }, at: inputs)
    #expect(report.passes, "\(report)")
    let products = gradientCheck(of: { square(function($0)) }, at: inputs)
    #expect(products.passes, "\(products)")
  }
}

/// Convolutions by their definition, in double precision.
private struct Naive {
  var forward: [Double]
  var input: [Double]
  var weights: [Double]

  init(_ c: Convolution, _ x: Tensor, _ upstream: Tensor, _ weight: Tensor) {
    let (xs, gs, ws) = (x.scalars, upstream.scalars, weight.scalars)
    let (ci, co) = (x.shape[3], upstream.shape[3])
    forward = Array(repeating: 0, count: gs.count)
    input = Array(repeating: 0, count: xs.count)
    weights = Array(repeating: 0, count: ws.count)
    for position in 0..<x.shape[0] * c.y.output * c.x.output {
      let (image, i, j) = (
        position / c.x.output / c.y.output, position / c.x.output % c.y.output, position % c.x.output
      )
      for tap in c.live.indices where c.live[tap] {
        let row = i * c.y.stride + tap / c.x.kernel * c.y.dilation - c.y.before
        let column = j * c.x.stride + tap % c.x.kernel * c.x.dilation - c.x.before
        guard (0..<c.y.input).contains(row), (0..<c.x.input).contains(column) else { continue }
        let pixel = (image * c.y.input + row) * c.x.input + column
        for from in 0..<ci {
          for to in c.isDepthwise ? from..<from + 1 : 0..<co {
            let w =
              c.isDepthwise
              ? tap * ci + from : c.isTransposed ? (tap * co + to) * ci + from : (tap * ci + from) * co + to
            forward[position * co + to] += Double(xs[pixel * ci + from]) * Double(ws[w])
            input[pixel * ci + from] += Double(gs[position * co + to]) * Double(ws[w])
            weights[w] += Double(xs[pixel * ci + from]) * Double(gs[position * co + to])
          }
        }
      }
    }
  }
}
