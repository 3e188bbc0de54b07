// Elementary functions on sixteen lanes: Cephes-style polynomials, relative error about 2e-7.
// NaN stays NaN; overflow gives infinity, underflow gives denormals and then zero.

/// The exponential, eˣ.
@inlinable @inline(always) package func vectorExp(_ input: Vector) -> Vector {
  // Beyond these the result is infinite or zero, and the exponent arithmetic would leave its range.
  let isZero = input .< -104
  let (fraction, exponent) = reducedExp(input.replacing(with: 89, where: input .> 89).replacing(with: 0, where: isZero))
  // 2ⁿ in two factors, since n reaches beyond the exponents of normal numbers.
  let half = exponent &>> 1
  return ((fraction + 1) * powerOfTwo(half) * powerOfTwo(exponent &- half)).replacing(with: 0, where: isZero)
}

/// eˣ for x in −87…87.
@inlinable @inline(always) package func vectorExp(inRange x: Vector) -> Vector {
  let (fraction, exponent) = reducedExp(x)
  let scale = powerOfTwo(exponent)
  return fma(fraction, scale, scale)
}

/// eˣ − 1, accurate near 0.
@inlinable @inline(always) package func vectorExpMinusOne(_ x: Vector) -> Vector {
  vectorExpMinusOne(inRange: x).replacing(with: vectorExp(x) - 1, where: x.magnitude .> 20)
}

/// eˣ − 1 for x in −87…87.
@inlinable @inline(always) package func vectorExpMinusOne(inRange x: Vector) -> Vector {
  let (fraction, exponent) = reducedExp(x)
  let scale = powerOfTwo(exponent)
  return fma(fraction, scale, scale - 1)
}

/// (f, n) with eˣ = 2ⁿ·(1 + f).
@inlinable @inline(always) func reducedExp(_ x: Vector) -> (fraction: Vector, exponent: IntVector) {
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
  return (fma(p, r * r, r), shifted.bits &- rounder.bits)
}

@inlinable @inline(always) func powerOfTwo(_ exponent: IntVector) -> Vector {
  Vector(bits: (exponent &+ 127) &<< 23)
}

/// ln x; −∞ at 0, NaN below.
@inlinable @inline(always) package func vectorLog(_ input: Vector) -> Vector {
  let (e, f) = reducedLog(input)
  let z = f * f
  var tail = fma(e, Vector(repeating: -2.121_944_40e-4), logPolynomial(f) * f * z)
  tail = fma(z, Vector(repeating: -0.5), tail)
  let result = fma(e, Vector(repeating: 0.693_359_375), f + tail)
  return
    result
    .replacing(with: -.infinity, where: input .== 0)
    .replacing(with: .nan, where: input .< 0)
    .replacing(with: input, where: (input .== .infinity) .| (input .!= input))
}

/// (e, f) with x = 2ᵉ·(1 + f) and 1 + f in √½…√2, for positive finite x.
@inlinable @inline(always) func reducedLog(_ input: Vector) -> (exponent: Vector, fraction: Vector) {
  let isTiny = input .< Vector(repeating: .leastNormalMagnitude)
  let x = input.replacing(with: input * 8_388_608, where: isTiny)  // 2²³ lifts denormals
  let exponent = (x.bits &- 0x3f35_04f3) &>> 23
  let mantissa = Vector(bits: x.bits &- (exponent &<< 23))
  // Integer to float by the rounder's bits: a plain conversion is done lane by lane.
  let e =
    Vector(bits: exponent &+ 0x4b40_0000) - Vector(repeating: 12_582_912).replacing(with: 12_582_935, where: isTiny)
  return (e, mantissa - 1)
}

/// (ln(1+f) − f + f²/2)/f³ on √½…√2.
@inlinable @inline(always) func logPolynomial(_ f: Vector) -> Vector {
  var p = Vector(repeating: 7.037_683_63e-2)
  p = fma(p, f, Vector(repeating: -0.115_146_101))
  p = fma(p, f, Vector(repeating: 0.116_769_987))
  p = fma(p, f, Vector(repeating: -0.124_201_408))
  p = fma(p, f, Vector(repeating: 0.142_493_228))
  p = fma(p, f, Vector(repeating: -0.166_680_577))
  p = fma(p, f, Vector(repeating: 0.200_007_147))
  p = fma(p, f, Vector(repeating: -0.249_999_940))
  p = fma(p, f, Vector(repeating: 0.333_333_312))
  return p
}

/// ln(1+x), accurate near 0.
@inlinable @inline(always) package func vectorLogOnePlus(_ x: Vector) -> Vector {
  let w = 1 + x
  // The second term is the rounding error of 1+x, to first order.
  let result = vectorLog(w) - ((w - 1) - x) / w
  return result.replacing(with: -.infinity, where: w .== 0).replacing(with: x, where: x .== .infinity)
}

/// |x|ʸ, then with the sign or the refusal that a negative x asks for, as C's `pow`.
@inlinable @inline(always) package func vectorPower(_ x: Vector, _ y: Vector) -> Vector {
  let base = x.magnitude
  let (e, f) = reducedLog(base)
  // ln|x| = e·ln 2 + f − f²/2 + f³·P(f) as a sum of two floats, since y multiplies its error.
  let half = f * 0.5 * f
  let halfError = roundingError(of: half, f * 0.5, f)
  let near = f - half
  let far = e * 0.693_359_375
  let sum = far + near
  var low = (near - (sum - far)) + (((f - near) - half) - halfError)
  low = fma(e, Vector(repeating: -2.121_944_40e-4), fma(logPolynomial(f) * f, f * f, low))
  let high = sum + low
  low = (sum - high) + low
  let exponent = y * high
  let rest = roundingError(of: exponent, y, high) + y * low
  let inRange = exponent.magnitude .< 200
  let whole = vectorExp(exponent)
  var result = whole.replacing(with: fma(whole, rest, whole), where: inRange .& (whole .< .infinity))
  let growing = (base .> 1) .== (y .> 0)
  let atEnd = (base .== 0) .| (base .== .infinity)
  result = result.replacing(with: Vector(repeating: 0).replacing(with: .infinity, where: growing), where: atEnd)
  let isWhole = vectorFloor(y) .== y
  let isOdd = isWhole .& (vectorFloor(y * 0.5) .!= y * 0.5)
  result = result.replacing(with: result.signed(like: x), where: isOdd)
  result = result.replacing(with: .nan, where: (x .< 0) .& .!isWhole .& (base .< .infinity))
  result = result.replacing(with: x + y, where: (x .!= x) .| (y .!= y))
  return result.replacing(with: 1, where: (y .== 0) .| (x .== 1))
}

/// The largest whole number that is not above x.
@inlinable @inline(always) package func vectorFloor(_ x: Vector) -> Vector { x.rounded(.down) }

/// The logistic function, 1/(1+e⁻ˣ).
@inlinable @inline(always) package func vectorSigmoid(_ x: Vector) -> Vector { 1 / (1 + vectorExp(-x)) }

/// The hyperbolic tangent, t/(t + 2) with t = e²ˣ − 1.
@inlinable @inline(always) package func vectorTanh(_ x: Vector) -> Vector {
  let magnitude = x.magnitude
  let t = vectorExpMinusOne(inRange: 2 * magnitude.replacing(with: 10, where: magnitude .> 10))
  return (t / (t + 2)).signed(like: x)
}

/// ln(1+eˣ), without overflow or cancellation.
@inlinable @inline(always) package func vectorSoftplus(_ x: Vector) -> Vector {
  larger(x, Vector(repeating: 0)) + vectorLogOnePlusExp(minus: x.magnitude)
}

/// ln(1+e⁻ˣ) for x ≥ 0.
@inlinable @inline(always) package func vectorLogOnePlusExp(minus x: Vector) -> Vector {
  vectorLogOnePlus(vectorExp(-x))
}

/// √x; −0 stays that, NaN below.
@inlinable @inline(always) package func vectorSquareRoot(_ x: Vector) -> Vector {
  // Of a magnitude: where an argument could be negative, C's root sets `errno`, lane by lane.
  x.magnitude.squareRoot().replacing(with: x.replacing(with: .nan, where: x .< 0), where: .!(x .> 0))
}
