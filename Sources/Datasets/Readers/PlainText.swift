import Foundation
import Tensors

/// Text from a file, and the numbering of its characters.
///
/// A character here is a Unicode scalar, so that any text comes back from its tokens exactly.
public struct PlainText: Sendable {
  /// The text.
  public let text: String
  /// Its characters.
  public let vocabulary: Vocabulary

  private static let remedy = "save the file as UTF-8 text"
  /// The most bytes a file may hold: 256 MiB.
  private static let largestCount = 1 << 28

  /// Reads a file of UTF-8 text, gzipped or not; a byte order mark at the beginning is left out.
  ///
  /// - Throws: `DataError` if the file cannot be read, is empty, or is not text.
  public init(contentsOf path: String) throws(DataError) {
    var bytes = try fileBytes(path, limit: Self.largestCount, remedy: Self.remedy)
    if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
      throw DataError(path: path, problem: "is text in UTF-16, not UTF-8", remedy: Self.remedy)
    }
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
    guard !bytes.isEmpty else { throw DataError(path: path, problem: "holds no text", remedy: Self.remedy) }
    if let place = bytes.firstIndex(of: 0) {
      throw DataError(path: path, problem: "is not text: byte \(place) is zero", remedy: Self.remedy)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let place = Self.invalidByte(in: bytes)
      throw DataError(path: path, problem: "is not UTF-8 text: it breaks at byte \(place)", remedy: Self.remedy)
    }
    self.text = text
    vocabulary = Vocabulary(of: text)
  }

  /// The text as tokens of its own vocabulary, `[length]`.
  public var tokens: IndexTensor { vocabulary.tokens(known: text) }

  /// Where decoding fails first.
  private static func invalidByte(in bytes: [UInt8]) -> Int {
    var decoder = UTF8()
    var source = bytes.makeIterator()
    var valid = 0
    while case .scalarValue(let scalar) = decoder.decode(&source) { valid += UTF8.width(scalar) }
    return valid
  }
}

/// Characters and their tokens, numbered in the order of Unicode.
public struct Vocabulary: Sendable, Equatable {
  /// The characters in the order of their tokens.
  public let characters: [Unicode.Scalar]
  private let numbers: [Unicode.Scalar: Int32]

  /// The characters that occur in a text.
  public init(of text: String) {
    characters = Set(text.unicodeScalars).sorted()
    numbers = Dictionary(uniqueKeysWithValues: zip(characters, (0..<Int32(characters.count))))
  }

  /// How many characters there are.
  public var count: Int { characters.count }

  /// The tokens of a text, `[length]`; nil if a character is not in the vocabulary.
  public func tokens(of text: String) -> IndexTensor? {
    var tokens: [Int32] = []
    for scalar in text.unicodeScalars {
      guard let number = numbers[scalar] else { return nil }
      tokens.append(number)
    }
    return IndexTensor(tokens)
  }

  /// The text of tokens of any shape, read in row-major order.
  ///
  /// - Precondition: every token is 0 to `count - 1`.
  public func text(of tokens: IndexTensor) -> String {
    checkTokens(tokens, below: count)
    var text = String.UnicodeScalarView()
    for token in tokens.scalars { text.append(characters[Int(token)]) }
    return String(text)
  }

  /// The tokens of a text all of whose characters are known.
  func tokens(known text: String) -> IndexTensor {
    IndexTensor(text.unicodeScalars.map { numbers[$0] ?? 0 })
  }
}
