import Foundation
import Tensors

/// A named array of values that a case returned.
public struct ProbeValue: Sendable, Equatable {
  /// What it is, such as `gradient with respect to the mean`.
  public let name: String
  /// The extent of each axis.
  public let shape: [Int]
  /// The values in row-major order.
  public let scalars: [Float]

  /// A value from its parts.
  public init(name: String, shape: [Int], scalars: [Float]) {
    self.name = name
    self.shape = shape
    self.scalars = scalars
  }

  init(name: String, tensor: Tensor) {
    self.init(name: name, shape: tensor.shape, scalars: tensor.scalars)
  }
}

extension ProbeValue: Codable {
  private enum Key: String, CodingKey {
    case name
    case shape
    case values
  }

  /// Reads scalars that are little-endian Float32 in base 64, so that NaN and every bit survive.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let shape = try container.decode([Int].self, forKey: .shape)
    var reader = ByteReader(try container.decode(Data.self, forKey: .values))
    guard let count = valueCount(of: shape), reader.remaining == 4 * count, let scalars = reader.floats(count) else {
      throw DecodingError.dataCorruptedError(
        forKey: .values, in: container, debugDescription: "the values do not fill the shape \(shape)")
    }
    self.init(name: try container.decode(String.self, forKey: .name), shape: shape, scalars: scalars)
  }

  /// Writes the scalars as little-endian Float32 in base 64.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(name, forKey: .name)
    try container.encode(shape, forKey: .shape)
    var bytes = ByteWriter()
    bytes.append(scalars)
    try container.encode(bytes.data, forKey: .values)
  }
}

/// The number of values in a shape that came from outside; `nil` if it is not possible.
func valueCount(of shape: [Int]) -> Int? {
  var product = 1
  for extent in shape {
    let (next, overflow) = product.multipliedReportingOverflow(by: extent)
    guard extent >= 0, !overflow, next < 1 << 40 else { return nil }
    product = next
  }
  return product
}
