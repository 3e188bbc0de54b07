import Foundation

/// Sixteen floats: one AVX-512 register, two of AVX2, four of NEON.
typealias Vector = SIMD16<Float>
typealias IntVector = SIMD16<Int32>
typealias Pointer = UnsafeMutablePointer<Float>

#if THREAD_SANITIZER
  // The sanitizer's compiler pass leaves out accesses of more than 16 bytes.
  @_silgen_name("__tsan_read_range") private func noteRead(_ address: UnsafeRawPointer, _ size: Int)
  @_silgen_name("__tsan_write_range") private func noteWrite(_ address: UnsafeRawPointer, _ size: Int)
#endif

extension Vector {
  static let width = 16

  // By memcpy, which is an instruction: `loadUnaligned` and `storeBytes` stay calls where many of them meet, as in a tile,
  // and then cost two thirds of its speed.
  @inline(always) init(loading pointer: UnsafePointer<Float>) {
    self = Vector()
    #if THREAD_SANITIZER
      noteRead(pointer, 64)
    #endif
    memcpy(&self, pointer, 64)
  }

  @inline(always) func store(to pointer: Pointer) {
    var vector = self
    #if THREAD_SANITIZER
      noteWrite(pointer, 64)
    #endif
    memcpy(pointer, &vector, 64)
  }

  /// The raw bits as integers, and back.
  @inline(always) var bits: IntVector { unsafeBitCast(self, to: IntVector.self) }
  @inline(always) init(bits: IntVector) { self = unsafeBitCast(bits, to: Vector.self) }

  @inline(always) var magnitude: Vector { Vector(bits: bits & IntVector(repeating: 0x7fff_ffff)) }

  /// `self` carrying the sign of `other`.
  @inline(always) func signed(like other: Vector) -> Vector {
    Vector(bits: bits | (other.bits & IntVector(repeating: Int32(bitPattern: 0x8000_0000))))
  }

  /// The sum over lanes, always in the same order.
  @inline(always) var lanesSum: Float {
    let eight = lowHalf + highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  /// The lanes from `valid` on replaced by `filler`, for the end of a row.
  @inline(always) func filling(from valid: Int, with filler: Float) -> Vector {
    // In floats: comparisons of whole numbers are done lane by lane.
    let lanes = Vector(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    return replacing(with: Vector(repeating: filler), where: lanes .>= Vector(repeating: Float(valid)))
  }
}

/// a·b + c, rounded once where the processor can.
@inline(always) func fma(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector {
  #if FUSED_MULTIPLY_ADD
    c.addingProduct(a, b)
  #else
    a * b + c
  #endif
}

/// a·b − product, exactly, for the rounded product of a and b.
@inline(always) func roundingError(of product: Vector, _ a: Vector, _ b: Vector) -> Vector {
  #if FUSED_MULTIPLY_ADD
    fma(a, b, -product)
  #else
    // Double precision holds the product of two floats.
    Vector(SIMD16<Double>(a) * SIMD16<Double>(b) - SIMD16<Double>(product))
  #endif
}

/// The larger of two lanes; a NaN in either is kept.
@inline(always) func larger(_ a: Vector, _ b: Vector) -> Vector {
  a.replacing(with: b, where: b .> a).nan(where: (a .!= a) .| (b .!= b))
}

/// The smaller of two lanes; a NaN in either is kept.
@inline(always) func smaller(_ a: Vector, _ b: Vector) -> Vector {
  a.replacing(with: b, where: b .< a).nan(where: (a .!= a) .| (b .!= b))
}

extension Vector {
  /// NaN where the mask holds: all bits set, which takes one instruction.
  @inline(always) fileprivate func nan(where mask: SIMDMask<IntVector>) -> Vector {
    Vector(bits: bits | IntVector().replacing(with: -1, where: mask))
  }
}
