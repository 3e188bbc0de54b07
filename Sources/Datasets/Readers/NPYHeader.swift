import Foundation

/// The head of an `.npy` file: a Python dictionary with the keys descr, fortran_order and shape.
struct NPYHeader: Equatable {
  var type = ""
  var isFortran = false
  var shape: [Int] = []

  /// The bytes of a value of each type.
  static let sizes = ["<f4": 4, "<f8": 8, "<i4": 4, "<i8": 8, "|u1": 1, "|b1": 1]
  /// The longest dictionary that is read; that of 32 axes is far shorter.
  private static let longest = 1 << 16

  /// The header, and where the values begin.
  static func read(
    _ bytes: [UInt8], _ damage: (String) -> DataError
  ) throws(DataError) -> (start: Int, header: NPYHeader) {
    guard bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      let isArchive = bytes.starts(with: [0x50, 0x4b, 3, 4])
      throw damage(
        isArchive ? "is an .npz archive of several arrays" : "is not an .npy file: its first bytes are wrong")
    }
    guard bytes.count >= 8, (1...3).contains(bytes[6]), bytes[7] == 0 else {
      throw damage(bytes.count < 8 ? "is truncated" : "is of the unknown version \(bytes[6]).\(bytes[7])")
    }
    var reader = ByteReader(bytes, position: 8)
    let length = bytes[6] == 1 ? reader.next(UInt16.self).map { Int($0) } : reader.next(UInt32.self).map { Int($0) }
    guard let length else { throw damage("is truncated: the length of its header is missing") }
    guard length <= longest else { throw damage("its header claims \(length) bytes, more than the \(longest) allowed") }
    guard length <= reader.rest else {
      throw damage("is truncated: its header should have \(length) bytes, and \(reader.rest) are there")
    }
    let start = reader.position + length
    var parser = Parser(bytes[reader.position..<start])
    guard let header = parser.dictionary() else { throw damage("its header is not the dictionary that it should be") }
    guard sizes[header.type] != nil else {
      throw damage("its values are of the type \(header.type), which is not read")
    }
    guard header.shape.count <= 32 else { throw damage("has \(header.shape.count) axes, more than 32") }
    return (start, header)
  }

  /// The bytes of a header of version 1; values begin at a multiple of 64.
  static func data(_ type: String, _ shape: [Int]) -> Data {
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    let list = shape.count > 1 ? String(extents.dropLast()) : extents
    var text = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(list)), }"
    while (10 + text.utf8.count + 1) % 64 != 0 { text += " " }
    text += "\n"
    let length = UInt16(text.utf8.count)
    return Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(text.utf8))
  }

  /// Reads the few Python literals that a header may have.
  private struct Parser {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
      self.bytes = bytes
      position = bytes.startIndex
    }

    mutating func dictionary() -> NPYHeader? {
      var header = NPYHeader()
      var keys: Set<String> = []
      guard take("{") else { return nil }
      while !take("}") {
        guard let key = string(), keys.insert(key).inserted, take(":") else { return nil }
        switch key {
        case "descr": header.type = string() ?? "?"
        case "fortran_order":
          header.isFortran = take("True")
          if !header.isFortran, !take("False") { return nil }
        case "shape":
          guard let shape = tuple() else { return nil }
          header.shape = shape
        default: return nil
        }
        if !take(",") {
          guard take("}") else { return nil }
          break
        }
      }
      skipSpace()
      return keys.count == 3 && position == bytes.endIndex ? header : nil
    }

    private mutating func tuple() -> [Int]? {
      guard take("(") else { return nil }
      var values: [Int] = []
      while !take(")") {
        skipSpace()
        let digits = bytes[position...].prefix { (48...57).contains($0) }
        guard let value = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
        position += digits.count
        _ = take("L")  // Python 2 wrote long integers so
        values.append(value)
        if !take(",") {
          guard values.count > 1, take(")") else { return nil }
          break
        }
      }
      return values
    }

    private mutating func string() -> String? {
      guard let quote = take("'") ? "'" : take("\"") ? "\"" : nil else { return nil }
      let contents = bytes[position...].prefix { $0 != quote.utf8.first! && $0 >= 32 && $0 < 127 }
      position += contents.count
      return take(quote) ? String(decoding: contents, as: UTF8.self) : nil
    }

    private mutating func take(_ text: String) -> Bool {
      skipSpace()
      guard bytes[position...].starts(with: text.utf8) else { return false }
      position += text.utf8.count
      return true
    }

    private mutating func skipSpace() {
      while position < bytes.endIndex, bytes[position] == 32 || bytes[position] == 10 { position += 1 }
    }
  }
}
