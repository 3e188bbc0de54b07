import Foundation

/// cos and sin of angles in radians.
@inlinable @inline(always) package func vectorCosineAndSine(_ x: Vector) -> (cosine: Vector, sine: Vector) {
  let isFar = .!(x.magnitude .<= 8192)
  let near = nearCosineAndSine(x)
  guard any(isFar) else { return near }
  // Only of the lanes that need it: a value's cosine must not depend on what stands beside it.
  let far = exactCosineAndSine(x)
  return (near.cosine.replacing(with: far.cosine, where: isFar), near.sine.replacing(with: far.sine, where: isFar))
}

/// The same within −8192…8192.
@inlinable @inline(always) func nearCosineAndSine(_ x: Vector) -> (cosine: Vector, sine: Vector) {
  let rounder = Vector(repeating: 12_582_912)
  let shifted = fma(x, Vector(repeating: 2 / .pi), rounder)
  let n = shifted - rounder
  // π/2 in three parts, the first two so short that their products with n are exact.
  var r = fma(n, Vector(repeating: -0x1.92p0), x)
  r = fma(n, Vector(repeating: -0x1.fb4p-12), r)
  r = fma(n, Vector(repeating: -0x1.4442d2p-24), r)
  return cosineAndSine(r, quadrant: shifted.bits &- rounder.bits)
}

/// Far from zero, lane by lane in double precision: the remainder of so many turns needs more digits.
@usableFromInline @inline(never) func exactCosineAndSine(_ x: Vector) -> (cosine: Vector, sine: Vector) {
  var (cosine, sine) = (Vector(), Vector())
  for lane in 0..<Vector.width {
    cosine[lane] = Float(cos(Double(x[lane])))
    sine[lane] = Float(sin(Double(x[lane])))
  }
  return (cosine, sine)
}

/// cos and sin of a number of full turns in 0…1.
@inlinable @inline(always) package func vectorCosineAndSine(turns: Vector) -> (Vector, Vector) {
  let rounder = Vector(repeating: 12_582_912)
  let shifted = fma(turns, Vector(repeating: 4), rounder)
  let r = fma(shifted - rounder, Vector(repeating: -0.25), turns) * (2 * Float.pi)
  return cosineAndSine(r, quadrant: shifted.bits &- rounder.bits)
}

/// cos and sin of r + quadrant·π/2, for r in −π/4…π/4.
@inlinable @inline(always) func cosineAndSine(_ r: Vector, quadrant: IntVector) -> (cosine: Vector, sine: Vector) {
  let z = r * r
  var s = fma(Vector(repeating: -1.951_529_59e-4), z, Vector(repeating: 8.332_160_87e-3))
  s = fma(fma(s, z, Vector(repeating: -0.166_666_546)) * z, r, r)
  var c = fma(Vector(repeating: 2.443_315_71e-5), z, Vector(repeating: -1.388_731_63e-3))
  c = fma(c, z, Vector(repeating: 4.166_664_57e-2))
  c = fma(c * z, z, fma(z, Vector(repeating: -0.5), Vector(repeating: 1)))
  // By the bits of the quadrant: comparisons of whole numbers are done lane by lane.
  let swaps = Vector(bits: (quadrant &<< 31) | 0x3f80_0000) .< 0
  let cosine = c.replacing(with: s, where: swaps)
  let sine = s.replacing(with: c, where: swaps)
  return (
    Vector(bits: cosine.bits ^ (((quadrant &+ 1) & 2) &<< 30)), Vector(bits: sine.bits ^ ((quadrant & 2) &<< 30))
  )
}
