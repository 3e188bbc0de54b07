import Foundation
import Tensors
import Testing

@testable import Datasets

@Suite("WAV files")
struct WAVTests {
  let folder = try! TemporaryFolder()

  static func chunk(_ name: String, _ bytes: [UInt8], size: UInt32? = nil) -> [UInt8] {
    Array(name.utf8) + littleEndian(size ?? UInt32(bytes.count)) + bytes + (bytes.count % 2 == 1 ? [0] : [])
  }

  static func format(
    code: UInt16 = 1, channels: UInt16 = 1, rate: UInt32 = 8_000, bits: UInt16 = 16, block: UInt16? = nil
  ) -> [UInt8] {
    let frame = block ?? UInt16(truncatingIfNeeded: Int(channels) * Int(bits) / 8)
    return littleEndian(code, channels) + littleEndian(rate, rate &* UInt32(frame)) + littleEndian(frame, bits)
  }

  static func wav(_ chunks: [UInt8]..., size: UInt32? = nil) -> [UInt8] {
    let contents = Array("WAVE".utf8) + chunks.flatMap { $0 }
    return Array("RIFF".utf8) + littleEndian(size ?? UInt32(contents.count)) + contents
  }

  static let four = littleEndian(Int16(0), 16_384, -32_768, 32_767)
  static let whole = wav(chunk("fmt ", format()), chunk("data", four))

  func read(_ bytes: [UInt8]) throws -> WAV { try WAV(contentsOf: folder.write(bytes, "sound.wav")) }

  @Test("Samples of every kind come as −1…1, with their rate")
  func kinds() throws {
    let sound = try read(Self.whole)
    #expect(sound.samples.shape == [4, 1] && sound.rate == 8_000)
    #expect(sound.samples.scalars == [0, 0.5, -1, 32_767.0 / 32_768])
    let eight = try read(Self.wav(Self.chunk("fmt ", Self.format(bits: 8)), Self.chunk("data", [0, 128, 192])))
    #expect(eight.samples.scalars == [-1, 0, 0.5])
    let bytes: [UInt8] = [0, 0, 0x40, 0, 0, 0x80]
    let three = try read(Self.wav(Self.chunk("fmt ", Self.format(bits: 24)), Self.chunk("data", bytes)))
    #expect(three.samples.scalars == [0.5, -1])
    let wide = littleEndian(Int32.min, 1 << 30, 0)
    #expect(
      try read(Self.wav(Self.chunk("fmt ", Self.format(bits: 32)), Self.chunk("data", wide))).samples.scalars
        == [-1, 0.5, 0])
    let floats = littleEndian(Float(0.25).bitPattern, Float(-1.5).bitPattern)
    #expect(
      try read(Self.wav(Self.chunk("fmt ", Self.format(code: 3, bits: 32)), Self.chunk("data", floats))).samples.scalars
        == [0.25, -1.5])
  }

  @Test("Two channels lie side by side, other chunks are passed over, and the extensible format is known")
  func layouts() throws {
    let stereo = Self.format(channels: 2, rate: 44_100)
    let sound = try read(
      Self.wav(Self.chunk("LIST", [1, 2, 3]), Self.chunk("fmt ", stereo), Self.chunk("data", Self.four)))
    #expect(sound.samples.shape == [2, 2] && sound.rate == 44_100)
    #expect(sound.samples.scalars == [0, 0.5, -1, 32_767.0 / 32_768])
    let extra = littleEndian(UInt16(22), 16) + littleEndian(UInt32(4)) + littleEndian(UInt16(1))
    let guid: [UInt8] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]
    let extensible = Self.format(code: 0xfffe) + extra + guid
    #expect(try read(Self.wav(Self.chunk("fmt ", extensible), Self.chunk("data", Self.four))).samples.count == 4)
    #expect(try read(Self.wav(Self.chunk("fmt ", Self.format()), Self.chunk("data", []))).samples.shape == [0, 1])
  }

  @Test("What is written is read back to 16 bits; what is too loud is cut off, what is no number is silent")
  func roundTrip() throws {
    let path = folder.path + "/out.wav"
    try WAV(samples: Tensor([0, 0.5, -0.25, 2, -2, .nan]), rate: 16_000).write(to: path)
    let sound = try WAV(contentsOf: path)
    #expect(sound.samples.scalars == [0, 0.5, -0.25, 32_767.0 / 32_768, -1, 0] && sound.rate == 16_000)
    try WAV(samples: Tensor([[0.5, -0.5], [0.25, 0]]), rate: 8_000).write(to: path)
    let first = try Data(contentsOf: URL(fileURLWithPath: path))
    let stereo = try WAV(contentsOf: path)
    #expect(stereo.samples.shape == [2, 2] && stereo.samples.scalars == [0.5, -0.5, 0.25, 0])
    try stereo.write(to: path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == first)
    try expectRefusal(of: folder.path + "/no/a.wav", says: "cannot be written") {
      try stereo.write(to: folder.path + "/no/a.wav")
    }
  }

  static func with(_ format: [UInt8], _ data: [UInt8] = four) -> [UInt8] {
    wav(chunk("fmt ", format), chunk("data", data))
  }

  static let damages =
    Damage.ofAny(whole, notA: "is not a WAV file") + [
      Damage("three bytes", says: "is not a WAV file", Array("RIF".utf8)),
      Damage("RIFF alone", says: "is not a WAV file", Array(whole.prefix(4))),
      Damage("cut in the size", says: "is not a WAV file", Array(whole.prefix(7))),
      Damage("cut before WAVE", says: "is not a WAV file", Array(whole.prefix(8))),
      Damage("cut after WAVE", says: "has 12 bytes, and its header says", Array(whole.prefix(12))),
      Damage("last byte missing", says: "and its header says", whole.dropLast()),
      Damage("one byte too many", says: "and its header says", whole + [0]),
      Damage("big-endian", says: "is not a WAV file", Array("RIFX".utf8) + whole.dropFirst(4)),
      Damage(
        "an AVI film", says: "is not a WAV file", Array(whole.prefix(8)) + Array("AVI ".utf8) + whole.dropFirst(12)),
      Damage("a size of a stream", says: "header says 4294967303", wav(chunk("fmt ", format()), size: .max)),
      Damage("nothing in it", says: "has no format chunk", wav()),
      Damage("no format", says: "has no format chunk", wav(chunk("data", four))),
      Damage("no samples", says: "has no samples", wav(chunk("fmt ", format()))),
      Damage("two formats", says: "has two chunks fmt", wav(chunk("fmt ", format()), chunk("fmt ", format()))),
      Damage("samples twice", says: "has two chunks data", wav(chunk("data", four), chunk("data", four))),
      Damage("half a chunk's header", says: "within a chunk's header", wav(chunk("fmt ", format()), [1, 2, 3])),
      Damage(
        "a chunk longer than the file", says: "should have 4000000000 bytes",
        wav(chunk("data", four, size: 4_000_000_000))),
      Damage("a short format", says: "has 14 bytes, not 16", with(Array(format().prefix(14)))),
      Damage("an empty format", says: "has 0 bytes, not 16", with([])),
      Damage("a short extensible format", says: "extensible format chunk has 16 bytes", with(format(code: 0xfffe))),
      Damage("no channels", says: "has 0 channels", with(format(channels: 0))),
      Damage("six channels", says: "has 6 channels", with(format(channels: 6))),
      Damage("65535 channels", says: "has 65535 channels", with(format(channels: 65_535))),
      Damage("rate 0", says: "has 0 samples a second", with(format(rate: 0))),
      Damage("an absurd rate", says: "has 4294967295 samples a second", with(format(rate: .max))),
      Damage("12 bits", says: "of kind 1 with 12 bits", with(format(bits: 12))),
      Damage("0 bits", says: "of kind 1 with 0 bits", with(format(bits: 0))),
      Damage("64-bit floats", says: "of kind 3 with 64 bits", with(format(code: 3, bits: 64))),
      Damage("ADPCM", says: "of kind 2 with 4 bits", with(format(code: 2, bits: 4))),
      Damage("MP3 inside", says: "of kind 85", with(format(code: 85))),
      Damage("frames of another size", says: "its frames have 4 bytes", with(format(block: 4))),
      Damage("half a sample", says: "do not fill", with(format(), [1, 2, 3])),
      Damage("half a frame", says: "do not fill", with(format(channels: 2), [1, 2])),
      Damage(
        "infinite loudness", says: "sample 1 is not a finite number",
        with(format(code: 3, bits: 32), littleEndian(Float(0).bitPattern, Float.infinity.bitPattern))),
    ]

  @Test("Damage gets one line that names the file, the damage and the remedy", arguments: damages)
  func damage(_ damage: Damage) throws {
    let path = try folder.write(damage.bytes, "sound.wav")
    try expectRefusal(of: path, says: damage.says) { _ = try WAV(contentsOf: path) }
  }

  @Test("Samples of another shape stop with a clear line")
  func mistakes() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = WAV(samples: Tensor([[1, 2, 3]]), rate: 8_000)
    }
    #expect(text(result).contains("error: WAV: needs samples [time] or [time, 1 or 2]"))
  }
}
