import Foundation

/// How a WAV file holds its samples.
struct WAVFormat {
  let channels: Int
  let rate: Int
  /// Bytes of one sample of one channel.
  let bytes: Int
  let isFloat: Bool

  /// Reads the contents of a format chunk.
  ///
  /// - Parameters:
  ///   - chunk: the contents.
  ///   - damage: makes the error from what is wrong.
  init(_ chunk: ArraySlice<UInt8>, _ damage: (String) -> DataError) throws(DataError) {
    var reader = ByteReader(Array(chunk))
    guard var code = reader.next(UInt16.self), let channels = reader.next(UInt16.self),
      let rate = reader.next(UInt32.self), reader.next(UInt32.self) != nil, let block = reader.next(UInt16.self),
      let bits = reader.next(UInt16.self)
    else { throw damage("its format chunk has \(chunk.count) bytes, not 16 or more") }
    if code == 0xfffe {  // extensible: the code follows after 8 bytes, with a fixed ending
      reader.position += 8
      guard reader.rest >= 16, let inner = reader.next(UInt16.self) else {
        throw damage("its extensible format chunk has \(chunk.count) bytes, not 40")
      }
      code = inner
    }
    guard channels == 1 || channels == 2 else { throw damage("has \(channels) channels, not 1 or 2") }
    guard (1...1_000_000).contains(rate) else { throw damage("has \(rate) samples a second, not 1 to 1,000,000") }
    let isKnown = code == 1 ? [8, 16, 24, 32].contains(bits) : code == 3 && bits == 32
    guard isKnown else {
      throw damage("holds samples of kind \(code) with \(bits) bits, not whole numbers (1) or 32-bit floats (3)")
    }
    guard Int(block) == Int(channels) * Int(bits) / 8 else {
      throw damage("its frames have \(block) bytes, and \(channels) channels of \(bits) bits need another number")
    }
    self.channels = Int(channels)
    self.rate = Int(rate)
    self.bytes = Int(bits) / 8
    isFloat = code == 3
  }

  /// The samples in a range of the file, −1…1.
  func samples(of file: [UInt8], in range: Range<Int>) -> [Float] {
    let count = range.count / bytes
    return [Float](unsafeUninitializedCapacity: count) { target, filled in
      for index in 0..<count {
        var pattern: UInt32 = 0
        for place in 0..<bytes {
          pattern |= UInt32(file[range.lowerBound + index * bytes + place]) << UInt32(8 * place)
        }
        target[index] = value(of: pattern)
      }
      filled = count
    }
  }

  /// 8 bits are unsigned around 128, more are signed: shifted to the top of 32 bits they share one scale.
  private func value(of pattern: UInt32) -> Float {
    if isFloat { return Float(bitPattern: pattern) }
    if bytes == 1 { return (Float(pattern) - 128) / 128 }
    return Float(Int32(bitPattern: pattern << UInt32(32 - 8 * bytes))) * 0x1p-31
  }
}
