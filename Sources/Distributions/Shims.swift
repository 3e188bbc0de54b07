import Tensors

func logSigmoid(_ x: Tensor) -> Tensor { -softplus(-x) }
func log1p(_ x: Tensor) -> Tensor { log(1 + x) }
func expm1(_ x: Tensor) -> Tensor { exp(x) - 1 }
func select(_ mask: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor { mask * a + (1 - mask) * b }
func maximum(_ a: Tensor, _ b: Tensor) -> Tensor {
  let shape = commonShape("maximum", [("a", a.shape), ("b", b.shape)])
  return concatenate([a.broadcast(to: shape).insertingAxis(0), b.broadcast(to: shape).insertingAxis(0)], axis: 0)
    .max(axis: 0)
}
func minimum(_ a: Tensor, _ b: Tensor) -> Tensor { -maximum(-a, -b) }
extension Tensor {
  func clamped(to range: ClosedRange<Float>) -> Tensor {
    minimum(maximum(self, Tensor(range.lowerBound)), Tensor(range.upperBound))
  }
  static func gumbel(_ shape: [Int], using random: inout Random) -> Tensor {
    -log(-log(.uniform(shape, using: &random)))
  }
  static func logistic(_ shape: [Int], using random: inout Random) -> Tensor {
    let u = Tensor.uniform(shape, using: &random)
    return log(u) - log(1 - u)
  }
  func argmax(axis: Int) -> IndexTensor {
    let n = shape.last!
    let s = scalars
    return IndexTensor(
      (0..<count / n).map { r in Int32((0..<n).max { s[r * n + $0] < s[r * n + $1] }!) }, shape: Array(shape.dropLast())
    )
  }
}
extension IndexTensor {
  static func categorical(logits: Tensor, using random: inout Random) -> IndexTensor {
    (logits + .gumbel(logits.shape, using: &random)).argmax(axis: -1)
  }
}
