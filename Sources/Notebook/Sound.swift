import Foundation

/// A sound as a WAV file: one channel, 16 bits.
struct Sound {
  /// Samples from −1 to 1; what lies outside is cut off, and what is not a number is silent.
  var samples: [Float]
  /// Samples a second.
  var rate: Int

  /// The file's bytes.
  var wave: Data {
    var data = Data()
    func append(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
    }
    let size = UInt32(clamping: samples.count * 2)
    data.append(contentsOf: "RIFF".utf8)
    append(size + 36)
    data.append(contentsOf: "WAVEfmt ".utf8)
    append(UInt32(16))
    append(UInt16(1))
    append(UInt16(1))
    append(UInt32(clamping: rate))
    append(UInt32(clamping: rate * 2))
    append(UInt16(2))
    append(UInt16(16))
    data.append(contentsOf: "data".utf8)
    append(size)
    for sample in samples { append(Int16(sample.isFinite ? max(-1, min(1, sample)) * 32767 : 0)) }
    return data
  }
}
