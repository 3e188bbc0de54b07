import Foundation
import Tensors
import Testing

@testable import NeuralNetworks

/// Mistakes stop the program with the layer, the shapes, and the line of the mistake.
@Suite struct MistakeTests {
  struct Mistake: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let parts: [String]
    let line: Int
    let body: @Sendable (inout Random) -> Void

    init(_ name: String, _ parts: String..., line: Int = #line, body: @escaping @Sendable (inout Random) -> Void) {
      testDescription = name
      self.parts = parts
      self.line = line
      self.body = body
    }
  }

  static let x = p([2, 3], 1)
  static let images = p([2, 4, 4, 3], 1)

  static let mistakes: [Mistake] = [
    Mistake("Linear", "needs 1 input", "0 and 3") { _ = Linear(0, 3, using: &$0) },
    Mistake("Linear", "reads 4 values", "[2, 3]") { _ = Linear(4, 3, using: &$0)(x) },
    Mistake("MaskedLinear", "reads 4 values", "[2, 3]") { _ = MaskedLinear(mask: .ones([4, 2]), using: &$0)(x) },
    Mistake("MaskedLinear", "[inputs, outputs]", "[4]") { _ = MaskedLinear(mask: .ones([4]), using: &$0) },
    Mistake("MaskedLinear", "a mask of shape [4, 2], not [2, 4]", line: #line + 1) {
      MaskedLinear(mask: .ones([4, 2]), using: &$0).mask = .ones([2, 4])
    },
    Mistake("Residual", "cannot add [2, 1] to [2, 3]", "give a shortcut", line: #line + 2) { random in
      let block = Residual { Linear(3, 1, using: &random) }
      _ = block(x)
    },
    Mistake("BatchNorm", "momentum in 0…1", "2.0") { _ in _ = BatchNorm(3, momentum: 2) },
    Mistake("BatchNorm", "4 channels", "[2, 3]") { _ in _ = BatchNorm(4)(x) },
    Mistake("BatchNorm", "more than one value", "[1, 3]", "inference") { _ in _ = BatchNorm(3)(p([1, 3], 1)) },
    Mistake("LayerNorm", "4 channels", "[2, 3]") { _ in _ = LayerNorm(4)(x) },
    Mistake("GroupNorm", "cannot cut 3 channels into 2") { _ in _ = GroupNorm(groups: 2, 3) },
    Mistake("GroupNorm", "4 channels", "[2, 3]") { _ in _ = GroupNorm(groups: 2, 4)(x) },
    Mistake("InstanceNorm", "3 axes or more", "[2, 3]") { _ in _ = InstanceNorm(3)(x) },
    Mistake("Dropout", "below 1", "1.0") { _ = Dropout(1, using: &$0) },
    Mistake("dropout", "below 1", "-0.5") { _ = dropout(x, rate: -0.5, using: &$0) },
    Mistake("embedding", "the index 5") { _ = Embedding(5, 3, using: &$0)(IndexTensor([4, 5])) },
    Mistake("MultiHeadAttention", "5 among 2 heads") { _ = MultiHeadAttention(5, heads: 2, using: &$0) },
    Mistake("MultiHeadAttention", "[batch, time, 4]", "[2, 3]") { _ = MultiHeadAttention(4, heads: 2, using: &$0)(x) },
    Mistake("MultiHeadAttention", "needs a causal layer", line: #line + 2) {
      var cache = AttentionCache()
      _ = MultiHeadAttention(4, heads: 2, using: &$0)(.zeros([1, 1, 4]), cache: &cache)
    },
    Mistake("LSTM", "[batch, time, 4]", "[2, 3]") { _ = LSTM(4, 2, using: &$0)(x) },
    Mistake("GRU", "[batch, time, 4]", "[2, 3]") { _ = GRU(4, 2, using: &$0)(x) },
    Mistake("Conv1D", "[batch, time, 4]", "[2, 3]") { _ = Conv1D(4, 2, taps: 3, using: &$0)(x) },
    Mistake("Conv2D", "[batch, height, width, 4]", "[2, 4, 4, 3]") { _ = Conv2D(4, 2, size: 3, using: &$0)(images) },
    Mistake("Conv2D", "positive", "[0, 0, 4, 2]") { _ = Conv2D(4, 2, size: 0, using: &$0) },
    Mistake("ConvTranspose2D", "width, 4]", "[2, 3]") { _ = ConvTranspose2D(4, 2, size: 3, using: &$0)(x) },
    Mistake("MaskedConv1D", "[batch, time, 4]", "[2, 3]") { _ = MaskedConv1D(4, 2, mask: .ones([3]), using: &$0)(x) },
    Mistake("MaskedConv1D", "[taps]", "[3, 4]") { _ = MaskedConv1D(4, 2, mask: .ones([3, 4]), using: &$0) },
    Mistake("MaskedConv2D", "[height, width]", "[3]") { _ = MaskedConv2D(4, 2, mask: .ones([3]), using: &$0) },
    Mistake("MaskedConv2D", "width, 4]", "[2, 3]") { _ = MaskedConv2D(4, 2, mask: .ones([3, 3]), using: &$0)(x) },
    Mistake("ConvLSTMCell", "odd size", "2") { _ = ConvLSTMCell(4, 2, size: 2, using: &$0) },
    Mistake("ConvLSTMCell", "width, 4]", "[2, 3]") { _ = ConvLSTMCell(4, 2, size: 3, using: &$0)(x) },
    Mistake("SGD", "momentum", "1.0") { _ in _ = SGD([], learningRate: 1, momentum: 1) },
    Mistake("minimize", "none of the optimizer's 0 parameters", line: #line + 2) { _ in
      var optimizer = Adam([])
      optimizer.minimize(Tensor(1))
    },
    Mistake("clippedToNorm", "0.0") { _ in _ = clippedToNorm(0, [x]) },
    Mistake("ExponentialMovingAverage", "at most 1", "1.5") { _ in _ = ExponentialMovingAverage([], decay: 1.5) },
    Mistake("Schedule.steps", "1 step or more, not 0") { _ in _ = Schedule.steps(from: 1, factor: 1, every: 0) },
    Mistake("Initialization", "[…, inputs, outputs]", "[3]") { _ = Initialization.zeros.sample([3], using: &$0) },
    Mistake("layerNormalized", "[2]", "[3]", "[2, 3]", line: #line + 1) { _ in
      _ = layerNormalized(x, scale: .ones([2]), offset: .zeros([3]))
    },
    Mistake("attention", "[2, 3]", "[2, 2]") { _ in _ = attention(x, .zeros([2, 2]), x) },
    Mistake("attention", "[2, 3]", "2 heads") { _ in _ = attention(x, x, x, heads: 2) },
    Mistake("attention", "causal", "[2, 3]", "[1, 3]", line: #line + 1) { _ in
      _ = attention(x, .zeros([1, 3]), .zeros([1, 3]), causal: true)
    },
    Mistake("attention", "mask [3, 2]", "[2, 2]") { _ in _ = attention(x, x, x, mask: .zeros([3, 2])) },
    Mistake("lstm", "[2, 3]", "[batch, time, inputs]", line: #line + 1) { _ in
      _ = lstm(x, hidden: x, cell: x, inputWeight: x, recurrentWeight: x, bias: x)
    },
    Mistake("lstm", "the cell [2, 2]", "[2, 1]", line: #line + 1) { _ in
      _ = lstm(
        .zeros([2, 1, 1]), hidden: .zeros([2, 1]), cell: .zeros([2, 2]), inputWeight: .zeros([1, 4]),
        recurrentWeight: .zeros([1, 4]),
        bias: .zeros([4]))
    },
    Mistake("gru", "[2, 5, 3]", "[3, 12]", "[4, 12]", "[3, 16]", line: #line + 1) { _ in
      _ = gru(
        .zeros([2, 5, 3]), hidden: .zeros([2, 4]), inputWeight: .zeros([3, 16]), recurrentWeight: .zeros([4, 12]),
        inputBias: .zeros([12]),
        recurrentBias: .zeros([12]))
    },
  ]

  @Test(arguments: mistakes.indices)
  func `a mistake names the layer, shapes, file and line`(index: Int) async {
    let result = await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) { [index] in
      var random = Random(seed: 1)
      MistakeTests.mistakes[index].body(&random)
    }
    let mistake = Self.mistakes[index]
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.hasPrefix("error: \(mistake.testDescription): "), "\(message)")
    for part in mistake.parts + ["/MistakeTests.swift:\(mistake.line)"] {
      #expect(message.contains(part), "\(message)")
    }
    #expect(message.split(separator: "\n").count == 1, "\(message)")
  }
}
