/// An array of unsigned bytes in the IDX format, in which MNIST and its kin are distributed.
///
/// The file is a magic number (two zeros, the element type, the rank), one big-endian 32-bit size for each axis, and
/// the values in row-major order (LeCun, Cortes & Burges, "The MNIST database of handwritten digits"); it may
/// be gzipped.
public struct IDX: Sendable, Equatable {
  /// The extent of each axis.
  public let shape: [Int]
  /// All values in row-major order.
  public let bytes: [UInt8]

  /// The most bytes a file may hold: 1 GiB.
  static let largestCount = 1 << 30

  /// Reads a file, gzipped or not, whatever its name.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - rank: the number of axes it must have; nil takes any.
  ///   - remedy: what to advise when the contents are damaged.
  /// - Throws: `DataError` if the file cannot be read or is anything but a whole IDX file of unsigned bytes.
  public init(
    contentsOf path: String, rank: Int? = nil, remedy: String = "get the file again from its source"
  ) throws(DataError) {
    let stream = try ByteStream(path: path, remedy: remedy)
    shape = try Self.readShape(from: stream, rank: rank)
    let count = try Self.count(of: shape, in: stream)
    bytes = try Self.readValues(count, shape, from: stream)
  }

  private static func readShape(from stream: ByteStream, rank: Int?) throws(DataError) -> [Int] {
    let magic = try stream.read(4)
    try checkMagic(magic, of: stream)
    let foundRank = Int(magic[3])
    guard foundRank == rank ?? foundRank, foundRank > 0 else {
      throw stream.damage(
        "its rank is \(foundRank), not \(rank.map(String.init) ?? "1 or more")",
        remedy: "give the right file (images have rank 3, labels rank 1)")
    }
    let sizes = try stream.read(4 * foundRank)
    guard sizes.count == 4 * foundRank else {
      throw stream.damage("is truncated: its header has \(4 + sizes.count) of \(4 + 4 * foundRank) bytes")
    }
    return (0..<foundRank).map { axis in
      sizes[4 * axis..<4 * axis + 4].reduce(0) { $0 << 8 | Int($1) }
    }
  }

  private static func checkMagic(_ magic: [UInt8], of stream: ByteStream) throws(DataError) {
    guard magic.count == 4 else {
      throw stream.damage("is truncated: it has \(magic.count) bytes, and an IDX header has 8 or more")
    }
    guard magic[0] == 0, magic[1] == 0 else {
      let beginning = magic.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
      switch (magic[0], magic[1]) {
      case (0x1f, 0x8b): throw stream.damage("is compressed twice", remedy: "gunzip it once")
      case (0x50, 0x4b): throw stream.damage("is a zip archive", remedy: "unzip it and give the files inside")
      case (0x3c, _):
        throw stream.damage("is a web page, not an IDX file", remedy: "the download went wrong: fetch it again")
      default: throw stream.damage("is not an IDX file: it begins with \(beginning), not with 00 00")
      }
    }
    guard magic[2] == 0x08 else {
      let types: [UInt8: String] = [
        0x09: "signed bytes", 0x0b: "16-bit integers", 0x0c: "32-bit integers", 0x0d: "32-bit floats",
        0x0e: "64-bit floats",
      ]
      throw stream.damage(
        "its values are \(types[magic[2]] ?? "of the unknown type \(magic[2])"), not unsigned bytes (type 8)",
        remedy: "convert it to unsigned bytes")
    }
  }

  private static func count(of shape: [Int], in stream: ByteStream) throws(DataError) -> Int {
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent > 0 else { throw stream.damage("holds nothing: its header gives the sizes \(shape)") }
      guard !overflow, product <= largestCount else {
        throw stream.damage("its header gives the sizes \(shape), more than the \(largestCount) bytes that can be read")
      }
      count = product
    }
    guard count <= stream.bound else {
      throw stream.damage(
        "is truncated: its header gives the sizes \(shape), \(count) bytes, which so small a file cannot hold")
    }
    return count
  }

  private static func readValues(_ count: Int, _ shape: [Int], from stream: ByteStream) throws(DataError) -> [UInt8] {
    var failure: DataError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { target, filled in
      do throws(DataError) {
        filled = try stream.read(count, into: target.baseAddress!)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    guard bytes.count == count else {
      throw stream.damage(
        "is truncated: its header gives the sizes \(shape), \(count) bytes, and \(bytes.count) are there")
    }
    guard try stream.read(1).isEmpty else {
      throw stream.damage("has more bytes than the \(count) of the sizes \(shape) in its header")
    }
    return bytes
  }
}

extension ByteStream {
  fileprivate func damage(_ problem: String, remedy: String? = nil) -> DataError {
    DataError(path: path, problem: problem, remedy: remedy ?? self.remedy)
  }
}
