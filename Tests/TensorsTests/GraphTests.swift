import Foundation
import TestSupport
import Testing

@testable import Tensors

@Suite struct GraphTests {
  @Test func `a diamond is counted once for each path`() {
    // f = (x² + x²)·x² = 2x⁴
    expect(
      gradient(at: Tensor(3)) { x in
        let y = square(x)
        return (y + y) * y
      }, [216])
    // A ladder of diamonds: x doubled thirty times.
    let slope = gradient(at: Tensor(1)) { x in (0..<30).reduce(x) { y, _ in y + y } }
    expect(slope, [1_073_741_824])
  }

  @Test func `a variable used at different depths is complete before it is passed on`() {
    // y = x·(x + e^x): dy/dx = 2x + e^x + x·e^x
    expect(gradient(at: Tensor(0.5)) { $0 * ($0 + exp($0)) }, [1 + 1.5 * Float(Foundation.exp(0.5))], tolerance: 1e-6)
  }

  @Test func `the Hessian of a quartic, nested`() {
    let third = gradient(at: Tensor(2)) { x in gradient(at: x) { y in gradient(at: y) { square(square($0)) } } }
    expect(third, [48])
    let x = Tensor([1, 2, 3])
    let rows = (0..<3).map { row in
      gradient(at: x) { x in gradient(at: x) { square($0.sum()) * $0.sum() }.sliced(row..<row + 1, axis: 0).sum() }
    }
    for row in rows { expect(row, [36, 36, 36]) }
  }

  @Test func `an inner gradient treats the outer variable as a constant, and the outer one does not`() {
    // d/dx [ x · d/dy (x·y²) at y = x ] = d/dx [ x · 2x·x ] = 6x²
    expect(gradient(at: Tensor(2)) { x in x * gradient(at: x) { y in x * square(y) } }, [24])
    // d/dx of d/dy (x·y) at a constant y is 1.
    expect(gradient(at: Tensor(5)) { x in gradient(at: Tensor(7)) { y in x * y } }, [1])
  }

  @Test func `a gradient penalty is differentiated with respect to parameters`() {
    // f(x) = w·x², ∇f = 2wx, penalty Σ(2wx)² = 4w²Σx², derivative 8wΣx².
    let w = Tensor(3).asVariable()
    let slope = gradient(at: Tensor([1, 2])) { (w * square($0)).sum() }
    expect(slope, [6, 12])
    let penalty = square(slope).sum()
    expect(gradients(of: penalty, withRespectTo: [w])[0], [120])
  }

  @Test func `gradients with respect to intermediate results and to several tensors`() {
    let x = Tensor([1, 2]).asVariable()
    let y = square(x)
    let z = (y * Tensor([3, 5])).sum()
    let found = gradients(of: z, withRespectTo: [y, x, z])
    expect(found[0], [3, 5])
    expect(found[1], [6, 20])
    expect(found[2], [1])
    expect(gradients(of: z, withRespectTo: [x])[0], [6, 20])
  }

  @Test func `value and gradient, and a function that ignores its variable`() {
    let (value, slope) = valueWithGradient(at: Tensor([3, 4])) { square($0).sum() }
    expect(value, [25])
    expect(slope, [6, 8])
    expect(gradient(at: Tensor([1, 2])) { _ in Tensor(3) }, shape: [2], [0, 0])
    expect(gradient(at: Tensor([2])) { $0 * $0 }, shape: [1], [4])
  }

  @Test func `constants record nothing`() {
    let x = Tensor([1, 2])
    #expect((exp(x) + x * 2).sum().node == nil)
    #expect(concatenate([x, x], axis: 0).node == nil)
    #expect(linear(x, .ones([2, 2]), x).node == nil)
    let variable = x.asVariable()
    #expect((variable + x).node != nil)
    #expect(variable.detached().node == nil)
    #expect((variable.detached() * 2).node == nil)
    expect(gradient(at: Tensor(3)) { $0 * $0.detached() }, [3])
    #expect(gradient(at: x) { $0.sum() }.node == nil)
  }

  @Test func `withoutGradients records nothing, inside its scope only`() throws {
    let x = Tensor([1, 2]).asVariable()
    let inside = withoutGradients { (exp(x) * x).sum() }
    #expect(inside.node == nil)
    #expect((x * 2).node != nil)
    struct Stop: Error {}
    #expect(throws: Stop.self) { try withoutGradients { throw Stop() } }
    #expect((x * 2).node != nil)
    withoutGradients {
      withoutGradients {}
      #expect((x * 2).node == nil)
      #expect(gradients(of: x.sliced(0..<1, axis: 0).detached() * 1, withRespectTo: []).isEmpty)
    }
  }

  @Test func `gradient(at:) works inside withoutGradients and gives a constant`() {
    let outer = Tensor([2]).asVariable()
    let (value, slope) = withoutGradients { valueWithGradient(at: outer) { (square($0) * outer).sum() } }
    expect(value, [8])
    expect(slope, [8])
    #expect(value.node == nil)
    #expect(slope.node == nil)
  }

  @Test func `withoutGradients holds for one task of many`() async {
    let x = Tensor([1, 2]).asVariable()
    await withTaskGroup(of: Bool.self) { group in
      for index in 0..<200 {
        group.addTask {
          if index % 2 == 0 {
            return withoutGradients { (0..<20).allSatisfy { _ in (x * 2).node == nil } }
          }
          return (0..<20).allSatisfy { _ in (x * 2).node != nil }
        }
      }
      for await isRight in group { #expect(isRight) }
    }
  }

  @Test func `a chain of 100,000 operations differentiates and is released on a small stack`() async {
    let found: [Float] = await onSmallStack {
      let x = Tensor([0.5, 1]).asVariable()
      var y = x
      for step in 0..<100_000 { y = step % 2 == 0 ? y + 0.001 : y - 0.001 }
      let z = (y * x).sum()
      let slope = gradients(of: z, withRespectTo: [x])[0]
      return slope.scalars
    }
    #expect(found.count == 2)
    for (value, expected) in zip(found, [1, 2] as [Float]) { #expect(abs(value - expected) < 2e-3) }
  }

  @Test func `a chain of 100,000 diamonds is released without being differentiated`() async {
    let last: Float = await onSmallStack {
      var y = Tensor([1]).asVariable()
      for _ in 0..<50_000 { y = y * 0.5 + y * 0.5 }
      return y.scalars[0]
    }
    #expect(last == 1)
  }

  @Test func `many threads differentiate one graph at once`() async {
    let x = normal([5], seed: 61).asVariable()
    let y = tanh(x * 2) * x
    let z = (exp(y) + y * x).sum()
    let expected = gradients(of: z, withRespectTo: [x, y]).map(bits)
    await withTaskGroup(of: [[UInt32]].self) { group in
      for _ in 0..<64 { group.addTask { gradients(of: z, withRespectTo: [x, y]).map(bits) } }
      for await found in group { #expect(found == expected) }
    }
  }

  @Test func `operations on many inputs, one of them twice`() {
    let xs = (1...6).map { Tensor([Float($0)]).asVariable() }
    let joined = concatenate(xs + [xs[1]], axis: 0)
    let found = gradients(of: (joined * joined * joined).sum(), withRespectTo: xs)
    for (index, slope) in found.enumerated() {
      let x = Float(index + 1)
      expect(slope, [3 * x * x * (index == 1 ? 2 : 1)])
    }
  }

  @Test func `gradients that were handed out are not added to`() {
    let x = Tensor([1, 2]).asVariable()
    let y = x + 0
    let z = y + y + y * 3 + x
    let sum = z.sum()
    let found = withoutGradients { gradients(of: sum, withRespectTo: [z, y, x]) }
    expect(found[0], [1, 1])
    expect(found[1], [5, 5])
    expect(found[2], [6, 6])
  }

  @Test func `graphs release their memory`() {
    weak var node: Node?
    do {
      let x = Tensor([1, 2]).asVariable()
      let y = exp(x)
      node = y.node
      #expect(node != nil)
      _ = gradients(of: (y * y).sum(), withRespectTo: [x])
    }
    #expect(node == nil)
  }

  @Test func `many threads build and differentiate graphs at once`() async {
    let weight = normal([33, 17], seed: 60).asVariable()
    let work = { @Sendable (index: Int) -> [UInt32] in
      let x = normal([65, 33], seed: UInt64(index % 4))
      let loss = square(tanh(matmul(x, weight))).mean()
      return bits(gradients(of: loss, withRespectTo: [weight])[0])
    }
    let expected = (0..<4).map(work)
    await withTaskGroup(of: (Int, [UInt32]).self) { group in
      for index in 0..<64 { group.addTask { (index, work(index)) } }
      for await (index, found) in group { #expect(found == expected[index % 4]) }
    }
  }

  /// Runs `body` on a thread with a stack of 512 KB.
  private func onSmallStack<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
      let thread = Thread { continuation.resume(returning: body()) }
      thread.stackSize = 512 << 10
      thread.start()
    }
  }
}
