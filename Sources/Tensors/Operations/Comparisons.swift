private enum Less: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { ones(where: a .< b) }
}
private enum LessOrEqual: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { ones(where: a .<= b) }
}
private enum Equal: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { ones(where: a .== b) }
}
private enum NotEqual: BinaryKernel {
  @inline(always) static func apply(_ a: Vector, _ b: Vector) -> Vector { ones(where: a .!= b) }
}

/// 1 where the condition holds, else 0.
@inline(always) private func ones(where condition: SIMDMask<IntVector>) -> Vector {
  Vector(repeating: 0).replacing(with: 1, where: condition)
}

/// Masks: 1 where the comparison holds and 0 elsewhere; shapes broadcast and no gradient flows.
extension Tensor {
  /// 1 where `a` is less than `b`, else 0.
  public static func .< (a: Tensor, b: Tensor) -> Tensor { broadcasting(a, b, Less.self, named: ".<") }

  /// 1 where `a` is less than or equal to `b`, else 0.
  public static func .<= (a: Tensor, b: Tensor) -> Tensor { broadcasting(a, b, LessOrEqual.self, named: ".<=") }

  /// 1 where `a` is greater than `b`, else 0.
  public static func .> (a: Tensor, b: Tensor) -> Tensor { broadcasting(b, a, Less.self, named: ".>") }

  /// 1 where `a` is greater than or equal to `b`, else 0.
  public static func .>= (a: Tensor, b: Tensor) -> Tensor { broadcasting(b, a, LessOrEqual.self, named: ".>=") }

  /// 1 where the two are equal, else 0.
  public static func .== (a: Tensor, b: Tensor) -> Tensor { broadcasting(a, b, Equal.self, named: ".==") }

  /// 1 where the two differ, else 0; NaN differs from itself.
  public static func .!= (a: Tensor, b: Tensor) -> Tensor { broadcasting(a, b, NotEqual.self, named: ".!=") }

  /// 1 where the value is less than the scalar, else 0.
  public static func .< (x: Tensor, scalar: Float) -> Tensor { x.zip(scalar: scalar, first: false, Less.self) }

  /// 1 where the value is less than or equal to the scalar, else 0.
  public static func .<= (x: Tensor, scalar: Float) -> Tensor { x.zip(scalar: scalar, first: false, LessOrEqual.self) }

  /// 1 where the value is greater than the scalar, else 0.
  public static func .> (x: Tensor, scalar: Float) -> Tensor { x.zip(scalar: scalar, first: true, Less.self) }

  /// 1 where the value is greater than or equal to the scalar, else 0.
  public static func .>= (x: Tensor, scalar: Float) -> Tensor { x.zip(scalar: scalar, first: true, LessOrEqual.self) }

  /// 1 where the value equals the scalar, else 0.
  public static func .== (x: Tensor, scalar: Float) -> Tensor { x.zip(scalar: scalar, first: false, Equal.self) }

  /// 1 where the value differs from the scalar, else 0.
  public static func .!= (x: Tensor, scalar: Float) -> Tensor { x.zip(scalar: scalar, first: false, NotEqual.self) }
}
