import Foundation
import Tensors

/// A sound of one or two channels, as WAV files hold it.
///
/// Microsoft & IBM, "Multimedia Programming Interface and Data Specifications 1.0", 1991.
public struct WAV: Sendable {
  /// The sound, −1…1, `[time, channels]`.
  public let samples: Tensor
  /// Samples a second.
  public let rate: Int

  private static let remedy = "get the file again, or convert it: `ffmpeg -i in -c:a pcm_s16le out.wav`"

  /// A sound of these samples.
  ///
  /// - Parameters:
  ///   - samples: `[time]`, or `[time, channels]` with one or two channels.
  ///   - rate: samples a second.
  /// - Precondition: the shape is one of these, `rate` is 1 to 1,000,000.
  public init(samples: Tensor, rate: Int) {
    let channels = samples.rank == 2 ? samples.shape[1] : 1
    guard samples.rank == 1 || samples.rank == 2, channels == 1 || channels == 2, (1...1_000_000).contains(rate) else {
      fail("WAV", "needs samples [time] or [time, 1 or 2] and a rate of 1 to 1,000,000; got \(samples.shape), \(rate)")
    }
    self.samples = samples.detached().reshaped(to: [samples.shape[0], channels])
    self.rate = rate
  }

  /// Reads a file of 8-, 16-, 24- or 32-bit whole numbers or 32-bit floats, of one or two channels.
  ///
  /// - Throws: `DataError` if the file is damaged or holds something else.
  public init(contentsOf path: String) throws(DataError) {
    let bytes = try fileBytes(path, limit: 1 << 30, remedy: Self.remedy)
    let chunks = try Self.chunks(of: bytes, path)
    guard let header = chunks["fmt "] else { throw Self.damage(path, "has no format chunk (fmt )") }
    guard let data = chunks["data"] else { throw Self.damage(path, "has no samples (data)") }
    let format = try WAVFormat(bytes[header]) { Self.damage(path, $0) }
    guard data.count % (format.channels * format.bytes) == 0 else {
      throw Self.damage(
        path, "its \(data.count) bytes of samples do not fill \(format.channels) channels of \(format.bytes) bytes")
    }
    let scalars = format.samples(of: bytes, in: data)
    if let odd = scalars.firstIndex(where: { !$0.isFinite }) {
      throw Self.damage(path, "sample \(odd / format.channels) is not a finite number")
    }
    samples = Tensor(scalars, shape: [scalars.count / format.channels, format.channels])
    rate = format.rate
  }

  /// Where the contents of each chunk are.
  private static func chunks(of bytes: [UInt8], _ path: String) throws(DataError) -> [String: Range<Int>] {
    var reader = ByteReader(bytes)
    guard reader.text(4) == "RIFF", let size = reader.next(UInt32.self), reader.text(4) == "WAVE" else {
      throw damage(path, "is not a WAV file: it does not begin with RIFF, a size and WAVE")
    }
    guard Int(size) + 8 == bytes.count else {
      throw damage(path, "has \(bytes.count) bytes, and its header says \(Int(size) + 8)")
    }
    var chunks: [String: Range<Int>] = [:]
    while reader.rest > 0 {
      guard let name = reader.text(4), let size = reader.next(UInt32.self) else {
        throw damage(path, "is truncated within a chunk's header")
      }
      guard Int(size) <= reader.rest else {
        throw damage(path, "is truncated: a chunk should have \(size) bytes, and \(reader.rest) are there")
      }
      guard chunks[name] == nil || (name != "fmt " && name != "data") else {
        throw damage(path, "has two chunks \(name)")
      }
      chunks[name] = reader.position..<reader.position + Int(size)
      reader.position += Int(size)
      if size % 2 == 1, reader.rest > 0 { reader.position += 1 }  // chunks begin at even places
    }
    return chunks
  }

  private static func damage(_ path: String, _ problem: String) -> DataError {
    DataError(path: path, problem: problem, remedy: remedy)
  }

  /// Writes the sound as 16-bit whole numbers; what lies outside −1…1 is cut off, and what is not a number is silent.
  ///
  /// - Throws: `DataError` if the file cannot be written, or the sound is longer than the format allows (4 GiB).
  public func write(to path: String) throws(DataError) {
    guard samples.count * 2 < Int(UInt32.max) - 36 else {
      throw DataError(path: path, problem: "the sound is too long for a WAV file", remedy: "write it in parts")
    }
    var data = Data()
    func append(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
    }
    let (channels, size) = (samples.shape[1], samples.count * 2)
    data.append(contentsOf: "RIFF".utf8)
    append(UInt32(size + 36))
    data.append(contentsOf: "WAVEfmt ".utf8)
    append(UInt32(16))
    append(UInt16(1))
    append(UInt16(channels))
    append(UInt32(rate))
    append(UInt32(rate * channels * 2))
    append(UInt16(channels * 2))
    append(UInt16(16))
    data.append(contentsOf: "data".utf8)
    append(UInt32(size))
    for sample in samples.scalars {
      append(sample.isFinite ? Int16(min(max((sample * 32_768).rounded(), -32_768), 32_767)) : 0)
    }
    try Datasets.write(data, to: path)
  }
}
