import Foundation
import Tensors
import TestSupport
import Testing

@testable import NeuralNetworks

@Suite struct RecurrentFunctionTests {
  struct Form: Sendable, CustomTestStringConvertible {
    let batch, time, inputs, hidden: Int
    var testDescription: String { "batch \(batch), time \(time), inputs \(inputs), hidden \(hidden)" }

    /// x, h, weights of the input and of h, and two biases for this many gates.
    func tensors(gates: Int) -> [Tensor] {
      let width = gates * hidden
      return [
        normal([batch, time, inputs], seed: 430), normal([batch, hidden], seed: 431),
        normal([inputs, width], seed: 432) * 0.5, normal([hidden, width], seed: 433) * 0.5, normal([width], seed: 434),
        normal([width], seed: 435), normal([batch, hidden], seed: 436),
      ]
    }
  }

  static func lstmStates(_ t: [Tensor]) -> [Tensor] {
    let found = lstm(t[0], hidden: t[1], cell: t[6], inputWeight: t[2], recurrentWeight: t[3], bias: t[4])
    return [found.outputs, found.hidden, found.cell]
  }
  static func gruStates(_ t: [Tensor]) -> [Tensor] {
    let found = gru(t[0], hidden: t[1], inputWeight: t[2], recurrentWeight: t[3], inputBias: t[4], recurrentBias: t[5])
    return [found.outputs, found.hidden]
  }
  static func joined(_ states: [Tensor]) -> Tensor { concatenate(states.map { $0.reshaped(to: [-1]) }, axis: 0) }

  static let small = [
    Form(batch: 1, time: 1, inputs: 1, hidden: 1), Form(batch: 2, time: 3, inputs: 2, hidden: 3),
    Form(batch: 3, time: 2, inputs: 1, hidden: 2), Form(batch: 0, time: 2, inputs: 1, hidden: 2),
    Form(batch: 2, time: 0, inputs: 1, hidden: 2), Form(batch: 2, time: 2, inputs: 0, hidden: 1),
  ]
  static let large = [
    Form(batch: 9, time: 5, inputs: 7, hidden: 17), Form(batch: 17, time: 3, inputs: 16, hidden: 16),
    Form(batch: 2, time: 4, inputs: 3, hidden: 40),
  ]

  @Test func `one step of each by hand`() {
    let half = Float(log(3.0))  // sigmoid ¾
    let found = lstm(
      Tensor([1], shape: [1, 1, 1]), hidden: .zeros([1, 1]), cell: Tensor([[2]]),
      inputWeight: Tensor([[half, 0, half, -half]]),
      recurrentWeight: .zeros([1, 4]), bias: .zeros([4]))
    // c = ½·2 + ¾·tanh(ln 3) = 1 + ¾·0.8, and h = ¼·tanh(1.6).
    expect(found.cell, shape: [1, 1], [1.6], tolerance: 1e-6)
    expect(found.outputs, shape: [1, 1, 1], [0.25 * Float(tanh(1.6))], tolerance: 1e-6)
    expect(found.hidden, shape: [1, 1], [0.25 * Float(tanh(1.6))], tolerance: 1e-6)
    let unit = gru(
      Tensor([1], shape: [1, 1, 1]), hidden: Tensor([[1]]), inputWeight: .zeros([1, 3]),
      recurrentWeight: .zeros([1, 3]),
      inputBias: Tensor([0, half, 0]), recurrentBias: Tensor([0, 0, 2 * half]))
    // r = ½ inside the candidate: n = tanh(½·2·ln 3) = 0.8; h = ¼·0.8 + ¾·1.
    expect(unit.hidden, shape: [1, 1], [0.95], tolerance: 1e-6)
  }

  @Test(arguments: small + large)
  func `each is its steps in plain operations`(form: Form) {
    let t = form.tensors(gates: 4)
    let found = Self.lstmStates(t)
    expectClose(found[0], lstmSteps(t, form).outputs, tolerance: 2e-6)
    expectClose(found[1], lstmSteps(t, form).hidden, tolerance: 2e-6)
    expectClose(found[2], lstmSteps(t, form).cell, tolerance: 2e-6)
    let u = form.tensors(gates: 3)
    expectClose(Self.gruStates(u)[0], gruSteps(u, form).outputs, tolerance: 2e-6)
    expectClose(Self.gruStates(u)[1], gruSteps(u, form).hidden, tolerance: 2e-6)
  }

  @Test(arguments: small)
  func `gradients of both orders`(form: Form) {
    var t = form.tensors(gates: 4)
    t.remove(at: 5)
    expectGradients(at: t) { Self.joined(Self.lstmStates(Array($0[..<5]) + [$0[4], $0[5]])) }
    expectGradients(at: Array(form.tensors(gates: 3).dropLast())) { Self.joined(Self.gruStates($0)) }
  }

  @Test(arguments: large)
  func `gradients by kernels are those of the steps`(form: Form) {
    for (gates, states) in [(4, Self.lstmStates), (3, Self.gruStates)] {
      let all = form.tensors(gates: gates).map { $0.asVariable() }
      let used = gates == 4 ? [0, 1, 2, 3, 4, 6] : [0, 1, 2, 3, 4, 5]
      let loss = square(Self.joined(states(all))).sum()
      let byKernel = withoutGradients { gradients(of: loss, withRespectTo: used.map { all[$0] }) }
      let byDefinition = gradients(of: loss, withRespectTo: used.map { all[$0] })
      for (found, wanted) in zip(byKernel, byDefinition) { expectClose(found, wanted) }
    }
  }

  @Test func `a sequence in two parts is the whole`() {
    let t = Form(batch: 3, time: 7, inputs: 2, hidden: 5).tensors(gates: 4)
    let whole = Self.lstmStates(t)
    var part = t
    part[0] = t[0].sliced(0..<4, axis: 1)
    let first = Self.lstmStates(part)
    (part[0], part[1], part[6]) = (t[0].sliced(4..<7, axis: 1), first[1], first[2])
    let second = Self.lstmStates(part)
    expectClose(concatenate([first[0], second[0]], axis: 1), whole[0], tolerance: 1e-6)
    expectClose(second[2], whole[2], tolerance: 1e-6)
  }

  @Test func `several threads give the same as one`() {
    let form = Form(batch: 37, time: 6, inputs: 8, hidden: 24)
    for (gates, states) in [(4, Self.lstmStates), (3, Self.gruStates)] {
      let results = [1, 3].map { threads in
        Threads.with(threads) {
          let all = form.tensors(gates: gates).map { $0.asVariable() }
          let y = states(all)
          let loss = square(Self.joined(y)).sum()
          return withoutGradients { y + gradients(of: loss, withRespectTo: Array(all[..<5])) }
        }
      }
      for (one, three) in zip(results[0], results[1]) { expectClose(one, three, tolerance: 1e-6) }
    }
  }

  private func lstmSteps(_ t: [Tensor], _ form: Form) -> (outputs: Tensor, hidden: Tensor, cell: Tensor) {
    var (h, c, outputs) = (t[1], t[6], Tensor.zeros([form.batch, 0, form.hidden]))
    for step in 0..<form.time {
      let sums =
        linear(t[0].sliced(step..<step + 1, axis: 1).reshaped(to: [form.batch, form.inputs]), t[2], t[4])
        + matmul(h, t[3])
      let part = { (gate: Int) in sums.sliced(gate * form.hidden..<(gate + 1) * form.hidden, axis: 1) }
      c = sigmoid(part(1)) * c + sigmoid(part(0)) * tanh(part(2))
      h = sigmoid(part(3)) * tanh(c)
      outputs = concatenate([outputs, h.reshaped(to: [form.batch, 1, form.hidden])], axis: 1)
    }
    return (outputs, h, c)
  }

  private func gruSteps(_ t: [Tensor], _ form: Form) -> (outputs: Tensor, hidden: Tensor) {
    var (h, outputs) = (t[1], Tensor.zeros([form.batch, 0, form.hidden]))
    for step in 0..<form.time {
      let a = linear(t[0].sliced(step..<step + 1, axis: 1).reshaped(to: [form.batch, form.inputs]), t[2], t[4])
      let b = linear(h, t[3], t[5])
      let part = { (x: Tensor, gate: Int) in x.sliced(gate * form.hidden..<(gate + 1) * form.hidden, axis: 1) }
      let (r, z) = (sigmoid(part(a, 0) + part(b, 0)), sigmoid(part(a, 1) + part(b, 1)))
      h = (1 - z) * tanh(part(a, 2) + r * part(b, 2)) + z * h
      outputs = concatenate([outputs, h.reshaped(to: [form.batch, 1, form.hidden])], axis: 1)
    }
    return (outputs, h)
  }
}
