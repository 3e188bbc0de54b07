import Foundation
import Tensors
import Testing

@testable import NeuralNetworks

@Suite struct CheckpointTests {
  private let checkpoint = Checkpoint(
    tensors: [
      "b": Tensor([1.5, -2]), "a.weight": Tensor([[0.1, .infinity], [-0.0, .leastNonzeroMagnitude]]),
      "scalar": Tensor(7), "empty": .zeros([0, 3]), "layers.0.é\"": Tensor([1], shape: [1, 1, 1]),
    ], metadata: ["step": "12", "note": "a \"text\"\nof two lines é"])

  @Test func `a round trip keeps names, shapes, bits and texts`() throws {
    try inTemporaryFolder { folder in
      let file = folder.appending(path: "model.safetensors")
      try checkpoint.write(to: file)
      let read = try Checkpoint(contentsOf: file)
      #expect(read.metadata == checkpoint.metadata)
      #expect(read.tensors.keys.sorted() == checkpoint.tensors.keys.sorted())
      for (name, tensor) in checkpoint.tensors {
        #expect(read.tensors[name]?.shape == tensor.shape)
        #expect(read.tensors[name]?.scalars.map(\.bitPattern) == tensor.scalars.map(\.bitPattern))
      }
      #expect(try Data(contentsOf: file) == checkpoint.encoded())
    }
  }

  @Test func `the bytes are the format's: length, sorted header padded to eight bytes, values`() throws {
    let small = Checkpoint(tensors: ["b": Tensor([1]), "a": Tensor([[2, 3]])], metadata: ["z": "1", "y": "2"])
    let header =
      #"{"__metadata__":{"y":"2","z":"1"},"a":{"data_offsets":[0,8],"dtype":"F32","shape":[1,2]},"#
      + #""b":{"data_offsets":[8,12],"dtype":"F32","shape":[1]}}"#
    let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    var expected = Data([UInt8(padded.utf8.count), 0, 0, 0, 0, 0, 0, 0])
    expected.append(Data(padded.utf8))
    for value in [2, 3, 1] as [Float] {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { expected.append(contentsOf: $0) }
    }
    #expect(try small.encoded() == expected)
  }

  @Test func `the same contents give the same bytes, in any order of making`() throws {
    var other = Checkpoint()
    for (name, tensor) in checkpoint.tensors.sorted(by: { $0.key > $1.key }) { other.tensors[name] = tensor }
    other.metadata = checkpoint.metadata
    #expect(try other.encoded() == checkpoint.encoded())
  }

  @Test func `nothing can be kept too`() throws {
    let read = try SafetensorsReader(Checkpoint().encoded()).checkpoint()
    #expect(read.tensors.isEmpty && read.metadata.isEmpty)
  }

  // Made by this Python (safetensors 0.8.0):
  //
  //   safetensors.numpy.save({
  //       "weight": np.array([[1.5, -2.25, 3], [0.1, 1e-30, -0.0]], dtype=np.float32),
  //       "bias": np.array([7], dtype=np.float32), "scalar": np.array(2.5, dtype=np.float32),
  //       "empty": np.zeros((0, 3), dtype=np.float32), "layers.0.é": np.array([1, 2], dtype=np.float32),
  //     }, metadata={"epoch": "3", "note": "a \"quoted\" text"})
  @Test func `a file from Python's safetensors is read`() throws {
    let text =
      "aAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJub3RlIjoiYSBcInF1b3RlZFwiIHRleHQiLCJlcG9jaCI6IjMifSwiYmlhcyI6eyJkdHlwZSI6IkYz"
      + "MiIsInNoYXBlIjpbMV0sImRhdGFfb2Zmc2V0cyI6WzAsNF19LCJlbXB0eSI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMCwzXSwiZGF0YV9vZmZz"
      + "ZXRzIjpbNCw0XX0sImxheWVycy4wLsOpIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbNCwxMl19LCJzY2FsYXIi"
      + "OnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6W10sImRhdGFfb2Zmc2V0cyI6WzEyLDE2XX0sIndlaWdodCI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpb"
      + "MiwzXSwiZGF0YV9vZmZzZXRzIjpbMTYsNDBdfX0gICAAAOBAAACAPwAAAEAAACBAAADAPwAAEMAAAEBAzczMPWBCog0AAACA"
    let read = try SafetensorsReader(#require(Data(base64Encoded: text))).checkpoint()
    #expect(read.metadata == ["epoch": "3", "note": "a \"quoted\" text"])
    #expect(read.tensors["weight"]?.shape == [2, 3])
    #expect(read.tensors["weight"]?.scalars == [1.5, -2.25, 3, 0.1, 1e-30, 0])
    #expect(read.tensors["bias"]?.scalars == [7])
    #expect(read.tensors["scalar"]?.shape == [])
    #expect(read.tensors["scalar"]?.scalar == 2.5)
    #expect(read.tensors["empty"]?.shape == [0, 3])
    #expect(read.tensors["layers.0.é"]?.scalars == [1, 2])
  }

  @Test func `a reader never sees half a file, and nothing is left beside it`() async throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "model.safetensors")
    let versions = (0..<2).map { Checkpoint(tensors: ["w": Tensor(repeating: Float($0), shape: [50_000])]) }
    try versions[0].write(to: file)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { for round in 0..<40 { try versions[round % 2].write(to: file) } }
      group.addTask {
        for _ in 0..<40 {
          let scalars = try Checkpoint(contentsOf: file).tensors["w"]?.scalars ?? []
          #expect(scalars.count == 50_000 && (scalars.allSatisfy { $0 == 0 } || scalars.allSatisfy { $0 == 1 }))
        }
      }
      try await group.waitForAll()
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.safetensors"])
  }

  @Test func `a file that cannot be written or read is named, with what to do`() throws {
    try inTemporaryFolder { folder in
      let missing = folder.appending(path: "missing/model.safetensors")
      let unwritten = #expect(throws: CheckpointError.self) { try checkpoint.write(to: missing) }
      #expect(unwritten?.description.contains(missing.path) == true)
      #expect(unwritten?.description.contains("permissions") == true)
      let unread = #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: missing) }
      #expect(unread?.description.contains(missing.path) == true)
      #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: folder) }
      // A folder stands where the file should go: it stays.
      let taken = folder.appending(path: "taken")
      try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: false)
      try Data([1]).write(to: taken.appending(path: "kept"))
      #expect(throws: CheckpointError.self) { try checkpoint.write(to: taken) }
      #expect(FileManager.default.fileExists(atPath: taken.appending(path: "kept").path))
    }
  }
}

/// A new folder of the test's own.
func temporaryFolder() throws -> URL {
  let folder = FileManager.default.temporaryDirectory.appending(path: "checkpoint-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  return folder
}

/// Calls `body` with a new folder and removes it.
func inTemporaryFolder(_ body: (URL) throws -> Void) throws {
  let folder = try temporaryFolder()
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder)
}
