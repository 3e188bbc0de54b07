import Synchronization

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

  /// Values that `fill` writes, all of them; it is not called where there are none.
  package init(_ shape: [Int], filledBy fill: (UnsafeMutablePointer<Int32>) -> Void) {
    let count = shape.reduce(1, *)
    let scalars =
      count == 0
      ? []
      : [Int32](unsafeUninitializedCapacity: count) { target, initialized in
        initialized = count
        fill(target.baseAddress!)
      }
    self.init(scalars, shape: shape)
  }

  /// A vector, `[count]`.
  public init(_ scalars: [Int32]) {
    self.init(scalars, shape: [scalars.count])
  }

  /// The number of values.
  public var count: Int { scalars.count }

  /// The values of a tensor that holds whole numbers.
  ///
  /// - Precondition: each value is a whole number that fits in 32 bits.
  public init(_ tensor: Tensor) {
    let values = tensor.scalars
    if let odd = values.firstIndex(where: { Int32(exactly: $0) == nil }) {
      fail("IndexTensor", "\(values[odd]) at \(multiIndex(odd, in: tensor.shape)) is not a whole number of 32 bits")
    }
    self.init(values.map { Int32($0) }, shape: tensor.shape)
  }

  /// The value at a position, given by an index for each axis.
  ///
  /// - Precondition: each index lies within its axis.
  public subscript(_ index: Int...) -> Int {
    guard index.count == shape.count, zip(index, shape).allSatisfy({ (0..<$1).contains($0) }) else {
      fail("IndexTensor", "there is no value at \(index) in shape \(shape)")
    }
    return Int(scalars[zip(index, strides(of: shape)).reduce(0) { $0 + $1.0 * $1.1 }])
  }

  /// The same values in another shape; one extent may be −1, for whatever remains.
  public func reshaped(to newShape: [Int]) -> IndexTensor { IndexTensor(bits: bits.reshaped(to: newShape)) }

  /// The part of one axis that `range` names.
  public func sliced(_ range: Range<Int>, axis: Int) -> IndexTensor {
    IndexTensor(bits: bits.sliced(range, axis: axis))
  }

  /// The parts of the first axis that `rows` names, such as the labels of a batch: `[count, …]` at `[batch]` gives `[batch, …]`.
  public func gathered(rows: IndexTensor) -> IndexTensor {
    _ = IndexedLayout(rows, into: shape, nil, in: "gathered(rows:)")  // checks both
    let width = shape.dropFirst().reduce(1, *)
    let found = rows.scalars.flatMap { scalars[Int($0) * width..<(Int($0) + 1) * width] }
    return IndexTensor(found, shape: rows.shape + shape.dropFirst())
  }

  /// The bits in a tensor, which moves them without looking at them; and back.
  private var bits: Tensor { Tensor(scalars.map { Float(bitPattern: UInt32(bitPattern: $0)) }, shape: shape) }
  private init(bits: Tensor) {
    self.init(bits.scalars.map { Int32(bitPattern: $0.bitPattern) }, shape: bits.shape)
  }

  /// Stops the program unless every value is an index into `axis` of `shape`.
  func check(into axis: Int, of shape: [Int], in operation: String) {
    let limit = UInt32(clamping: shape[axis])
    let isOutside = Atomic(false)
    scalars.withUnsafeBufferPointer { scalars in
      parallel(scalars.count, work: scalars.count) { part in
        var largest: UInt32 = 0  // negative ones are largest of all
        for place in part { largest = max(largest, UInt32(bitPattern: scalars[place])) }
        if largest >= limit, !part.isEmpty { isOutside.store(true, ordering: .relaxed) }
      }
    }
    guard isOutside.load(ordering: .relaxed) else { return }
    let odd = scalars.firstIndex { UInt32(bitPattern: $0) >= limit } ?? 0
    fail(
      operation,
      "the index \(scalars[odd]) at \(multiIndex(odd, in: self.shape)) is not in 0..<\(limit): axis \(axis) of shape \(shape)"
    )
  }
}

extension Tensor {
  /// The values of an index tensor; those beyond 2²⁴ are rounded.
  public init(_ indices: IndexTensor) {
    self.init(indices.scalars.map { Float($0) }, shape: indices.shape)
  }
}
