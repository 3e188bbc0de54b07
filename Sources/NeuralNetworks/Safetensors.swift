import Foundation
import Tensors

/// Where a tensor stands in a safetensors file; the names are the format's.
struct SafetensorsEntry: Codable {
  let dtype: String
  let shape: [Int]
  let dataOffsets: [Int]

  private enum CodingKeys: String, CodingKey {
    case dtype
    case shape
    case dataOffsets = "data_offsets"
  }
}

/// The JSON header: an entry for each tensor, and texts under `__metadata__`.
struct SafetensorsHeader: Codable {
  var entries: [String: SafetensorsEntry]
  var metadata: [String: String]

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
    static let metadata = Key(stringValue: "__metadata__")
  }

  init(entries: [String: SafetensorsEntry], metadata: [String: String]) {
    self.entries = entries
    self.metadata = metadata
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    metadata = try container.decodeIfPresent([String: String].self, forKey: .metadata) ?? [:]
    entries = [:]
    for key in container.allKeys where key.stringValue != Key.metadata.stringValue {
      entries[key.stringValue] = try container.decode(SafetensorsEntry.self, forKey: key)
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    if !metadata.isEmpty { try container.encode(metadata, forKey: .metadata) }
    for (name, entry) in entries { try container.encode(entry, forKey: Key(stringValue: name)) }
  }
}

/// Reads the bytes of a safetensors file, believing nothing it says before checking.
struct SafetensorsReader {
  struct Damage: Error {
    let reason: String
  }

  private let data: Data
  private let header: SafetensorsHeader
  private let values: Data

  init(_ bytes: Data) throws {
    data = bytes
    guard data.count >= 8 else { throw Damage(reason: "it has \(data.count) bytes, too few for a header") }
    let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(data.count - 8) else {
      throw Damage(reason: "its header claims \(length) bytes, but \(data.count - 8) follow; it may be cut short")
    }
    let json = data.dropFirst(8).prefix(Int(length))
    do { header = try JSONDecoder().decode(SafetensorsHeader.self, from: Data(json)) } catch {
      throw Damage(reason: "its header is not the JSON of the format")
    }
    values = data.dropFirst(8 + Int(length))
  }

  func checkpoint() throws -> Checkpoint {
    var tensors: [String: Tensor] = [:]
    var end = 0
    for (name, entry) in header.entries.sorted(by: {
      $0.value.dataOffsets.lexicographicallyPrecedes($1.value.dataOffsets)
    }) {
      let range = try checkedRange(of: entry, name)
      guard range.lowerBound == end else {
        throw Damage(
          reason: "the values of \"\(name)\" begin at \(range.lowerBound), not where the ones before end, at \(end)")
      }
      end = range.upperBound
      tensors[name] = tensor(range, entry.shape)
    }
    guard end == values.count else {
      throw Damage(reason: "\(values.count) bytes of values are there, but its header accounts for \(end)")
    }
    return Checkpoint(tensors: tensors, metadata: header.metadata)
  }

  private func checkedRange(of entry: SafetensorsEntry, _ name: String) throws -> Range<Int> {
    guard entry.dtype == "F32" else { throw Damage(reason: "\"\(name)\" holds \(entry.dtype); only F32 is read") }
    var bytes = MemoryLayout<Float>.size
    for extent in entry.shape {
      // Where one axis is empty the others must be possible all the same: distances along them are multiplied too.
      let (product, overflow) = bytes.multipliedReportingOverflow(by: max(1, extent))
      guard extent >= 0, !overflow, product < 1 << 42 else {
        throw Damage(reason: "\"\(name)\" has the impossible shape \(entry.shape)")
      }
      bytes = product
    }
    if entry.shape.contains(0) { bytes = 0 }
    let offsets = entry.dataOffsets
    guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= values.count else {
      throw Damage(reason: "\"\(name)\" claims the bytes \(offsets) of \(values.count)")
    }
    guard offsets[1] - offsets[0] == bytes else {
      throw Damage(
        reason: "\"\(name)\" of shape \(entry.shape) needs \(bytes) bytes and claims \(offsets[1] - offsets[0])")
    }
    return offsets[0]..<offsets[1]
  }

  private func tensor(_ range: Range<Int>, _ shape: [Int]) -> Tensor {
    if range.isEmpty { return Tensor([], shape: shape) }
    let part = values.dropFirst(range.lowerBound).prefix(range.count)
    let scalars = [Float](unsafeUninitializedCapacity: range.count / 4) { buffer, count in
      part.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
      count = range.count / 4
    }
    return Tensor(scalars, shape: shape)
  }
}
