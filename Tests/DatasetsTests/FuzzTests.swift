import CPNG
import Foundation
import Tensors
import Testing

@testable import Datasets

/// Files damaged by chance are read or refused with one line: never a crash, never much memory.
@Suite("Files damaged by chance")
struct FuzzTests {
  struct Format: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let originals: [[UInt8]]
    /// Makes checksums right again, so that what stands behind them meets the damage too.
    var repair: @Sendable ([UInt8]) -> [UInt8] = { $0 }
    /// What stands in the folder beside the damaged file.
    var prepare: @Sendable (TemporaryFolder) throws -> Void = { _ in }
    /// Where the damaged file stands in the folder.
    var name = "file"
    /// Reads a file of a folder; whether what it gives fits together.
    let read: @Sendable (_ folder: String, _ file: String) throws -> Bool
  }

  static let formats = [
    Format(
      testDescription: "IDX",
      originals: [IDXTests.whole, IDXTests.wholeGzipped, idx([2, 3, 4], Array(0..<24)), idx([9], Array(0..<9))]
    ) {
      let array = try IDX(contentsOf: $1)
      return array.shape.reduce(1, *) == array.bytes.count
    },
    Format(
      testDescription: "CIFAR-10", originals: [CIFAR10Tests.whole, gzipped(CIFAR10Tests.whole)],
      // Whole records again, the second shifted.
      repair: { Array(($0 + CIFAR10Tests.whole).prefix(CIFAR10Tests.whole.count)) },
      prepare: { folder in
        for name in CIFAR10Tests.names { _ = try folder.write(CIFAR10Tests.record(1, 1), name) }
      }, name: CIFAR10Tests.names[5],
      read: { folder, _ in
        let set = try CIFAR10(folder: folder, recordsPerFile: nil)
        return set.test.count >= 1 && set.test.labels.scalars.allSatisfy { $0 < 10 }
      }),
    Format(
      testDescription: "PNG", originals: [ImageFolderTests.whole] + ImageFolderTests.pictures.map(\.1),
      repair: ImageFolderTests.withRightChecksums,
      prepare: { try FileManager.default.createDirectory(atPath: $0.path + "/a", withIntermediateDirectories: true) },
      name: "a/x.png",
      read: { folder, _ in
        let images = try ImageFolder(folder).images
        return images.levels(at: [0]).count == images.height * images.width * images.channels
      }),
    Format(
      testDescription: "WAV",
      originals: [
        WAVTests.whole, WAVTests.with(WAVTests.format(channels: 2)), gzipped(WAVTests.whole),
        WAVTests.with(WAVTests.format(code: 3, bits: 32)), WAVTests.with(WAVTests.format(bits: 8)),
      ],
      // The size of the whole file right again.
      repair: { $0.prefix(4) + littleEndian(UInt32(max(8, $0.count) - 8)) + $0.dropFirst(8) },
      read: {
        let samples = try WAV(contentsOf: $1).samples
        return samples.rank == 2 && samples.scalars.allSatisfy(\.isFinite)
      }),
    Format(
      testDescription: "text",
      originals: ["naïve café 日本語 🙂", "Es war einmal ein König.\n"].flatMap {
        [Array($0.utf8), gzipped(Array($0.utf8))]
      }
    ) {
      let text = try PlainText(contentsOf: $1)
      return text.vocabulary.text(of: text.tokens) == text.text && !text.text.contains("\u{FFFD}")
    },
    Format(
      testDescription: "npy",
      originals: [
        NPYTests.whole, gzipped(NPYTests.whole), NPYTests.npy(NPYTests.six, fortran: "True", shape: "(1, 2, 3)"),
        NPYTests.npy(NPYTests.six, type: "<f8", shape: "(3,)", version: 2),
        NPYTests.npy(NPYTests.six, type: "|u1", shape: "(24,)", version: 3),
      ]
    ) {
      let array = try NPY(contentsOf: $1)
      return array.tensor.transposedIfMatrix.count == array.shape.reduce(1, *)
    },
  ]

  // In a process of its own, whose memory is that of the reader alone.
  @Test("2,000 damaged files are read or refused, in little memory", arguments: formats.indices)
  func damagedFiles(index: Int) async {
    await #expect(processExitsWith: .success) { [index] in
      let format = FuzzTests.formats[index]
      let folder = try TemporaryFolder()
      try format.prepare(folder)
      let whole = try folder.write(format.originals[0], format.name)
      #expect(try format.read(folder.path, whole), "\(format.testDescription) as it was")
      var random = Random(seed: 100)
      var (before, refusals) = (peakMemory(), 0)
      for round in 0..<2000 {
        let damage = damaged(format.originals[round % format.originals.count], using: &random)
        let path = try folder.write(round % 2 == 0 ? damage : format.repair(damage), format.name)
        do {
          #expect(try format.read(folder.path, path), "\(format.testDescription): \(damage)")
        } catch let error as DataError {
          refusals += 1
          #expect(error.path == path && !error.description.contains("\n"), "\(error)")
        }
        if round == 20 { before = peakMemory() }
      }
      #expect((500..<2000).contains(refusals), "\(format.testDescription): \(refusals) refused")
      #expect(peakMemory() - before < 32 << 20, "\(format.testDescription): \(before), then \(peakMemory()) bytes")
    }
  }
}

/// The bytes with some changed, put in, left out, repeated or cut off.
private func damaged(_ bytes: [UInt8], using random: inout Random) -> [UInt8] {
  var copy = bytes
  let place = random.index(below: copy.count)
  let end = min(copy.count, place + 1 + random.index(below: 8))
  switch random.index(below: 7) {
  case 0, 1:
    for _ in 0...random.index(below: 4) { copy[random.index(below: copy.count)] ^= UInt8(1 + random.index(below: 255)) }
  case 2: for index in place..<min(copy.count, place + 4) { copy[index] = 0xff }  // the largest figures
  case 3: copy.removeLast(copy.count - place)
  case 4: copy.insert(contentsOf: (place..<end).map { _ in UInt8(random.index(below: 256)) }, at: place)
  case 5: copy.removeSubrange(place..<end)
  default: copy.insert(contentsOf: copy[place..<end], at: end)
  }
  return copy
}

/// The most memory that this process ever had, touched or not, in bytes; 0 where the system does not tell.
private func peakMemory() -> Int {
  let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .ascii)) ?? ""
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmPeak:") }
  return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 } ?? 0
}

extension Tensor {
  /// Transposed where it is a matrix: needs the distances between neighbours, which a damaged shape could make overflow.
  fileprivate var transposedIfMatrix: Tensor { rank >= 2 ? transposed() : self }
}

extension ImageFolderTests {
  /// The bytes with the checksum of every chunk that can be found made right.
  @Sendable static func withRightChecksums(_ bytes: [UInt8]) -> [UInt8] {
    var (copy, position) = (bytes, 8)
    while position + 12 <= copy.count {
      let length = copy[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= copy.count - position - 12 else { break }
      let end = position + 8 + length
      let checked = Array(copy[position + 4..<end])
      copy.replaceSubrange(end..<end + 4, with: bigEndian(Int(crc32(0, checked, uInt(checked.count)))))
      position = end + 4
    }
    return copy
  }
}
