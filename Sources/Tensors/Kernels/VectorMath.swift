// Elementary functions on sixteen lanes: Cephes-style polynomials, relative error about 2e-7.
// NaN stays NaN; overflow gives infinity, underflow gives denormals and then zero.

/// The exponential, eˣ.
@inline(always) func vectorExp(_ input: Vector) -> Vector {
  // Beyond these the result is infinite or zero anyway, and the exponent arithmetic stays in range.
  let x = input.replacing(with: 89, where: input .> 89).replacing(with: -104, where: input .< -104)
  let rounder = Vector(repeating: 12_582_912)  // 1.5·2²³: adding it rounds to an integer
  let shifted = fma(x, Vector(repeating: 1.442_695_04), rounder)
  let n = shifted - rounder
  var r = fma(n, Vector(repeating: -0.693_359_375), x)
  r = fma(n, Vector(repeating: 2.121_944_40e-4), r)
  var p = Vector(repeating: 1.987_569_15e-4)
  p = fma(p, r, Vector(repeating: 1.398_199_95e-3))
  p = fma(p, r, Vector(repeating: 8.333_451_91e-3))
  p = fma(p, r, Vector(repeating: 4.166_579_59e-2))
  p = fma(p, r, Vector(repeating: 0.166_666_655))
  p = fma(p, r, Vector(repeating: 0.5))
  let y = fma(p, r * r, r) + 1
  // 2ⁿ in two factors, since n reaches beyond the exponents of normal numbers.
  let exponent = shifted.bits &- rounder.bits
  let half = exponent &>> 1
  return y * powerOfTwo(half) * powerOfTwo(exponent &- half)
}

@inline(always) private func powerOfTwo(_ exponent: IntVector) -> Vector {
  Vector(bits: (exponent &+ 127) &<< 23)
}

/// ln x; −∞ at 0, NaN below.
@inline(always) func vectorLog(_ input: Vector) -> Vector {
  let isTiny = input .< Vector(repeating: .leastNormalMagnitude)
  let x = input.replacing(with: input * 8_388_608, where: isTiny)  // 2²³ lifts denormals
  let exponent = (x.bits &- 0x3f35_04f3) &>> 23
  let mantissa = Vector(bits: x.bits &- (exponent &<< 23))  // in √½…√2
  // Integer to float by the rounder's bits: a plain conversion is done lane by lane.
  let e =
    Vector(bits: exponent &+ 0x4b40_0000) - Vector(repeating: 12_582_912).replacing(with: 12_582_935, where: isTiny)
  let f = mantissa - 1
  let z = f * f
  var p = Vector(repeating: 7.037_683_63e-2)
  p = fma(p, f, Vector(repeating: -0.115_146_101))
  p = fma(p, f, Vector(repeating: 0.116_769_987))
  p = fma(p, f, Vector(repeating: -0.124_201_408))
  p = fma(p, f, Vector(repeating: 0.142_493_228))
  p = fma(p, f, Vector(repeating: -0.166_680_577))
  p = fma(p, f, Vector(repeating: 0.200_007_147))
  p = fma(p, f, Vector(repeating: -0.249_999_940))
  p = fma(p, f, Vector(repeating: 0.333_333_312))
  var tail = fma(e, Vector(repeating: -2.121_944_40e-4), p * f * z)
  tail = fma(z, Vector(repeating: -0.5), tail)
  let result = fma(e, Vector(repeating: 0.693_359_375), f + tail)
  return
    result
    .replacing(with: -.infinity, where: input .== 0)
    .replacing(with: .nan, where: input .< 0)
    .replacing(with: input, where: (input .== .infinity) .| (input .!= input))
}

/// The logistic function, 1/(1+e⁻ˣ).
@inline(always) func vectorSigmoid(_ x: Vector) -> Vector { 1 / (1 + vectorExp(-x)) }

/// The hyperbolic tangent.
@inline(always) func vectorTanh(_ x: Vector) -> Vector {
  let magnitude = x.magnitude
  let large = (1 - 2 / (vectorExp(magnitude + magnitude) + 1)).signed(like: x)
  let z = x * x
  var p = Vector(repeating: -5.704_988_73e-3)
  p = fma(p, z, Vector(repeating: 2.063_908_88e-2))
  p = fma(p, z, Vector(repeating: -5.373_971_56e-2))
  p = fma(p, z, Vector(repeating: 0.133_314_422))
  p = fma(p, z, Vector(repeating: -0.333_333_282))
  return large.replacing(with: fma(p * z, x, x), where: magnitude .< 0.625)
}

/// ln(1+eˣ), without overflow or cancellation.
@inline(always) func vectorSoftplus(_ x: Vector) -> Vector {
  larger(x, Vector(repeating: 0)) + vectorLogOnePlusExp(minus: x.magnitude)
}

/// ln(1+e⁻ˣ) for x ≥ 0.
@inline(always) func vectorLogOnePlusExp(minus x: Vector) -> Vector {
  let u = vectorExp(-x)
  let w = 1 + u
  // The second term is the rounding error of 1+u, to first order.
  return vectorLog(w) - ((w - 1) - u) / w
}

/// √x by a reciprocal square root and Newton steps: the standard library's is computed lane by lane.
@inline(always) func vectorSquareRoot(_ x: Vector) -> Vector {
  let isTiny = x .< 0x1p-100
  let lifted = x.replacing(with: x * 0x1p48, where: isTiny)  // denormals become normal
  let isSpecial = .!(lifted .> 0) .| (lifted .== .infinity)
  let inRange = lifted.replacing(with: 1, where: isSpecial)
  let half = inRange * 0.5
  var r = Vector(bits: 0x5f37_59df &- (inRange.bits &>> 1))
  for _ in 0..<3 { r = r * fma(-(half * r), r, Vector(repeating: 1.5)) }
  let root = inRange * r
  let refined = fma(fma(-root, root, inRange) * r, Vector(repeating: 0.5), root)
  return refined.replacing(with: refined * 0x1p-24, where: isTiny)
    .replacing(with: x.replacing(with: .nan, where: x .< 0), where: isSpecial)
}

/// cos and sin of a number of full turns in 0…1.
@inline(always) func vectorCosineAndSine(turns: Vector) -> (Vector, Vector) {
  let rounder = Vector(repeating: 12_582_912)
  let shifted = fma(turns, Vector(repeating: 4), rounder)
  let quadrant = shifted.bits &- rounder.bits
  let r = fma(shifted - rounder, Vector(repeating: -0.25), turns) * (2 * Float.pi)  // in −π/4…π/4
  let z = r * r
  var s = fma(Vector(repeating: -1.951_529_59e-4), z, Vector(repeating: 8.332_160_87e-3))
  s = fma(fma(s, z, Vector(repeating: -0.166_666_546)) * z, r, r)
  var c = fma(Vector(repeating: 2.443_315_71e-5), z, Vector(repeating: -1.388_731_63e-3))
  c = fma(c, z, Vector(repeating: 4.166_664_57e-2))
  c = fma(c * z, z, fma(z, Vector(repeating: -0.5), Vector(repeating: 1)))
  let swaps = (quadrant & 1) .== 1
  let cosine = c.replacing(with: s, where: swaps)
  let sine = s.replacing(with: c, where: swaps)
  return (
    cosine.replacing(with: -cosine, where: ((quadrant &+ 1) & 2) .!= 0),
    sine.replacing(with: -sine, where: (quadrant & 2) .!= 0)
  )
}
