import Convolutions
import NeuralNetworks
import Tensors

private let million = 1_048_576

/// The operations that are timed.
let timedOperations = elementwise + reductions + movements + products + convolutions

private let elementwise: [TimedOperation] = [
  TimedOperation("add", .traffic(3 * million), [1024, 1024], [1024, 1024]) { $0[0] + $0[1] },
  TimedOperation("add a row", .traffic(2 * million), [1024, 1024], [1024]) { $0[0] + $0[1] },
  TimedOperation("add a column", .traffic(2 * million), [1024, 1024], [1024, 1]) { $0[0] + $0[1] },
  TimedOperation("multiply", .traffic(3 * million), [1024, 1024], [1024, 1024]) { $0[0] * $0[1] },
  TimedOperation("divide", .traffic(3 * million), [1024, 1024], [1024, 1024], bounds: [-1...1, 1...2]) {
    $0[0] / $0[1]
  },
  TimedOperation("exp", .traffic(2 * million), [1024, 1024]) { exp($0[0]) },
  TimedOperation("log", .traffic(2 * million), [1024, 1024], bounds: [1...2]) { log($0[0]) },
  TimedOperation("sqrt", .traffic(2 * million), [1024, 1024], bounds: [0...1]) { sqrt($0[0]) },
  TimedOperation("sin", .traffic(2 * million), [1024, 1024]) { sin($0[0]) },
  TimedOperation("tanh", .traffic(2 * million), [1024, 1024]) { tanh($0[0]) },
  TimedOperation("sigmoid", .traffic(2 * million), [1024, 1024]) { sigmoid($0[0]) },
  TimedOperation("softplus", .traffic(2 * million), [1024, 1024]) { softplus($0[0]) },
  TimedOperation("relu", .traffic(2 * million), [1024, 1024]) { relu($0[0]) },
  TimedOperation("gelu", .traffic(2 * million), [1024, 1024]) { gelu($0[0]) },
  TimedOperation("gelu", .traffic(2 * million), [1024, 1024]) { gelu($0[0]) }.differentiated,
]

private let layerNorm = TimedOperation("layer norm", .traffic(2 * million), [4096, 256], [256], [256]) {
  layerNormalized($0[0], scale: $0[1], offset: $0[2])
}

private let reductions: [TimedOperation] = [
  TimedOperation("sum", .traffic(million), [1024, 1024], bounds: [0...1]) { $0[0].sum() },
  TimedOperation("sum of rows", .traffic(million), [1024, 1024], bounds: [0...1]) { $0[0].sum(axis: 1) },
  TimedOperation("sum of columns", .traffic(million), [1024, 1024], bounds: [0...1]) { $0[0].sum(axis: 0) },
  TimedOperation("sum of the middle", .traffic(million), [64, 256, 64], bounds: [0...1]) { $0[0].sum(axis: 1) },
  TimedOperation("mean", .traffic(million), [1024, 1024], bounds: [0...1]) { $0[0].mean() },
  TimedOperation("variance", .traffic(million), [1024, 1024]) { $0[0].variance(axes: [1]) },
  TimedOperation("max", .traffic(million), [1024, 1024]) { $0[0].max(axis: 1) },
  TimedOperation("max of columns", .traffic(million), [1024, 1024]) { $0[0].max(axis: 0) },
  TimedOperation("argmax", .traffic(million), [1024, 1024]) { Tensor($0[0].argmax(axis: 1)) },
  TimedOperation("argmax of columns", .traffic(million), [1024, 1024]) { Tensor($0[0].argmax(axis: 0)) },
  TimedOperation("logSumExp", .traffic(million), [1024, 1024]) { $0[0].logSumExp(axis: 1) },
  TimedOperation("cumulative sum", .traffic(2 * million), [1024, 1024], bounds: [0...1]) {
    $0[0].cumulativeSum(axis: 1)
  },
  TimedOperation("sort", .traffic(2 * 131_072), [128, 1024]) { $0[0].sorted(axis: 1).values },
  TimedOperation("softmax", .traffic(2 * million), [1024, 1024]) { softmax($0[0]) },
  TimedOperation("softmax", .traffic(2 * million), [1024, 1024]) { softmax($0[0]) }.differentiated,
  layerNorm, layerNorm.differentiated,
]

private let movements: [TimedOperation] = [
  TimedOperation("transpose", .traffic(2 * million), [1024, 1024]) { $0[0].transposed() },
  TimedOperation("swap heads", .traffic(2 * million), [64, 128, 8, 16]) { $0[0].permuted([0, 2, 1, 3]) },
  TimedOperation("concatenate", .traffic(4 * million), [1024, 1024], [1024, 1024]) { concatenate($0.tensors, axis: 1) },
  TimedOperation("slice", .traffic(2 * 1024 * 800), [1024, 1024]) { $0[0].sliced(100..<900, axis: 1) },
  TimedOperation("pad", .traffic(2 * million), [1024, 1024]) { $0[0].padded(before: 1, after: 1, axis: 1) },
  TimedOperation("repeat", .traffic(2 * million), [1024, 512]) { $0[0].repeated(2, axis: 1) },
  TimedOperation("tile", .traffic(2 * million), [1024, 512]) { $0[0].tiled(times: 2, axis: 0) },
  TimedOperation("flip", .traffic(2 * million), [1024, 1024]) { $0[0].flipped(axis: 1) },
  TimedOperation("roll", .traffic(2 * million), [1024, 1024]) { $0[0].rolled(by: 100, axis: 1) },
  TimedOperation("embedding", .traffic(2 * million), [1000, 256], [4096], bounds: [-1...1, 0...999]) {
    embedding($0[0], $0.indices)
  },
  TimedOperation("gather", .traffic(3 * million), [1024, 1024], [1024, 1024], bounds: [-1...1, 0...1023]) {
    $0[0].gathered(at: $0.indices, axis: 1)
  },
  TimedOperation(
    "scatter-add", .traffic(4 * million), [1024, 1024], [1024, 1024], [1024, 1024], bounds: [-1...1, -1...1, 0...1023]
  ) {
    $0[0].scatterAdded($0[1], at: $0.indices, axis: 1)
  },
  TimedOperation(
    "scatter-add to rows", .traffic(2 * million), [1000, 256], [4096, 256], [4096, 256],
    bounds: [-1...1, -1...1, 0...999]
  ) {
    $0[0].scatterAdded($0[1], at: $0.indices, axis: 0)
  },
]

private let causalAttention = TimedOperation(
  "attention", .arithmetic(2 * 128 * 64 * 64 * 16), [32, 64, 64], [32, 64, 64], [32, 64, 64]
) { attention($0[0], $0[1], $0[2], heads: 4, causal: true) }

private let products: [TimedOperation] = [
  TimedOperation("matmul 512", .arithmetic(2 * 512 * 512 * 512), [512, 512], [512, 512]) { matmul($0[0], $0[1]) },
  TimedOperation("matmul 128×784×400", .arithmetic(2 * 128 * 784 * 400), [128, 784], [784, 400]) {
    matmul($0[0], $0[1])
  },
  TimedOperation("matmul 32×288×12544", .arithmetic(2 * 32 * 288 * 12_544), [32, 288], [288, 12_544]) {
    matmul($0[0], $0[1])
  },
  TimedOperation("matmul of heads", .arithmetic(2 * 128 * 64 * 64 * 16), [128, 64, 16], [128, 64, 16]) {
    matmul($0[0], $0[1], transposingSecond: true)
  },
  causalAttention, causalAttention.differentiated,
]

private let convolutions: [TimedOperation] =
  [
    image("convolution 3×3, 32", [64, 28, 28, 32], [3, 3, 32, 32], 1, out: 28),
    image("convolution 3×3, 64", [64, 14, 14, 64], [3, 3, 64, 64], 1, out: 14),
    image("convolution 1×1, 64", [64, 14, 14, 64], [1, 1, 64, 64], 0, out: 14),
    image("convolution 5×5, 1 to 32", [64, 28, 28, 1], [5, 5, 1, 32], 2, out: 28),
    image("convolution 4×4 by 2", [64, 14, 14, 64], [4, 4, 64, 128], 1, stride: 2, out: 7),
  ].flatMap { [$0, $0.differentiated] } + [
    TimedOperation("depthwise 3×3", .arithmetic(2 * 9 * 64 * 784 * 64), [64, 28, 28, 64], [3, 3, 64], [64]) {
      depthwiseConvolution2D($0[0], $0[1], $0[2], padding: .same)
    },
    TimedOperation(
      "transposed 4×4 by 2", .arithmetic(2 * 16 * 128 * 64 * 49 * 64), [64, 7, 7, 128], [4, 4, 128, 64], [64]
    ) {
      transposedConvolution2D($0[0], $0[1], $0[2], stride: 2, padding: 1)
    },
    TimedOperation("causal, dilated", .arithmetic(2 * 2 * 64 * 64 * 8192), [8, 1024, 64], [2, 64, 64], [64]) {
      convolution1D($0[0], $0[1], $0[2], padding: .causal, dilation: 64)
    },
    TimedOperation("bilinear to twice the size", .traffic(5 * 64 * 196 * 32), [64, 14, 14, 32]) {
      resizedBilinear($0[0], height: 28, width: 28)
    },
    TimedOperation("average pool", .traffic(64 * 784 * 32), [64, 28, 28, 32]) { averagePool2D($0[0], size: 2) },
    TimedOperation("max pool", .traffic(64 * 784 * 32), [64, 28, 28, 32]) { maxPool2D($0[0], size: 2) },
  ]

private func image(
  _ name: String, _ input: [Int], _ weight: [Int], _ padding: Int, stride: Int = 1, out: Int
) -> TimedOperation {
  let arithmetic = 2 * weight.reduce(1, *) * input[0] * out * out
  return TimedOperation(name, .arithmetic(Double(arithmetic)), input, weight, [weight[3]]) {
    convolution2D($0[0], $0[1], $0[2], stride: stride, padding: .amount(padding))
  }
}
