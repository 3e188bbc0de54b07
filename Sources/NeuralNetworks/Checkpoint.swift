import Foundation
import Tensors

/// Named tensors and texts in a safetensors file, which Python's `safetensors` reads too.
///
/// Format: eight bytes (little-endian) with the header's length, a JSON header with type, shape and place of each
/// tensor, then the values (https://github.com/huggingface/safetensors, "Format"). Only 32-bit floats are read.
public struct Checkpoint: Sendable {
  /// The tensors by name.
  public var tensors: [String: Tensor]
  /// Texts by name, such as seed, step and random state.
  public var metadata: [String: String]

  /// A checkpoint of these tensors and texts.
  public init(tensors: [String: Tensor] = [:], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// Reads a safetensors file.
  ///
  /// - Throws: ``CheckpointError`` when the file is missing, damaged or holds other types than 32-bit floats.
  public init(contentsOf url: URL) throws {
    let data: Data
    do { data = try Data(contentsOf: url) } catch {
      throw CheckpointError(url, "cannot be read (\((error as NSError).localizedDescription))")
    }
    do { self = try SafetensorsReader(data).checkpoint() } catch let damage as SafetensorsReader.Damage {
      throw CheckpointError(url, "is not a sound safetensors file: \(damage.reason)")
    }
  }

  /// Writes a safetensors file under a temporary name and renames it, so that a run stopped at any moment leaves a
  /// whole file.
  ///
  /// - Throws: ``CheckpointError`` when the file cannot be written.
  public func write(to url: URL) throws {
    do { try encoded().write(to: url, options: .atomic) } catch {
      throw CheckpointError(
        url, "cannot be written (\((error as NSError).localizedDescription))",
        remedy: "Check the folder's permissions and the free space.")
    }
  }

  /// The bytes of the file; the same contents give the same bytes.
  func encoded() throws -> Data {
    var header: [String: SafetensorsEntry] = [:]
    var end = 0
    let names = tensors.keys.sorted()
    for name in names {
      guard let tensor = tensors[name] else { continue }
      let start = end
      end += tensor.count * MemoryLayout<Float>.size
      header[name] = SafetensorsEntry(dtype: "F32", shape: tensor.shape, dataOffsets: [start, end])
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var json = try encoder.encode(SafetensorsHeader(entries: header, metadata: metadata))
    while json.count % 8 != 0 { json.append(0x20) }
    var result = Data(capacity: 8 + json.count + end)
    withUnsafeBytes(of: UInt64(json.count).littleEndian) { result.append(contentsOf: $0) }
    result.append(json)
    for name in names {
      tensors[name]?.withUnsafeScalars { result.append(contentsOf: UnsafeRawBufferPointer($0)) }
    }
    return result
  }
}

/// What is wrong with a checkpoint, and what to do.
public struct CheckpointError: Error, CustomStringConvertible, Sendable {
  /// One line that names the file, the fault and the remedy.
  public let description: String

  init(_ url: URL, _ problem: String, remedy: String = "Delete it and run without --resume.") {
    description = "the checkpoint \(url.path) \(problem). \(remedy)"
  }

  init(_ problem: String) {
    description = "the checkpoint does not fit: \(problem). Run with the options it was made with, or without --resume."
  }
}
