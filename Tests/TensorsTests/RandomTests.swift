import Foundation
import TestSupport
import Testing

@testable import Tensors

/// The generator's contract: what is a function of what.
@Suite struct RandomTests {
  @Test func `the first numbers are SplitMix64's`() {
    // Steele, Lea & Flood's generator from state 0, as in java.util.SplittableRandom's reference values.
    var random = Random(seed: 0, gamma: 0x9e37_79b9_7f4a_7c15)
    #expect(random.next() == 0xe220_a839_7b1d_cdaf)
    #expect(random.next() == 0x6e78_9e6a_a1b9_65f4)
    #expect(random.next() == 0x06c4_5d18_8009_454f)
  }

  @Test func `the same seed gives the same numbers, another gives others`() {
    var (a, b, c) = (Random(seed: 1), Random(seed: 1), Random(seed: 2))
    let (x, y, z) = (
      Tensor.normal([100], using: &a), Tensor.normal([100], using: &b), Tensor.normal([100], using: &c)
    )
    #expect(bits(x) == bits(y))
    #expect(Set(bits(x)).isDisjoint(with: bits(z)))
    #expect(a == b)
    #expect(a.next() == b.next())
  }

  @Test func `a state that was read continues where it was`() {
    var random = Random(seed: 3)
    _ = Tensor.normal([7], using: &random)
    var continued = Random(seed: random.seed, gamma: random.gamma)
    #expect(continued == random)
    #expect(bits(.uniform([9], using: &continued)) == bits(.uniform([9], using: &random)))
  }

  @Test func `drawing advances the state by whole blocks`() {
    // Uniform values take eight 64-bit numbers for each sixteen, normal values sixteen for each thirty-two.
    for (count, draws) in [(1, 8), (16, 8), (17, 16), (100, 56)] {
      var (tensors, single) = (Random(seed: 4), Random(seed: 4))
      _ = Tensor.uniform([count], using: &tensors)
      for _ in 0..<draws { _ = single.next() }
      #expect(tensors == single, "\(count)")
    }
    for (count, draws) in [(1, 16), (32, 16), (33, 32), (100, 64)] {
      var (tensors, single) = (Random(seed: 4), Random(seed: 4))
      _ = Tensor.normal([count], using: &tensors)
      for _ in 0..<draws { _ = single.next() }
      #expect(tensors == single, "\(count)")
    }
  }

  @Test func `drawing n and then m gives what drawing n + m gives, for whole blocks`() {
    var (parts, whole) = (Random(seed: 5), Random(seed: 5))
    let first = Tensor.uniform([48], using: &parts)
    let second = Tensor.uniform([5, 2], using: &parts)
    #expect(bits(first) + bits(second) == bits(.uniform([58], using: &whole)))
    #expect(parts == whole)
    let third = Tensor.normal([2, 32], using: &parts)
    let fourth = Tensor.normal([33], using: &parts)
    #expect(bits(third) + bits(fourth) == bits(.normal([97], using: &whole)))
    #expect(parts == whole)
  }

  @Test func `a shorter draw begins like a longer one`() {
    var (short, long) = (Random(seed: 6), Random(seed: 6))
    #expect(bits(.normal([37], using: &short)) == Array(bits(.normal([1000], using: &long)).prefix(37)))
  }

  @Test func `the number of threads changes nothing`() {
    let draw = { () -> [UInt32] in
      var random = Random(seed: 7)
      let x = Tensor.normal([70_001], using: &random)
      let y = Tensor.uniform([3, 40_001], using: &random)
      let z = Tensor.bernoulli(y, using: &random)
      let w = Tensor.gumbel([70_001], using: &random) + .logistic([70_001], using: &random)
      let classes = IndexTensor.categorical(logits: y.reshaped(to: [-1, 3]), using: &random)
      return bits(x) + bits(y) + bits(z) + bits(w) + classes.scalars.map { UInt32(bitPattern: $0) } + [
        UInt32(truncatingIfNeeded: random.next())
      ]
    }
    let one = Threads.with(1, draw)
    #expect(one == Threads.with(2, draw))
    #expect(one == Threads.with(7, draw))
  }

  @Test func `splitting gives new streams and leaves a parent that differs from them`() {
    var parent = Random(seed: 8)
    var children = (0..<50).map { _ in parent.split() }
    #expect(Set(children.map(\.seed)).count == 50)
    #expect(Set(children.map(\.gamma)).count == 50)
    #expect(children.allSatisfy { $0.gamma % 2 == 1 })
    var drawn = Set((0..<100).map { _ in parent.next() })
    for index in children.indices { for _ in 0..<100 { drawn.insert(children[index].next()) } }
    #expect(drawn.count == 51 * 100)
    var again = Random(seed: 8)
    #expect(again.split() == Random(seed: 8).splitOnce)
  }

  @Test func `values stay in their range`() {
    var random = Random(seed: 9)
    let x = Tensor.uniform([100_000], using: &random)
    #expect(-(-x).max().scalar > 0)
    #expect(x.max().scalar < 1)
    let y = Tensor.uniform([100_000], in: 5..<5.000_002, using: &random)
    #expect(-(-y).max().scalar >= 5)
    #expect(y.max().scalar < 5.000_002)
    expect(.bernoulli(Tensor([0, 1, 0, 1]), using: &random), [0, 1, 0, 1])
    expect(.uniform([0], using: &random), shape: [0], [])
    expect(.normal([0, 3], using: &random), shape: [0, 3], [])
    #expect(Tensor.normal([], using: &random).shape == [])
  }
}

extension Random {
  fileprivate var splitOnce: Random {
    var copy = self
    return copy.split()
  }
}
