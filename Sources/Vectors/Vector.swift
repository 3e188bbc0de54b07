import Foundation

/// Sixteen floats: one AVX-512 register, two of AVX2, four of NEON.
@usableFromInline package typealias Vector = SIMD16<Float>
@usableFromInline package typealias IntVector = SIMD16<Int32>
@usableFromInline package typealias Pointer = UnsafeMutablePointer<Float>

#if THREAD_SANITIZER
  // The sanitizer's compiler pass leaves out accesses of more than 16 bytes.
  @usableFromInline @_silgen_name("__tsan_read_range") func noteRead(_ address: UnsafeRawPointer, _ size: Int)
  @usableFromInline @_silgen_name("__tsan_write_range") func noteWrite(_ address: UnsafeRawPointer, _ size: Int)
#endif

extension Vector {
  package static let width = 16

  // By memcpy, which is an instruction: `loadUnaligned` and `storeBytes` stay calls where many of them meet, as in a tile,
  // and then cost two thirds of its speed.
  @inlinable @inline(always) package init(loading pointer: UnsafePointer<Float>) {
    self = Vector()
    #if THREAD_SANITIZER
      noteRead(pointer, 64)
    #endif
    memcpy(&self, pointer, 64)
  }

  @inlinable @inline(always) package func store(to pointer: Pointer) {
    var vector = self
    #if THREAD_SANITIZER
      noteWrite(pointer, 64)
    #endif
    memcpy(pointer, &vector, 64)
  }

  /// The raw bits as integers, and back.
  @inlinable @inline(always) package var bits: IntVector { unsafeBitCast(self, to: IntVector.self) }
  @inlinable @inline(always) package init(bits: IntVector) { self = unsafeBitCast(bits, to: Vector.self) }

  @inlinable @inline(always) package var magnitude: Vector { Vector(bits: bits & IntVector(repeating: 0x7fff_ffff)) }

  /// `self` carrying the sign of `other`.
  @inlinable @inline(always) package func signed(like other: Vector) -> Vector {
    Vector(bits: bits | (other.bits & IntVector(repeating: Int32(bitPattern: 0x8000_0000))))
  }

  /// The sum over lanes, always in the same order.
  @inlinable @inline(always) package var lanesSum: Float {
    let eight = lowHalf + highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  /// The lanes from `valid` on replaced by `filler`, for the end of a row.
  @inlinable @inline(always) package func filling(from valid: Int, with filler: Float) -> Vector {
    // In floats: comparisons of whole numbers are done lane by lane.
    let lanes = Vector(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    return replacing(with: Vector(repeating: filler), where: lanes .>= Vector(repeating: Float(valid)))
  }
}

/// a·b + c, rounded once where the processor can.
@inlinable @inline(always) package func fma(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector {
  #if FUSED_MULTIPLY_ADD
    c.addingProduct(a, b)
  #else
    a * b + c
  #endif
}

/// a·b − product, exactly, for the rounded product of a and b.
@inlinable @inline(always) package func roundingError(of product: Vector, _ a: Vector, _ b: Vector) -> Vector {
  #if FUSED_MULTIPLY_ADD
    fma(a, b, -product)
  #else
    // Double precision holds the product of two floats.
    Vector(SIMD16<Double>(a) * SIMD16<Double>(b) - SIMD16<Double>(product))
  #endif
}

/// The larger of two lanes; a NaN in either is kept.
@inlinable @inline(always) package func larger(_ a: Vector, _ b: Vector) -> Vector {
  a.replacing(with: b, where: b .> a).nan(where: (a .!= a) .| (b .!= b))
}

/// The smaller of two lanes; a NaN in either is kept.
@inlinable @inline(always) package func smaller(_ a: Vector, _ b: Vector) -> Vector {
  a.replacing(with: b, where: b .< a).nan(where: (a .!= a) .| (b .!= b))
}

extension Vector {
  /// NaN where the mask holds: all bits set, which takes one instruction.
  @inlinable @inline(always) func nan(where mask: SIMDMask<IntVector>) -> Vector {
    Vector(bits: bits | IntVector().replacing(with: -1, where: mask))
  }
}
