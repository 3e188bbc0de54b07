/// The standard normal density, e^(−x²/2)/√(2π).
@inline(always) func vectorNormalDensity(_ x: Vector) -> Vector { vectorExp(x * x * -0.5) * 0.398_942_28 }

/// The standard normal distribution function Φ, by its tail: relative error about 3e-7 on either side; 0 below −13.
@inline(always) func vectorNormalProbability(_ x: Vector) -> Vector {
  let tail = vectorNormalTail(x.magnitude.replacing(with: 13, where: x.magnitude .> 13))
  return (1 - tail).replacing(with: tail, where: x .< 0).replacing(with: 0, where: x .< -13)
}

/// x·Φ(x); 0 below −13.
@inline(always) func vectorGelu(_ x: Vector) -> Vector {
  let a = x.magnitude.replacing(with: 13, where: x.magnitude .> 13)
  return fma(-a, vectorNormalTail(a), x.replacing(with: 0, where: x .< 0)).replacing(with: 0, where: x .< -13)
}

/// Φ(−a) for a in 0…13, as e^(−a²/2)·p(q)/(1+a) with q = (a−4)/(a+4) and p fitted to it by least squares.
@inline(always) private func vectorNormalTail(_ a: Vector) -> Vector {
  let inverse = 1 / ((a + 4) * (a + 1))  // one division for two
  let q = (a - 4) * (a + 1) * inverse
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
  let half = a * -0.5
  let exponent = a * half
  let rounding = fma(a, half, -exponent)  // which the exponential would magnify
  let density = vectorExp(inRange: exponent)
  return fma(density, rounding, density) * p * ((a + 4) * inverse)
}
