import Convolutions
import LinearAlgebra
import Tensors
import Testing

@testable import NeuralNetworks

/// A small network in training; together these touch every family of kernels, with sizes for several threads.
struct TrainingRun: CustomTestStringConvertible, Sendable {
  /// Takes one step and returns the loss before it.
  typealias Step = () -> Tensor

  let testDescription: String
  let begin: @Sendable () -> (model: any Module, step: Step)

  /// The losses of some steps and the parameters after them, to the bit.
  func bits(steps: Int) -> [[UInt32]] {
    let (model, step) = begin()
    let losses = (0..<steps).map { _ in step() }
    return (losses + model.parameters.map(\.parameter.wrappedValue)).map { $0.scalars.map(\.bitPattern) }
  }
}

let trainingRuns = [
  TrainingRun(testDescription: "multilayer perceptron", begin: perceptron),
  TrainingRun(testDescription: "convolutional network", begin: convolutionalNetwork),
  TrainingRun(testDescription: "recurrent network", begin: recurrentNetwork),
  TrainingRun(testDescription: "transformer", begin: transformer),
  TrainingRun(testDescription: "flow with a penalty on gradients", begin: penalisedFlow),
]

/// Steps that minimise a loss of the model.
private func steps<M: Module>(
  of model: M, _ optimizer: some Optimizer, seed: UInt64, _ loss: @escaping (M, inout Random) -> Tensor
) -> TrainingRun.Step {
  var (optimizer, random) = (optimizer, Random(seed: seed))
  return {
    let value = loss(model, &random)
    optimizer.minimize(value, clippingToNorm: 1)
    return value.detached()
  }
}

/// Matrix products, activations, layer normalisation, dropout, weight normalisation, softmax; Adam and an average.
@Sendable private func perceptron() -> (model: any Module, step: TrainingRun.Step) {
  var random = Random(seed: 11)
  let model = Sequential {
    Linear(300, 160, using: &random)
    gelu
    LayerNorm(160)
    Dropout(0.2, using: &random)
    WeightNormalized(Linear(160, 170, using: &random))
    Function { x in silu(x) + elu(x) * sigmoid(x) - softplus(x) + tanh(x) + leakyRelu(x) + sin(x) * abs(x) }
    Linear(170, 10, using: &random)
  }
  let step = steps(of: model, Adam(model.parameters), seed: 12) { model, random in
    let x = Tensor.normal([300, 300], using: &random)
    let labels = (x.sliced(0..<10, axis: 1) + Tensor.gumbel([300, 10], using: &random)).argmax(axis: 1)
    return -categoricalLogLikelihood(model(x), labels).mean() + model(x).clamped(to: -1...1).variance()
  }
  var average = ExponentialMovingAverage(model.parameters, decay: 0.9)
  let averaged: TrainingRun.Step = {
    let loss = step()
    average.update()
    return loss + average.withAverages { model.parameters[0].parameter.wrappedValue.detached().mean() }
  }
  return (model, averaged)
}

private final class Pixels: Module {
  @Parameter var depthwise: Tensor
  let first: Conv2D, masked: MaskedConv2D, up: ConvTranspose2D
  let batch = BatchNorm(16)
  let group = GroupNorm(groups: 4, 32)

  init(using random: inout Random) {
    depthwise = Tensor.normal([3, 3, 32], using: &random) * 0.3
    first = Conv2D(3, 16, size: 3, padding: .same, using: &random)
    masked = MaskedConv2D(16, 32, mask: Tensor([[1, 1, 1], [1, 0, 0], [0, 0, 0]]), using: &random)
    up = ConvTranspose2D(32, 3, size: 4, stride: 2, padding: 1, using: &random)
  }

  /// Logits for images `[batch, 32, 32, 3]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let halved = maxPool2D(relu(batch(first(x))), size: 2)
    let normal = relu(group(masked(halved)))
    let mixed = depthwiseConvolution2D(normal, depthwise, padding: .same)
    let small = averagePool2D(mixed, size: 2)
    let blurred = resizedBilinear(small, height: 16, width: 16) + resizedNearest(small, height: 16, width: 16)
    return up(normal + depthToSpace(spaceToDepth(blurred, block: 2), block: 2))
  }
}

/// Convolutions of every kind, pooling, resizing, batch and group normalisation, pixel likelihoods; Nesterov's momentum.
@Sendable private func convolutionalNetwork() -> (model: any Module, step: TrainingRun.Step) {
  var random = Random(seed: 21)
  let model = Pixels(using: &random)
  let optimizer = SGD(model.parameters, learningRate: 0.05, momentum: 0.9, nesterov: true)
  return (
    model,
    steps(of: model, optimizer, seed: 22) { model, random in
      let x = Tensor.bernoulli(.uniform([8, 32, 32, 3], using: &random), using: &random)
      return -bernoulliLogLikelihood(x.flipped(axis: 2), logits: model(x)).sum(axes: [1, 2, 3]).mean()
    }
  )
}

private final class Memories: Module {
  let taps: Conv1D, long: LSTM, gated: GRU, images: ConvLSTMCell

  init(using random: inout Random) {
    taps = Conv1D(12, 24, taps: 3, padding: .causal, dilation: 2, using: &random)
    long = LSTM(24, 40, using: &random)
    gated = GRU(40, 33, using: &random)
    images = ConvLSTMCell(2, 3, size: 3, using: &random)
  }
}

/// Causal convolutions and recurrent networks; RMSprop.
@Sendable private func recurrentNetwork() -> (model: any Module, step: TrainingRun.Step) {
  var random = Random(seed: 31)
  let model = Memories(using: &random)
  return (
    model,
    steps(of: model, RMSprop(model.parameters, learningRate: 1e-3), seed: 32) { model, random in
      let x = Tensor.logistic([24, 20, 12], using: &random)
      let y = model.gated(model.long(relu(model.taps(x))))
      let images = x.reshaped(to: [24, 10, 12, 2])
      let state = model.images(images, from: model.images(images))
      return square(y - y.rolled(by: 1, axis: 1)).mean() - y.cumulativeSum(axis: 1).mean() + exp(state.cell).mean()
    }
  )
}

private final class Decoder: Module {
  let words: Embedding, attention: MultiHeadAttention, norm = LayerNorm(48), output: Linear

  init(using random: inout Random) {
    words = Embedding(50, 48, using: &random)
    attention = MultiHeadAttention(48, heads: 3, causal: true, using: &random)
    output = Linear(48, 50, using: &random)
  }

  func callAsFunction(_ tokens: IndexTensor) -> Tensor {
    let x = words(tokens)
    return output(norm(x + attention(x)))
  }
}

/// Embeddings, attention and sampled tokens; AdamW.
@Sendable private func transformer() -> (model: any Module, step: TrainingRun.Step) {
  var random = Random(seed: 41)
  let model = Decoder(using: &random)
  return (
    model,
    steps(of: model, AdamW(model.parameters), seed: 42) { model, random in
      let tokens = IndexTensor.categorical(logits: .zeros([16, 40, 50]), using: &random)
      let logits = model(tokens.sliced(0..<39, axis: 1))
      return -categoricalLogLikelihood(logits, tokens.sliced(1..<40, axis: 1)).mean() + softmax(logits).max()
    }
  )
}

private final class Flow: Module {
  @Parameter var matrix: Tensor
  let critic: SpectrallyNormalized

  init(using random: inout Random) {
    matrix = Initialization.orthogonal().sample([32, 32], using: &random)
    critic = SpectrallyNormalized(Linear(32, 30, using: &random), using: &random)
  }
}

/// Linear algebra, sorting, gathering, and second-order gradients; plain descent.
@Sendable private func penalisedFlow() -> (model: any Module, step: TrainingRun.Step) {
  var random = Random(seed: 51)
  let model = Flow(using: &random)
  return (
    model,
    steps(of: model, SGD(model.parameters, learningRate: 0.01), seed: 52) { model, random in
      let x = Tensor.normal([1100, 32], using: &random)
      let z = solve(model.matrix, matmul(x, inverse(model.matrix) * 0.5).transposed()).transposed()
      let order = IndexTensor.permutation(1100, using: &random)
      let shuffled = embedding(z, order)
      let spread = cholesky(matmul(z, z, transposingFirst: true) / 1100)
      let values = symmetricEigenvalues(spread.detached()).sum() + singularValueDecomposition(spread).values.sum()
      let slope = gradient(at: z) { softplus(model.critic($0)).logSumExp(axis: 1).sum() }
      let best = z.sorted(axis: 1).indices.sliced(31..<32, axis: 1)
      return square(shuffled).mean() - logDeterminant(model.matrix).logMagnitude * 0.1 + (slope * slope).mean()
        + z.gathered(at: best, axis: 1).mean() + spread.product(axis: 0).sum() * 1e-3 + values.detached() * 1e-3
    }
  )
}
