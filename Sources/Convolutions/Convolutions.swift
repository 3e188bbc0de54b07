import Tensors

/// The zeros that a convolution adds at the ends of an axis.
public enum ConvolutionPadding: Sendable, Equatable, ExpressibleByIntegerLiteral {
  /// None.
  case valid
  /// As many as give one result for each input (at stride 1); an odd one comes last.
  case same
  /// All of them before the first input, so that no result reads a later input.
  case causal
  /// So many at each end.
  case amount(Int)

  /// So many zeros at each end.
  public init(integerLiteral value: Int) { self = .amount(value) }

  /// The zeros before and after, for a kernel from whose first to whose last position it is `reach`.
  fileprivate func amounts(reach: Int) -> (before: Int, after: Int) {
    switch self {
    case .valid: (0, 0)
    case .same: (reach / 2, reach - reach / 2)
    case .causal: (reach, 0)
    case .amount(let zeros): (zeros, zeros)
    }
  }
}

/// Cross-correlation of images with a kernel: `[batch, height, width, in] → [batch, height, width, out]`.
///
/// Result `(i, j)` is `bias + Σ weight[k, l]·x[i·stride + k·dilation − before, j·stride + l·dilation − before]`.
///
/// - Parameters:
///   - weight: `[height, width, in, out]`.
///   - bias: `[out]`.
///   - dilation: the distance between inputs that neighbouring kernel positions read.
///   - mask: multiplies the weight: `[height, width]` or `[height, width, in, out]`. Positions where it is zero for all channels are
///     not computed, neither here nor in gradients (PixelCNN, arXiv 1601.06759, section 3.4).
///   - rectified: whether `relu` is applied in the same pass.
/// - Precondition: the channels fit, the kernel is not larger than the padded input, stride and dilation are positive.
public func convolution2D(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: ConvolutionPadding = .valid,
  dilation: Int = 1, mask: Tensor? = nil, rectified: Bool = false
) -> Tensor {
  let request = ConvolutionRequest("convolution2D", x, weight, bias, stride, padding, dilation)
  request.check(rank: 4, weightRank: 4)
  var weight = weight
  var live = [Bool](repeating: true, count: weight.shape[0] * weight.shape[1])
  if let mask {
    guard mask.shape == weight.shape || mask.shape == Array(weight.shape[..<2]) else {
      fail(
        "convolution2D", "the mask \(mask.shape) must have the shape of the weight \(weight.shape), or its first two")
    }
    let depth = mask.count / max(1, live.count)
    let values = mask.scalars
    live = live.indices.map { tap in values[tap * depth..<(tap + 1) * depth].contains { $0 != 0 } }
    let isWhole = live.indices.allSatisfy { tap in
      !live[tap] || values[tap * depth..<(tap + 1) * depth].allSatisfy { $0 == 1 }
    }
    if !isWhole { weight = weight * mask.reshaped(to: mask.shape + (mask.rank == 2 ? [1, 1] : [])) }
  }
  return Convolution(y: request.axis(0), x: request.axis(1), live: live)
    .results(x, weight, bias, rectified: rectified)
}

/// A convolution that keeps channels apart: `[batch, height, width, channels] → [batch, height, width, channels]`.
///
/// - Parameters:
///   - weight: `[height, width, channels]`.
///   - bias: `[channels]`.
/// - Precondition: as for ``convolution2D(_:_:_:stride:padding:dilation:mask:rectified:)``.
public func depthwiseConvolution2D(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: ConvolutionPadding = .valid,
  dilation: Int = 1
) -> Tensor {
  let request = ConvolutionRequest("depthwiseConvolution2D", x, weight, bias, stride, padding, dilation)
  request.check(rank: 4, weightRank: 3)
  let live = [Bool](repeating: true, count: weight.shape[0] * weight.shape[1])
  return Convolution(y: request.axis(0), x: request.axis(1), live: live, isDepthwise: true).results(x, weight, bias)
}

/// Cross-correlation of sequences with a kernel: `[batch, time, in] → [batch, time, out]`.
///
/// - Parameters:
///   - weight: `[taps, in, out]`.
///   - bias: `[out]`.
///   - padding: `.causal` for results that read nothing later (WaveNet, arXiv 1609.03499, section 2.1).
///   - rectified: whether `relu` is applied in the same pass.
/// - Precondition: as for ``convolution2D(_:_:_:stride:padding:dilation:mask:rectified:)``.
public func convolution1D(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: ConvolutionPadding = .valid,
  dilation: Int = 1, rectified: Bool = false
) -> Tensor {
  let request = ConvolutionRequest("convolution1D", x, weight, bias, stride, padding, dilation)
  request.check(rank: 3, weightRank: 3)
  let single = ConvolutionAxis(input: 1, kernel: 1, stride: 1, before: 0, dilation: 1, output: 1)
  let axis = request.axis(0)
  let images = x.reshaped(to: [x.shape[0], 1] + x.shape[1...])
  return Convolution(y: single, x: axis, live: [Bool](repeating: true, count: axis.kernel))
    .results(images, weight.reshaped(to: [1] + weight.shape), bias, rectified: rectified)
    .reshaped(to: [x.shape[0], axis.output, weight.shape[2]])
}

/// The transpose of a convolution, which enlarges images: `[batch, height, width, in] → [batch, height, width, out]`.
///
/// Each input adds its kernel to the results from `stride` times its position on; of each edge `padding` results are cut off.
/// A height `n` becomes `(n − 1)·stride + kernel − 2·padding + outputPadding` (arXiv 1603.07285, section 4).
///
/// - Parameters:
///   - weight: `[height, width, in, out]`.
///   - bias: `[out]`.
///   - outputPadding: results added at the ends, below `stride`.
/// - Precondition: the channels fit, and results remain after cutting.
public func transposedConvolution2D(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, outputPadding: Int = 0
) -> Tensor {
  let name = "transposedConvolution2D"
  ConvolutionRequest(name, x, weight, bias, stride, .amount(padding), 1).check(rank: 4, weightRank: 4)
  guard (0..<stride).contains(outputPadding) else {
    fail(name, "the output padding \(outputPadding) must be 0 or more and less than the stride \(stride)")
  }
  let axes = (0..<2).map { axis in
    let (input, kernel) = (x.shape[axis + 1], weight.shape[axis])
    let extent = (input - 1) * stride + kernel - 2 * padding + outputPadding
    guard input > 0, kernel > 0, extent > 0 else {
      fail(name, "padding \(padding) leaves nothing of the input \(x.shape) and the weight \(weight.shape)")
    }
    return ConvolutionAxis(
      input: extent, kernel: kernel, stride: stride, before: padding, dilation: 1, output: input)
  }
  let live = [Bool](repeating: true, count: weight.shape[0] * weight.shape[1])
  return Convolution(y: axes[0], x: axes[1], live: live, isTransposed: true).inputGradient(x, weight, bias)
}

/// What a caller asked for, to be checked.
private struct ConvolutionRequest {
  let operation: String
  let x, weight: [Int]
  let bias: [Int]?
  let stride: Int
  let padding: ConvolutionPadding
  let dilation: Int

  init(
    _ operation: String, _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ stride: Int, _ padding: ConvolutionPadding,
    _ dilation: Int
  ) {
    (self.operation, self.x, self.weight, self.bias) = (operation, x.shape, weight.shape, bias?.shape)
    (self.stride, self.padding, self.dilation) = (stride, padding, dilation)
  }

  func check(rank: Int, weightRank: Int) {
    guard x.count == rank, weight.count == weightRank else {
      fail(operation, "needs an input of \(rank) axes and a weight of \(weightRank); the shapes are \(x) and \(weight)")
    }
    guard x[rank - 1] == weight[rank - 2] else {
      fail(operation, "the input \(x) has \(x[rank - 1]) channels, but the weight \(weight) takes \(weight[rank - 2])")
    }
    guard bias == nil || bias == [weight[weightRank - 1]] else {
      fail(
        operation, "the bias \(bias ?? []) does not fit the weight \(weight); it must be [\(weight[weightRank - 1])]")
    }
    guard stride > 0, dilation > 0 else {
      fail(operation, "stride \(stride) and dilation \(dilation) must be 1 or more")
    }
    if case .amount(let zeros) = padding, zeros < 0 { fail(operation, "the padding \(zeros) must not be negative") }
  }

  func axis(_ axis: Int) -> ConvolutionAxis {
    let (input, kernel) = (x[axis + 1], weight[axis])
    let reach = (kernel - 1) * dilation
    let (before, after) = padding.amounts(reach: reach)
    guard kernel > 0, input > 0, input + before + after > reach else {
      fail(
        operation,
        "the weight \(weight) reaches over \(reach + 1) positions at dilation \(dilation), "
          + "but the input \(x) with its padding has \(input + before + after)")
    }
    return ConvolutionAxis(
      input: input, kernel: kernel, stride: stride, before: before, dilation: dilation,
      output: (input + before + after - reach - 1) / stride + 1)
  }
}
