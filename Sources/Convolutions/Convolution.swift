import Tensors

/// A convolution of given extents and the two bilinear maps that are its gradients: closed under differentiation.
struct Convolution: Sendable {
  let y, x: ConvolutionAxis
  /// Which taps are computed, row by row.
  let live: [Bool]
  /// `[height, width, channels]` weights, each channel for itself.
  var isDepthwise = false
  /// Weights are `[height, width, out, in]`.
  var isTransposed = false

  /// `[batch, height, width, in] → [batch, height, width, out]`; `rectified` replaces negative results by 0.
  func results(_ inputs: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, rectified: Bool = false) -> Tensor {
    let (ci, co) = channels(weight.shape)
    let strides = strides(ci, co)
    let result = Tensor(uninitialized: [inputs.shape[0], y.output, x.output, co])
    sweep(y.forward, x.forward, ci, co).apply(
      weight.storage.pointer, strides, bias: bias?.storage.pointer, from: inputs.images, to: result.images,
      batch: inputs.shape[0], floor: rectified ? 0 : nil)
    let value = result.recorded(inputs, weight, bias) { upstream, inputs, _ in
      inputGradient(upstream, inputs[1])
    } _: { upstream, inputs, _ in
      weightGradient(inputs[0], upstream)
    }
    // As if relu had made these values out of others: where it cut is known from the values.
    return rectified ? value.recorded(value) { upstream, _, output in keepWherePositive(upstream, output) } : value
  }

  /// `[batch, height, width, out] → [batch, height, width, in]`: the gradient of the inputs from that of the results.
  func inputGradient(_ upstream: Tensor, _ weight: Tensor, _ bias: Tensor? = nil) -> Tensor {
    let (ci, co) = channels(weight.shape)
    let forward = strides(ci, co)
    let strides = ConvolutionSweep.WeightStrides(tap: forward.tap, source: forward.target, target: forward.source)
    let result = Tensor(uninitialized: [upstream.shape[0], y.input, x.input, ci])
    for row in y.backward {
      for column in x.backward {
        sweep(row, column, co, ci).apply(
          weight.storage.pointer, strides, bias: bias?.storage.pointer, from: upstream.images, to: result.images,
          batch: upstream.shape[0], floor: nil)
      }
    }
    return result.recorded(upstream, weight, bias) { outer, inputs, _ in
      results(outer, inputs[1])
    } _: { outer, inputs, _ in
      weightGradient(outer, inputs[0])
    }
  }

  /// The gradient of the weight from inputs and the results' gradient; zero for taps that are not computed.
  func weightGradient(_ inputs: Tensor, _ upstream: Tensor) -> Tensor {
    let (ci, co) = (inputs.shape[3], upstream.shape[3])
    let channels = isDepthwise ? [co] : isTransposed ? [co, ci] : [ci, co]
    let result = Tensor.zeros([y.kernel, x.kernel] + channels)
    sweep(y.forward, x.forward, ci, co).weightGradient(
      from: inputs.images, upstream.images, batch: inputs.shape[0], into: result.storage.pointer, strides(ci, co),
      taps: live.count)
    return result.recorded(inputs, upstream) { outer, inputs, _ in
      inputGradient(inputs[1], outer)
    } _: { outer, inputs, _ in
      results(inputs[0], outer)
    }
  }

  private func channels(_ weight: [Int]) -> (in: Int, out: Int) {
    isDepthwise ? (weight[2], weight[2]) : isTransposed ? (weight[3], weight[2]) : (weight[2], weight[3])
  }

  private func strides(_ ci: Int, _ co: Int) -> ConvolutionSweep.WeightStrides {
    if isDepthwise { return .init(tap: co, source: 1, target: 1) }
    return .init(tap: ci * co, source: isTransposed ? 1 : co, target: isTransposed ? ci : 1)
  }

  private func sweep(
    _ row: ConvolutionAxis.Sweep, _ column: ConvolutionAxis.Sweep, _ source: Int, _ target: Int
  ) -> ConvolutionSweep {
    ConvolutionSweep(
      row, column, kernelWidth: x.kernel, live: live, isDepthwise: isDepthwise, from: source, to: target)
  }
}

extension Tensor {
  /// Room for values that are about to be written.
  fileprivate init(uninitialized shape: [Int]) {
    self.init(storage: Storage(count: checkedCount(of: shape, in: "convolution")), shape: shape)
  }

  fileprivate var images: Images {
    Images(pointer: storage.pointer, height: shape[1], width: shape[2], channels: shape[3])
  }

  /// This value as the result of a bilinear operation with a bias over the last axis.
  fileprivate func recorded(
    _ a: Tensor, _ b: Tensor, _ bias: Tensor?, _ ruleA: @escaping Rule, _ ruleB: @escaping Rule
  ) -> Tensor {
    guard let bias, a.node != nil || b.node != nil || bias.node != nil, Recording.isOn else {
      return recorded(a, b, ruleA, ruleB)
    }
    return recorded(from: [a, b, bias], [ruleA, ruleB, { upstream, _, _ in upstream.sum(axes: [0, 1, 2]) }])
  }
}
