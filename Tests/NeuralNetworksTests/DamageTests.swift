import Foundation
import Tensors
import Testing

@testable import NeuralNetworks

/// Damaged safetensors files are refused with the reason.
@Suite struct DamageTests {
  struct Damage: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let reason: String
    let bytes: Data

    init(_ name: String, _ reason: String, _ bytes: Data) {
      testDescription = name
      self.reason = reason
      self.bytes = bytes
    }

    /// A file with this header and a number of bytes of values.
    init(_ name: String, _ reason: String, header: String, values: Int = 8) {
      self.init(name, reason, file(header, values: values))
    }
  }

  static func file(_ header: String, values: Int) -> Data {
    var result = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
    result.append(Data(header.utf8))
    result.append(Data(count: values))
    return result
  }

  static func entry(shape: String = "[2]", dtype: String = "\"F32\"", offsets: String = "[0,8]") -> String {
    "{\"a\":{\"dtype\":\(dtype),\"shape\":\(shape),\"data_offsets\":\(offsets)}}"
  }

  static func two(_ first: String, _ second: String) -> String {
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":\(first)},"
      + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":\(second)}}"
  }

  static let whole = file(entry(), values: 8)

  static let damages: [Damage] = [
    Damage("an empty file", "too few", Data()),
    Damage("seven bytes", "7 bytes, too few", whole.prefix(7)),
    Damage("cut after the length", "0 follow", whole.prefix(8)),
    Damage("cut inside the header", "cut short", whole.prefix(20)),
    Damage("cut inside the values", "of 7", whole.dropLast()),
    Damage("values missing", "of 0", whole.dropLast(8)),
    Damage("bytes appended", "9 bytes of values are there", whole + Data([0])),
    Damage("two files in a row", "its header accounts for 8", whole + whole),
    Damage("a length of 2⁶⁴ − 1", "claims 18446744073709551615", Data(repeating: 0xff, count: 8) + whole.dropFirst(8)),
    Damage("a length of 2⁶³", "claims 9223372036854775808", Data([0, 0, 0, 0, 0, 0, 0, 0x80]) + whole.dropFirst(8)),
    Damage("a length in the wrong byte order", "claims", Data(whole.prefix(8).reversed()) + whole.dropFirst(8)),
    Damage("a length of 0", "not the JSON", Data(count: 8) + whole.dropFirst(8)),
    Damage("a length one too small", "not the JSON", Data([whole[0] - 1]) + whole.dropFirst()),
    Damage("a length one too large", "", Data([whole[0] + 1]) + whole.dropFirst()),
    Damage("a PNG file", "claims", Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d])),
    Damage("a text file", "claims", Data("step,loss\n1,0.5\n2,0.25\n".utf8)),
    Damage("a header of zeros", "not the JSON", file(String(repeating: "\0", count: 40), values: 8)),
    Damage("a header that is not UTF-8", "not the JSON", Data([4, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff, 0xfe, 0x7d])),
    Damage("a header that is a list", "not the JSON", header: "[1,2]"),
    Damage("a header that is a number", "not the JSON", header: "7"),
    Damage("a header nested 100,000 deep", "not the JSON", header: String(repeating: "{\"a\":", count: 100_000)),
    Damage("lists nested 100,000 deep", "not the JSON", header: "{\"a\":" + String(repeating: "[", count: 100_000)),
    Damage("double precision", "holds F64; only F32", header: entry(shape: "[1]", dtype: "\"F64\"")),
    Damage("an unknown type", "holds X7", header: entry(dtype: "\"X7\"")),
    Damage("a type that is a number", "not the JSON", header: entry(dtype: "32")),
    Damage("no type", "not the JSON", header: "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}"),
    Damage("no shape", "not the JSON", header: "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}"),
    Damage("no place", "not the JSON", header: "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}"),
    Damage("an entry that is null", "not the JSON", header: "{\"a\":null}"),
    Damage("a negative extent", "impossible shape [-2]", header: entry(shape: "[-2]")),
    Damage("two negative extents", "impossible shape", header: entry(shape: "[-1,-2]")),
    Damage("a fractional extent", "not the JSON", header: entry(shape: "[2.5]")),
    Damage("an extent beyond 64 bits", "not the JSON", header: entry(shape: "[99999999999999999999]")),
    Damage("a product beyond 64 bits", "impossible shape", header: entry(shape: "[4294967296,4294967296]")),
    Damage("a petabyte", "impossible shape", header: entry(shape: "[1125899906842624]")),
    Damage(
      "a huge extent beside an empty one", "impossible shape",
      header: entry(shape: "[2199023255552,0]", offsets: "[0,0]"), values: 0),
    Damage(
      "huge extents behind an empty one", "impossible shape",
      header: entry(shape: "[0,4611686018427387904,4611686018427387904]", offsets: "[0,0]"), values: 0),
    Damage("a terabyte", "needs 1099511627776 bytes and claims 8", header: entry(shape: "[274877906944]")),
    Damage("a shape that needs more", "needs 12 bytes and claims 8", header: entry(shape: "[3]")),
    Damage("a shape that needs less", "needs 4 bytes and claims 8", header: entry(shape: "[]")),
    Damage("one offset", "claims the bytes [0]", header: entry(offsets: "[0]")),
    Damage("three offsets", "claims the bytes [0, 8, 8]", header: entry(offsets: "[0,8,8]")),
    Damage("no offsets", "claims the bytes []", header: entry(offsets: "[]")),
    Damage("offsets that descend", "claims the bytes [8, 0]", header: entry(offsets: "[8,0]")),
    Damage("a negative offset", "claims the bytes [-8, 0]", header: entry(offsets: "[-8,0]")),
    Damage("offsets beyond the file", "claims the bytes [8, 16]", header: entry(offsets: "[8,16]")),
    Damage("offsets at the limit of 64 bits", "claims", header: entry(offsets: "[0,9223372036854775807]")),
    Damage("a gap before the first tensor", "begin at 8", header: entry(offsets: "[8,16]"), values: 16),
    Damage("tensors that overlap", "begin at 0, not", header: two("[0,4]", "[0,4]"), values: 4),
    Damage("a gap between tensors", "begin at 8, not", header: two("[0,4]", "[8,12]"), values: 12),
    Damage("texts that are numbers", "not the JSON", header: "{\"__metadata__\":{\"step\":3}}", values: 0),
    Damage("texts that are a list", "not the JSON", header: "{\"__metadata__\":[]}", values: 0),
  ]

  @Test(arguments: damages)
  func `is refused with the reason, the file and what to do`(_ damage: Damage) throws {
    try inTemporaryFolder { folder in
      let file = folder.appending(path: "damaged.safetensors")
      try damage.bytes.write(to: file)
      let error = #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: file) }
      let message = error?.description ?? ""
      for part in [damage.reason, file.path, "is not a sound safetensors file", "--resume"] where !part.isEmpty {
        #expect(message.contains(part), "\(message)")
      }
      #expect(!message.contains("\n") && message.count < 500)
      #expect(try Data(contentsOf: file) == damage.bytes)
    }
  }

  // Foundation's own word for what is no file.
  @Test(arguments: ["/dev/zero", "/dev/null", "/"])
  func `what is no file is refused`(path: String) {
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: URL(filePath: path)) }
    #expect(error?.description.contains("the checkpoint \(path) cannot be read") == true, "\(error?.description ?? "")")
  }

  @Test func `the file that the damages are made from is sound`() throws {
    #expect(try SafetensorsReader(Self.whole).checkpoint().tensors["a"]?.scalars == [0, 0])
  }

  @Test func `every cut and every flipped bit of a header is refused or read, never a crash`() throws {
    let bytes = try Checkpoint(tensors: ["a": Tensor([1, 2]), "b": Tensor(3)], metadata: ["k": "v"]).encoded()
    for length in 0..<bytes.count {
      #expect(throws: SafetensorsReader.Damage.self) { try SafetensorsReader(bytes.prefix(length)).checkpoint() }
    }
    for position in 0..<bytes.count - 12 {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[position] ^= 1 << bit
        guard let read = try? SafetensorsReader(damaged).checkpoint() else { continue }
        #expect(read.tensors.values.reduce(0) { $0 + $1.count } == 3)
      }
    }
  }

  // In a process of its own, whose memory is that of the reader alone.
  @Test func `2,000 files damaged by chance are read or refused, in little memory`() async {
    await #expect(processExitsWith: .success) {
      let whole = try Checkpoint(
        tensors: ["a": Tensor([1, 2]), "b.c": Tensor([[3, 4, 5]]), "d": Tensor(6)], metadata: ["step": "7"]
      ).encoded()
      var random = Random(seed: 9)
      var (before, refusals) = (peakMemory(), 0)
      for round in 0..<2000 {
        let damage = damaged(whole, using: &random)
        do {
          let read = try SafetensorsReader(damage).checkpoint()
          #expect(read.tensors.values.allSatisfy { $0.count <= 6 })
        } catch let error as SafetensorsReader.Damage {
          refusals += 1
          #expect(!error.reason.contains("\n") && error.reason.count < 300, "\(error)")
        }
        if round == 20 { before = peakMemory() }
      }
      #expect((1000..<2000).contains(refusals), "\(refusals) refused")
      #expect(peakMemory() - before < 32 << 20, "\(before), then \(peakMemory()) bytes")
    }
  }
}

/// The bytes with some changed, put in, left out, repeated or cut off.
private func damaged(_ bytes: Data, using random: inout Random) -> Data {
  func index(below count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
  var copy = bytes
  let place = index(below: copy.count)
  let end = min(copy.count, place + 1 + index(below: 8))
  switch index(below: 7) {
  case 0, 1: for _ in 0...index(below: 4) { copy[index(below: copy.count)] ^= UInt8(1 + index(below: 255)) }
  case 2: for place in place..<end { copy[place] = 0xff }  // the largest figures
  case 3: copy.removeLast(copy.count - place)
  case 4: copy.insert(contentsOf: (place..<end).map { _ in UInt8(index(below: 256)) }, at: place)
  case 5: copy.removeSubrange(place..<end)
  default: copy.insert(contentsOf: Data(copy[place..<end]), at: end)
  }
  return copy
}

/// The most memory that this process ever had, touched or not, in bytes; 0 where the system does not tell.
private func peakMemory() -> Int {
  let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .ascii)) ?? ""
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmPeak:") }
  return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 } ?? 0
}
