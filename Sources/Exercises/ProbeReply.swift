import Foundation

/// The answer of a built lesson to one request, as a frame on a descriptor of its own.
///
/// A frame is `DULP`, version (UInt32), the request's nonce (UInt64), kind (UInt32), length (UInt64) and that many bytes:
/// for values a count (UInt32) and for each its name (UInt32 length, UTF-8), rank (UInt32), extents (Int64) and Float32
/// values; for the others UTF-8. All numbers are little-endian.
public enum ProbeReply: Sendable, Equatable {
  /// What the case returned.
  case values([ProbeValue])
  /// The implementation called `todo`.
  case notAttempted
  /// The lesson's specifications, as the JSON of ``LessonOutline``.
  case specifications(Data)
  /// The request made no sense to this lesson, and why.
  case refused(String)

  private var kind: UInt32 {
    switch self {
    case .values: 0
    case .notAttempted: 1
    case .specifications: 2
    case .refused: 3
    }
  }

  /// The frame that answers a request.
  func frame(nonce: UInt64) -> Data {
    let payload = payload
    var frame = ByteWriter()
    frame.append(Self.heading(nonce: nonce))
    frame.append(kind)
    frame.append(UInt64(payload.count))
    frame.append(payload)
    return frame.data
  }

  /// What a frame begins with: mark, version and nonce.
  private static func heading(nonce: UInt64) -> Data {
    var heading = ByteWriter()
    heading.append("DULP".utf8)
    heading.append(UInt32(ProbeRequest.currentVersion))
    heading.append(nonce)
    return heading.data
  }

  private var payload: Data {
    var bytes = ByteWriter()
    switch self {
    case .values(let values):
      bytes.append(UInt32(values.count))
      for value in values {
        bytes.append(value.name)
        bytes.append(UInt32(value.shape.count))
        for extent in value.shape { bytes.append(Int64(extent)) }
        bytes.append(value.scalars)
      }
    case .notAttempted: break
    case .specifications(let data): bytes.append(data)
    case .refused(let reason): bytes.append(reason.utf8)
    }
    return bytes.data
  }

  /// The first whole frame with this nonce among bytes that may hold anything; `nil` if there is none.
  public init?(in bytes: Data, nonce: UInt64) {
    let heading = Self.heading(nonce: nonce)
    var start = bytes.startIndex
    while let found = bytes.range(of: heading, in: start..<bytes.endIndex) {
      if let reply = Self(kindAndPayload: bytes[found.upperBound...]) {
        self = reply
        return
      }
      start = found.upperBound
    }
    return nil
  }

  private init?(kindAndPayload bytes: Data) {
    var reader = ByteReader(bytes)
    guard let kind = reader.integer(UInt32.self), let length = reader.integer(UInt64.self), length <= reader.remaining,
      let payload = reader.take(Int(length))
    else { return nil }
    switch kind {
    case 0:
      guard let values = Self.values(in: payload) else { return nil }
      self = .values(values)
    case 1: self = .notAttempted
    case 2: self = .specifications(Data(payload))
    case 3: self = .refused(String(decoding: payload, as: UTF8.self))
    default: return nil
    }
  }

  private static func values(in payload: Data) -> [ProbeValue]? {
    var reader = ByteReader(payload)
    guard let count = reader.integer(UInt32.self), count <= 1000 else { return nil }
    var values: [ProbeValue] = []
    for _ in 0..<count {
      guard let name = reader.text(limit: 1000), let rank = reader.integer(UInt32.self), rank <= 32 else { return nil }
      let shape = (0..<rank).compactMap { _ in reader.integer(Int64.self).flatMap { Int(exactly: $0) } }
      guard shape.count == rank, let size = valueCount(of: shape), let scalars = reader.floats(size) else { return nil }
      values.append(ProbeValue(name: name, shape: shape, scalars: scalars))
    }
    return reader.remaining == 0 ? values : nil
  }
}
