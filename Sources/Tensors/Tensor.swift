@_exported import Vectors

/// An immutable array of Float32 values with a shape, row-major; images are `[batch, height, width, channels]`.
///
/// A tensor made from parameters, or inside ``gradient(at:of:)``, remembers how it was made, so that gradients can be taken.
public struct Tensor: Sendable {
  /// The extent of each axis; empty for a scalar.
  public let shape: [Int]
  /// Written to only by an optimiser, after making sure that nobody shares it.
  package internal(set) var storage: Storage
  /// How this value was computed; nil for a constant.
  package let node: Node?

  package init(storage: Storage, shape: [Int], node: Node? = nil) {
    self.storage = storage
    self.shape = shape
    self.node = node
  }

  /// A constant with these values in row-major order.
  ///
  /// - Precondition: as many values as `shape` holds.
  public init(_ scalars: [Float], shape: [Int]) {
    self.init(
      scalars.count, shape,
      filledBy: { target in
        scalars.withUnsafeBufferPointer { source in
          if let base = source.baseAddress { target.update(from: base, count: source.count) }
        }
      })
  }

  /// A constant vector, `[count]`.
  public init(_ scalars: [Float]) {
    self.init(scalars, shape: [scalars.count])
  }

  /// A constant matrix, `[rows, columns]`.
  ///
  /// - Precondition: all rows have one length.
  public init(_ rows: [[Float]]) {
    let columns = rows.first?.count ?? 0
    if let odd = rows.first(where: { $0.count != columns }) {
      fail("Tensor", "rows must have one length; found \(columns) and \(odd.count)")
    }
    self.init(Array(rows.joined()), shape: [rows.count, columns])
  }

  /// A constant scalar, shape `[]`.
  public init(_ scalar: Float) {
    self.init([scalar], shape: [])
  }

  /// A constant in which every value is `scalar`.
  public init(repeating scalar: Float, shape: [Int]) {
    self.init(
      checkedCount(of: shape, in: "Tensor"), shape,
      filledBy: { target in
        target.update(repeating: scalar, count: shape.reduce(1, *))
      })
  }

  /// A constant of zeros.
  public static func zeros(_ shape: [Int]) -> Tensor { Tensor(repeating: 0, shape: shape) }

  /// A constant of ones.
  public static func ones(_ shape: [Int]) -> Tensor { Tensor(repeating: 1, shape: shape) }

  private init(_ count: Int, _ shape: [Int], filledBy fill: (UnsafeMutablePointer<Float>) -> Void) {
    guard checkedCount(of: shape, in: "Tensor") == count else {
      fail("Tensor", "\(count) values do not fill the shape \(shape), which holds \(shape.reduce(1, *))")
    }
    storage = Storage(count: count)
    self.shape = shape
    node = nil
    fill(storage.pointer)
  }

  /// The number of values.
  public var count: Int {
    var product = 1
    for extent in shape { product *= extent }
    return product
  }

  /// The number of axes.
  public var rank: Int { shape.count }

  /// All values in row-major order.
  public var scalars: [Float] { withUnsafeScalars { Array($0) } }

  /// The value of a tensor that holds exactly one.
  public var scalar: Float {
    guard count == 1 else { fail("scalar", "needs a tensor with one value; this one has shape \(shape)") }
    return storage.pointer[0]
  }

  /// Calls `body` with all values in row-major order, without copying them.
  public func withUnsafeScalars<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) { try body(UnsafeBufferPointer(start: storage.pointer, count: count)) }
  }

  /// The same values as a constant: no gradient flows through it.
  public func detached() -> Tensor { Tensor(storage: storage, shape: shape) }

  /// Gives this variable storage of its own, so that it may be written.
  package mutating func makeUnique() {
    if isKnownUniquelyReferenced(&storage) { return }
    let copy = Storage(count: count)
    copy.pointer.update(from: storage.pointer, count: count)
    storage = copy
  }
}

/// The number of values in `shape`, after checking that no extent is negative and the product fits.
package func checkedCount(of shape: [Int], in operation: String) -> Int {
  var room = 1  // without the zeros, since strides are products of the other extents
  for extent in shape {
    let (next, overflow) = room.multipliedReportingOverflow(by: max(1, extent))
    guard extent >= 0, !overflow, next < 1 << 40 else {
      fail(operation, "the shape \(shape) is not possible: extents must be 0 or more and fit in memory")
    }
    room = next
  }
  return shape.contains(0) ? 0 : room
}

extension Tensor: CustomStringConvertible {
  /// The shape and the values, at most the first and last three along each axis.
  public var description: String {
    "Tensor\(shape) " + Self.describe(scalars[...], shape[...])
  }

  private static func describe(_ values: ArraySlice<Float>, _ shape: ArraySlice<Int>) -> String {
    guard let extent = shape.first else { return values.first.map { "\($0)" } ?? "" }
    let inner = shape.dropFirst()
    let stride = inner.reduce(1, *)
    let parts = (0..<extent).compactMap { index -> String? in
      if extent > 7, (3..<extent - 3).contains(index) { return index == 3 ? "…" : nil }
      return describe(values.dropFirst(index * stride).prefix(stride), inner)
    }
    return "[" + parts.joined(separator: ", ") + "]"
  }
}
