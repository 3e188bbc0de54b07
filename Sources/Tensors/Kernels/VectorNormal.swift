/// The standard normal density, e^(−x²/2)/√(2π).
@inline(always) func vectorNormalDensity(_ x: Vector) -> Vector { vectorExp(x * x * -0.5) * 0.398_942_28 }

/// The standard normal distribution function Φ, by its tail: relative error about 3e-7 on either side.
///
/// The tail is e^(−x²/2)·p(q)/(1+|x|), with q = (|x|−4)/(|x|+4) and p fitted to it by least squares.
@inline(always) func vectorNormalProbability(_ x: Vector) -> Vector {
  let a = x.magnitude.replacing(with: 16, where: x.magnitude .> 16)  // where the tail is zero
  let q = (a - 4) / (a + 4)
  var p = Vector(repeating: 9.121_754_6e-5)
  p = fma(p, q, Vector(repeating: 7.272_379e-4))
  p = fma(p, q, Vector(repeating: -4.085_404_8e-4))
  p = fma(p, q, Vector(repeating: -5.052_451_5e-3))
  p = fma(p, q, Vector(repeating: 1.796_485_3e-2))
  p = fma(p, q, Vector(repeating: -3.218_486e-2))
  p = fma(p, q, Vector(repeating: 2.859_764_7e-2))
  p = fma(p, q, Vector(repeating: 1.399_864_9e-2))
  p = fma(p, q, Vector(repeating: -9.670_339_5e-2))
  p = fma(p, q, Vector(repeating: 0.472_053_23))
  let h = a * a
  let rounding = fma(a, a, -h)  // a half of what the exponential would magnify
  let tail = vectorExp(h * -0.5) * fma(rounding, Vector(repeating: -0.5), Vector(repeating: 1)) * p / (1 + a)
  return (1 - tail).replacing(with: tail, where: x .< 0)
}
