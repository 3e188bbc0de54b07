import Tensors
import TestSupport
import Testing

@testable import NeuralNetworks

/// Values and gradients against PyTorch's, in double precision, by `Tests/Reference/sequences.py`.
///
/// Each is a sum in which terms of either sign cancel, so errors are measured against the largest value of the result. In
/// the gradients of softmax and layer normalisation even the largest may be a small difference: a probability of 0.998
/// leaves y − y² thirty times less exact than y. Hence their wider tolerance; their values are compared more closely elsewhere.
@Suite struct SequenceReferenceTests {
  static let operations = [
    "matmul", "linear", "softmax", "logSoftmax", "categoricalLogLikelihood", "layerNormalized", "attention", "lstm",
    "gru", "few lstm", "few gru",
  ]

  @Test(arguments: operations)
  func `values and gradients are PyTorch's`(operation: String) throws {
    let cases = try #require(try ReferenceCases.read("sequences")[operation])
    cases.check(tolerance: operation == "softmax" || operation == "layerNormalized" ? 1e-4 : 1e-5, scale: 1) { one in
      withGradients(one) { inputs in result(of: operation, one, inputs) }
    }
  }

  private func result(of operation: String, _ one: ReferenceCases.Case, _ t: [Tensor]) -> [Tensor] {
    switch operation {
    case "matmul":
      return [
        matmul(
          t[0], t[1], transposingFirst: one["transposingFirst"] == 1, transposingSecond: one["transposingSecond"] == 1)
      ]
    case "linear": return [linear(t[0], t[1], t[2])]
    case "softmax": return [softmax(t[0], axis: one["axis"])]
    case "logSoftmax": return [logSoftmax(t[0], axis: one["axis"])]
    case "categoricalLogLikelihood": return [categoricalLogLikelihood(t[0], one.indices(1))]
    case "layerNormalized": return [layerNormalized(t[0], scale: t[1], offset: t[2], epsilon: 0.01)]
    case "attention":
      let (causal, mask) = (one["kind"] == 1, one["kind"] == 2 ? one.inputs[3] .> 0 : nil)
      return [attention(t[0], t[1], t[2], heads: one["heads"], causal: causal, mask: mask)]
    case "lstm", "few lstm":
      let found = lstm(t[0], hidden: t[1], cell: t[2], inputWeight: t[3], recurrentWeight: t[4], bias: t[5])
      return [found.outputs, found.hidden, found.cell]
    default:
      let found = gru(
        t[0], hidden: t[1], inputWeight: t[2], recurrentWeight: t[3], inputBias: t[4], recurrentBias: t[5])
      return [found.outputs, found.hidden]
    }
  }

  /// The outputs, then the gradients of the sum of their squares by the kernels, as many as are expected.
  private func withGradients(_ one: ReferenceCases.Case, _ function: ([Tensor]) -> [Tensor]) -> [Tensor] {
    let variables = one.inputs.map { $0.asVariable() }
    let outputs = function(variables)
    let loss = outputs.reduce(Tensor(0)) { $0 + square($1).sum() }
    let inputs = Array(variables.prefix(one.expected.count - outputs.count))
    return outputs + withoutGradients { gradients(of: loss, withRespectTo: inputs) }
  }
}
