/// An immutable array of Int32 values with a shape, row-major: labels, codes and tokens.
public struct IndexTensor: Sendable, Equatable {
  /// The extent of each axis; empty for a scalar.
  public let shape: [Int]
  /// All values in row-major order.
  public let scalars: [Int32]

  /// Values in row-major order.
  ///
  /// - Precondition: as many values as `shape` holds.
  public init(_ scalars: [Int32], shape: [Int]) {
    guard checkedCount(of: shape, in: "IndexTensor") == scalars.count else {
      fail("IndexTensor", "\(scalars.count) values do not fill the shape \(shape), which holds \(shape.reduce(1, *))")
    }
    self.scalars = scalars
    self.shape = shape
  }

  /// A vector, `[count]`.
  public init(_ scalars: [Int32]) {
    self.init(scalars, shape: [scalars.count])
  }

  /// The number of values.
  public var count: Int { scalars.count }
}
