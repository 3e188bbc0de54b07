import Foundation
import Tensors
import TestSupport
import Testing

@testable import NeuralNetworks

@Suite struct AttentionFunctionTests {
  @Test func `values by hand`() {
    // One head of depth 1: the second query scores ln 3 on the first key and 0 on the second.
    let (queries, keys) = (Tensor([[0], [1]]), Tensor([[Float(log(3.0))], [0]]))
    let values = Tensor([[4, 0], [0, 8]])
    expect(attention(queries, keys, values), shape: [2, 2], [2, 4, 3, 2], tolerance: 1e-6)
    expect(attention(queries, keys, values, causal: true), [4, 0, 3, 2], tolerance: 1e-6)
    expect(attention(queries, keys, values, mask: Tensor([[0, 1], [0, 0]])), [0, 8, 0, 0])
    // Depth 4 divides the scores by 2.
    let deep = attention(
      .ones([1, 4]), Tensor([[Float(log(3.0)), Float(log(3.0)), 0, 0], [0, 0, 0, 0]]), Tensor([[1], [0]]))
    expect(deep, shape: [1, 1], [0.75], tolerance: 1e-6)
  }

  struct Form: Sendable, CustomTestStringConvertible {
    var leading = [2]
    var heads = 1
    var time = 3
    var keyTime = 3
    var depth = 2
    var valueDepth = 3
    var causal = false
    var mask: [Int]?
    var testDescription: String {
      "\(leading) \(heads)×\(depth)/\(valueDepth) \(time)→\(keyTime) \(causal) \(mask ?? [])"
    }

    var inputs: [Tensor] {
      [
        normal(leading + [time, heads * depth], seed: 420), normal(leading + [keyTime, heads * depth], seed: 421),
        normal(leading + [keyTime, heads * valueDepth], seed: 422),
      ]
    }
    func value(_ inputs: [Tensor]) -> Tensor {
      attention(
        inputs[0], inputs[1], inputs[2], heads: heads, causal: causal,
        mask: mask.map { uniform($0, in: 0..<1, seed: 423) .< 0.7 })
    }

    /// Each element of the definition, in double precision.
    var expected: [Float] {
      let (q, k, v) = (inputs[0].scalars, inputs[1].scalars, inputs[2].scalars)
      let batch = leading.reduce(1, *)
      let allowed = mask.map {
        (uniform($0, in: 0..<1, seed: 423) .< 0.7).broadcast(to: leading + [time, keyTime]).scalars
      }
      var result = [Float](repeating: 0, count: batch * time * heads * valueDepth)
      for b in 0..<batch {
        for h in 0..<heads {
          for i in 0..<time {
            let weights = (0..<keyTime).map { j -> Double in
              let isHidden = (causal && j > i + keyTime - time) || allowed?[(b * time + i) * keyTime + j] == 0
              let products = (0..<depth).map { d in
                Double(q[(b * time + i) * heads * depth + h * depth + d])
                  * Double(k[(b * keyTime + j) * heads * depth + h * depth + d])
              }
              return isHidden ? 0 : Foundation.exp(products.reduce(0, +) / Double(depth).squareRoot())
            }
            let sum = weights.reduce(0, +)
            for d in 0..<valueDepth where sum > 0 {
              let total = (0..<keyTime).reduce(0.0) {
                $0 + weights[$1] * Double(v[(b * keyTime + $1) * heads * valueDepth + h * valueDepth + d])
              }
              result[(b * time + i) * heads * valueDepth + h * valueDepth + d] = Float(total / sum)
            }
          }
        }
      }
      return result
    }
  }

  static let small: [Form] = [
    Form(), Form(heads: 2, causal: true), Form(leading: [], time: 2, keyTime: 5, causal: true),
    Form(leading: [1, 2], heads: 3, time: 4, keyTime: 1, depth: 1, valueDepth: 1),
    Form(time: 1, keyTime: 4, mask: [1, 4]),
    Form(heads: 2, mask: [3, 3]), Form(heads: 2, causal: true, mask: [2, 1, 3]), Form(leading: [3], mask: [3, 3, 3]),
  ]
  static let large: [Form] = [
    Form(heads: 2, time: 40, keyTime: 40, depth: 16, valueDepth: 16, causal: true),
    Form(heads: 3, time: 33, keyTime: 50, depth: 5, valueDepth: 19, causal: true, mask: [2, 33, 50]),
    Form(time: 17, keyTime: 16, depth: 20, valueDepth: 1),
    Form(leading: [1], time: 1, keyTime: 65, depth: 17, causal: true),
    Form(leading: [0]), Form(time: 0), Form(time: 0, keyTime: 0, causal: true), Form(keyTime: 0),
  ]

  @Test(arguments: small + large)
  func `it is its definition`(form: Form) {
    expect(
      form.value(form.inputs), shape: form.leading + [form.time, form.heads * form.valueDepth], form.expected,
      tolerance: 2e-6)
  }

  @Test(arguments: small)
  func `gradients of both orders`(form: Form) { expectGradients(at: form.inputs, of: form.value) }

  @Test(arguments: large)
  func `gradients by kernels are those of the definition`(form: Form) {
    let inputs = form.inputs.map { $0.asVariable() }
    let loss = square(form.value(inputs)).sum()
    let byKernel = withoutGradients { gradients(of: loss, withRespectTo: inputs) }
    for (found, wanted) in zip(byKernel, gradients(of: loss, withRespectTo: inputs)) { expectClose(found, wanted) }
  }

  @Test func `a later query attends as in the whole sequence, with the keys kept from before`() {
    let x = normal([2, 20, 8], seed: 424)
    let whole = attention(x, x, x, heads: 2, causal: true)
    for t in [0, 1, 15, 16, 19] {
      let past = x.sliced(0..<t + 1, axis: 1)
      let step = attention(x.sliced(t..<t + 1, axis: 1), past, past, heads: 2, causal: true)
      expectClose(step, whole.sliced(t..<t + 1, axis: 1), tolerance: 1e-6)
    }
  }

  @Test func `a causal query depends on nothing later`() {
    let x = normal([1, 20, 4], seed: 425)
    for t in [0, 3, 16] {
      let slope = withoutGradients {
        gradient(at: x) { attention($0, $0, $0, heads: 2, causal: true).sliced(t..<t + 1, axis: 1).sum() }
      }
      #expect(slope.sliced(t + 1..<20, axis: 1).scalars.allSatisfy { $0 == 0 })
      #expect(slope.sliced(t..<t + 1, axis: 1).scalars.contains { $0 != 0 })
    }
  }

  @Test func `several threads give the same as one`() {
    let form = Form(leading: [6], heads: 4, time: 30, keyTime: 30, depth: 8, valueDepth: 8, causal: true)
    let results = [1, 3].map { threads in
      Threads.with(threads) {
        let inputs = form.inputs.map { $0.asVariable() }
        let y = form.value(inputs)
        let loss = square(y).sum()
        return withoutGradients { [y] + gradients(of: loss, withRespectTo: inputs) }
      }
    }
    for (one, three) in zip(results[0], results[1]) { #expect(bits(one) == bits(three)) }
  }
}
