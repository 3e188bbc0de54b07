import Foundation
import Tensors

/// An array in NumPy's `.npy` format, versions 1 to 3: `descr` `<f4`, `<f8`, `<i4`, `<i8`, `|u1` or `|b1`.
///
/// NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays".
public struct NPY: Sendable {
  /// The extent of each axis; empty for a scalar.
  public let shape: [Int]
  /// The type of the values in NumPy's letters, such as `<f4`.
  public let type: String
  private let floats: [Float]
  private let integers: [Int64]

  private static let remedy = "write it again with numpy.save, as float32, float64, int32, int64, uint8 or bool"
  /// The most bytes a file may hold: 2 GiB.
  private static let largestCount = 1 << 31

  /// Reads a file.
  ///
  /// - Throws: `DataError` if it is damaged, or holds another type or Python objects.
  public init(contentsOf path: String) throws(DataError) {
    let bytes = try fileBytes(path, limit: Self.largestCount, remedy: Self.remedy)
    let damage = { DataError(path: path, problem: $0, remedy: Self.remedy) }
    let (start, header) = try NPYHeader.read(bytes, damage)
    let count = try Self.count(of: header, bytes: bytes.count - start, damage)
    shape = header.shape
    type = header.type
    let order = header.isFortran ? Self.rowMajorOrder(of: header.shape, count) : nil
    let values = (0..<count).lazy.map { index in
      ByteReader(bytes, position: start + (order?[index] ?? index) * NPYHeader.sizes[header.type]!)
    }
    (floats, integers) = Self.values(values, type)
  }

  private static func count(
    of header: NPYHeader, bytes found: Int, _ damage: (String) -> DataError
  ) throws(DataError) -> Int {
    var count = 1
    for extent in header.shape {
      // Where one axis is empty the others must be possible all the same: distances along them are multiplied too.
      let (product, overflow) = count.multipliedReportingOverflow(by: max(1, extent))
      guard !overflow, product <= largestCount else { throw damage("its shape \(header.shape) is impossibly large") }
      count = product
    }
    if header.shape.contains(0) { count = 0 }
    let needed = count * NPYHeader.sizes[header.type]!
    guard needed == found else {
      throw damage("its shape \(header.shape) of \(header.type) needs \(needed) bytes, and \(found) are there")
    }
    return count
  }

  /// The values, each from a reader that stands at it: fractions or whole numbers.
  private static func values(
    _ readers: some Sequence<ByteReader>, _ type: String
  ) -> (floats: [Float], integers: [Int64]) {
    func all<Value: FixedWidthInteger, Result>(_ make: (Value) -> Result) -> [Result] {
      readers.map { reader in
        var reader = reader
        return make(reader.next(Value.self) ?? 0)
      }
    }
    return switch type {
    case "<f4": (all { (pattern: UInt32) in Float(bitPattern: pattern) }, [])
    case "<f8": (all { (pattern: UInt64) in Float(Double(bitPattern: pattern)) }, [])
    case "<i4": ([], all { (value: Int32) in Int64(value) })
    case "<i8": ([], all { (value: Int64) in value })
    case "|u1": ([], all { (value: UInt8) in Int64(value) })
    default: ([], all { (value: UInt8) in value == 0 ? 0 : 1 })
    }
  }

  /// Whether the values are whole numbers or truth values.
  public var isInteger: Bool { !type.hasPrefix("<f") }

  /// The values as numbers; what Float cannot hold exactly is rounded.
  public var tensor: Tensor { Tensor(isInteger ? integers.map { Float($0) } : floats, shape: shape) }

  /// The values as whole numbers; nil if they are fractions, or one is beyond Int32.
  public var indexTensor: IndexTensor? {
    guard isInteger else { return nil }
    var values: [Int32] = []
    values.reserveCapacity(integers.count)
    for integer in integers {
      guard let value = Int32(exactly: integer) else { return nil }
      values.append(value)
    }
    return IndexTensor(values, shape: shape)
  }

  /// Writes numbers as `<f4`, version 1, in row-major order.
  ///
  /// - Throws: `DataError` if the file cannot be written.
  public static func write(_ tensor: Tensor, to path: String) throws(DataError) {
    var data = NPYHeader.data("<f4", tensor.shape)
    tensor.withUnsafeScalars { for value in $0 { append(value.bitPattern, to: &data) } }
    try Datasets.write(data, to: path)
  }

  /// Writes whole numbers as `<i4`, version 1, in row-major order.
  ///
  /// - Throws: `DataError` if the file cannot be written.
  public static func write(_ indices: IndexTensor, to path: String) throws(DataError) {
    var data = NPYHeader.data("<i4", indices.shape)
    for value in indices.scalars { append(UInt32(bitPattern: value), to: &data) }
    try Datasets.write(data, to: path)
  }

  private static func append(_ value: UInt32, to data: inout Data) {
    withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
  }

  /// Where each value in row-major order stands in column-major order.
  private static func rowMajorOrder(of shape: [Int], _ count: Int) -> [Int] {
    var steps = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropFirst() { steps[axis] = steps[axis - 1] * shape[axis - 1] }
    return (0..<count).map { index in
      var (rest, place) = (index, 0)
      for axis in shape.indices.reversed() {
        place += rest % shape[axis] * steps[axis]
        rest /= shape[axis]
      }
      return place
    }
  }
}
