import TestSupport
import Testing

@testable import Tensors

@Suite struct TensorTests {
  @Test func `initialisers keep shape and row-major values`() {
    expect(Tensor([1, 2, 3, 4, 5, 6], shape: [2, 1, 3]), shape: [2, 1, 3], [1, 2, 3, 4, 5, 6])
    expect(Tensor([1, 2]), shape: [2], [1, 2])
    expect(Tensor([[1, 2], [3, 4], [5, 6]]), shape: [3, 2], [1, 2, 3, 4, 5, 6])
    expect(Tensor(7), shape: [], [7])
    expect(Tensor(repeating: 2, shape: [3]), shape: [3], [2, 2, 2])
    expect(.zeros([2, 2]), shape: [2, 2], [0, 0, 0, 0])
    expect(.ones([1, 3]), shape: [1, 3], [1, 1, 1])
    expect(Tensor([] as [Float]), shape: [0], [])
    expect(.zeros([3, 0, 2]), shape: [3, 0, 2], [])
  }

  @Test func `count, rank and scalar`() {
    #expect(Tensor.zeros([3, 4, 5]).count == 60)
    #expect(Tensor.zeros([3, 0]).count == 0)
    #expect(Tensor(1).count == 1)
    #expect(Tensor(1).rank == 0)
    #expect(Tensor.zeros([3, 4, 5]).rank == 3)
    #expect(Tensor([[2.5]]).scalar == 2.5)
    #expect(Tensor([1, 2, 3]).withUnsafeScalars { $0.reduce(0, +) } == 6)
  }

  @Test func `a copy is a value: adding to one variable leaves the other`() {
    var a = Tensor([1, 2])
    let b = a
    a += Tensor([10])
    expect(a, [11, 12])
    expect(b, [1, 2])
  }

  @Test func `descriptions show shape and values, long axes shortened`() {
    #expect("\(Tensor(1.5))" == "Tensor[] 1.5")
    #expect("\(Tensor([[1, 2], [3, 4]]))" == "Tensor[2, 2] [[1.0, 2.0], [3.0, 4.0]]")
    #expect("\(Tensor([0, 1, 2, 3, 4, 5, 6, 7]))" == "Tensor[8] [0.0, 1.0, 2.0, …, 5.0, 6.0, 7.0]")
    #expect("\(Tensor.zeros([0]))" == "Tensor[0] []")
  }

  @Test func `index tensors keep shape and values`() {
    let labels = IndexTensor([3, 1, 4, 1], shape: [2, 2])
    #expect(labels.shape == [2, 2])
    #expect(labels.scalars == [3, 1, 4, 1])
    #expect(labels.count == 4)
    #expect(labels == IndexTensor([3, 1, 4, 1], shape: [2, 2]))
    #expect(labels != IndexTensor([3, 1, 4, 1]))
  }
}
