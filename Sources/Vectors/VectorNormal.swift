/// The standard normal density, e^(−x²/2)/√(2π).
@inlinable @inline(always) package func vectorNormalDensity(_ x: Vector) -> Vector {
  vectorExp(x * x * -0.5) * 0.398_942_28
}

/// The standard normal distribution function Φ, by its tail: relative error about 3e-7 on either side; 0 below −13.
@inlinable @inline(always) package func vectorNormalProbability(_ x: Vector) -> Vector {
  let tail = vectorNormalTail(x.magnitude.replacing(with: 13, where: x.magnitude .> 13))
  return (1 - tail).replacing(with: tail, where: x .< 0).replacing(with: 0, where: x .< -13)
}

/// x·Φ(x); 0 below −13.
@inlinable @inline(always) package func vectorGelu(_ x: Vector) -> Vector {
  let a = x.magnitude.replacing(with: 13, where: x.magnitude .> 13)
  return fma(-a, vectorNormalTail(a), x.replacing(with: 0, where: x .< 0)).replacing(with: 0, where: x .< -13)
}

/// Φ(−a) for a in 0…13, as e^(−a²/2)·p(q)/(a+3) with q = (a−3)/(a+3) and p fitted to it by least squares.
@inlinable @inline(always) func vectorNormalTail(_ a: Vector) -> Vector {
  let inverse = 1 / (a + 3)
  let q = fma(inverse, Vector(repeating: -6), Vector(repeating: 1))
  var p = Vector(repeating: -0.000281471672)
  p = fma(p, q, Vector(repeating: -0.000922229432))
  p = fma(p, q, Vector(repeating: 0.00108382804))
  p = fma(p, q, Vector(repeating: 0.00693771103))
  p = fma(p, q, Vector(repeating: -0.0104811182))
  p = fma(p, q, Vector(repeating: -0.0472590216))
  p = fma(p, q, Vector(repeating: 0.23001945))
  p = fma(p, q, Vector(repeating: -0.50933212))
  p = fma(p, q, Vector(repeating: 0.729083657))
  let half = a * -0.5
  let exponent = a * half
  let rounding = roundingError(of: exponent, a, half)  // which the exponential would magnify
  let density = vectorExp(inRange: exponent)
  return fma(density, rounding, density) * (p * inverse)
}
