import GradientChecking
import TestSupport
import Testing

@testable import Tensors

/// The check itself: it must see what is wrong, and say it.
@Suite struct GradientCheckTests {
  @Test func `a wrong first derivative is found, with the element and both values`() throws {
    // The derivative of the second of three values is 1% too large.
    let wrong = { @Sendable (x: Tensor) in
      square(x).detached().recorded(x) { upstream, inputs, _ in upstream * inputs[0] * Tensor([2, 2.02, 2]) }
    }
    let report = gradientCheck(of: { wrong($0[1]) * $0[0] }, at: [Tensor(1), Tensor([[1, 2, 3]])], order: 1)
    #expect(!report.passes)
    let worst = try #require(report.worst)
    #expect(worst.order == 1)
    #expect(worst.input == 1)
    #expect(worst.index == [0, 1])
    #expect(abs(worst.gradient / worst.difference - 1.01) < 1e-4)
    #expect(abs(worst.tolerance - 1e-3 * worst.difference.magnitude) < 5e-3)
    for part in [
      "differ", "order 1", "[0, 1]", "input 1", "\(worst.gradient)", "\(worst.difference)", "\(worst.tolerance)",
    ] {
      #expect(report.description.contains(part), "\(report)")
    }
  }

  @Test func `a derivative that is right but cut off from the graph fails in the second order alone`() {
    let cut = { @Sendable (inputs: [Tensor]) in
      exp(inputs[0]).detached().recorded(inputs[0]) { upstream, inputs, _ in upstream * exp(inputs[0].detached()) }
    }
    #expect(gradientCheck(of: cut, at: [Tensor([0.3, -0.4])], order: 1).passes)
    let report = gradientCheck(of: cut, at: [Tensor([0.3, -0.4])])
    #expect(!report.passes)
    #expect(report.worst?.order == 2)
    #expect(report.worst?.gradient == 0)
  }

  @Test func `a wrong second derivative of one element is found, with the element and both values`() throws {
    // The first derivative of x³ is right; its own derivative is 1% too large in the last of three values.
    let slope = { @Sendable (x: Tensor) in
      (square(x) * 3).detached().recorded(x) { upstream, inputs, _ in upstream * inputs[0] * Tensor([6, 6, 6.06]) }
    }
    let cube = { @Sendable (inputs: [Tensor]) in
      (inputs[0] * square(inputs[0])).detached().recorded(inputs[0]) { upstream, inputs, _ in
        upstream * slope(inputs[0])
      }
    }
    let x = Tensor([0.5, -1, 2])
    #expect(gradientCheck(of: cube, at: [x], order: 1).passes)
    let report = gradientCheck(of: cube, at: [x])
    #expect(!report.passes)
    let worst = try #require(report.worst)
    #expect(worst.order == 2 && worst.input == 0 && worst.index == [2])
    #expect(abs(worst.gradient / worst.difference - 1.01) < 1e-4)
    for part in [
      "differ", "order 2", "[2]", "input 0", "\(worst.gradient)", "\(worst.difference)", "\(worst.tolerance)",
    ] { #expect(report.description.contains(part), "\(report)") }
  }

  @Test func `a missing term, a wrong sign and a mean for a sum are found`() {
    let x = normal([3, 5], seed: 80)
    let mistakes: [(Tensor) -> Tensor] = [
      { x in (x * x.detached()).sum(axis: 1) },
      { x in x.detached().recorded(x) { upstream, _, _ in -upstream } },
      { x in
        x.sum(axis: 0).detached().recorded(x) { upstream, inputs, _ in upstream.broadcast(to: inputs[0].shape) / 3 }
      },
      { x in x.detached() },
    ]
    for (index, mistake) in mistakes.enumerated() {
      #expect(!gradientCheck(of: { mistake($0[0]) }, at: [x]).passes, "mistake \(index)")
    }
  }

  @Test func `a derivative that is not a number fails`() {
    let report = gradientCheck(of: { sqrt($0[0]) }, at: [Tensor([0, 1])])
    #expect(!report.passes)
    #expect(report.worst?.excess == .infinity)
  }

  @Test func `small gradients beside none are judged by their own size`() {
    #expect(gradientCheck(of: { ($0[0] * 1e-6).mean() }, at: [normal([50], seed: 81)]).passes)
    let wrong = { @Sendable (x: Tensor) in
      (x * 1e-6).detached().recorded(x) { upstream, _, _ in upstream * 1.1e-6 }
    }
    #expect(!gradientCheck(of: { wrong($0[0]).mean() }, at: [normal([50], seed: 81)]).passes)
  }

  @Test func `the check works inside withoutGradients too`() {
    #expect(withoutGradients { gradientCheck(of: { exp($0[0]) }, at: [Tensor([0.3])]) }.passes)
  }

  @Test func `inputs without values have nothing to compare`() {
    let report = gradientCheck(of: { square($0[0]) }, at: [.zeros([0, 3])])
    #expect(report.passes)
    #expect(report.worst == nil)
    #expect(report.description.contains("no elements"))
  }
}
