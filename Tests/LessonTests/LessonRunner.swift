import Foundation
import Testing

/// Runs a lesson's executable as a user would, in a temporary folder of its own.
struct LessonRunner {
  let lesson: String
  let folder: URL

  /// What a run left behind.
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String
  }

  init(_ lesson: String) throws {
    self.lesson = lesson
    folder = FileManager.default.temporaryDirectory.appending(path: "\(lesson)-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// Starts the lesson with output into `folder` and standard streams into files beside it.
  func start(_ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = Self.productsFolder.appending(path: lesson)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    for (name, attach) in [
      ("stdout.txt", { process.standardOutput = $0 }), ("stderr.txt", { process.standardError = $0 }),
    ]
      as [(String, (FileHandle) -> Void)]
    {
      let file = folder.appending(path: name)
      try Data().write(to: file)
      attach(try FileHandle(forWritingTo: file))
    }
    try process.run()
    return process
  }

  /// Runs the lesson to its end.
  func run(_ arguments: [String]) throws -> Outcome {
    let process = try start(arguments)
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus,
      output: try String(contentsOf: folder.appending(path: "stdout.txt"), encoding: .utf8),
      errors: try String(contentsOf: folder.appending(path: "stderr.txt"), encoding: .utf8))
  }

  /// The measured values in `results.json` under `name`.
  func measurements(in name: String) throws -> [String: Double] {
    let data = try Data(contentsOf: folder.appending(path: "\(name)/results.json"))
    return try JSONDecoder().decode(Results.self, from: data).measurements
      .reduce(into: [:]) { $0[$1.name] = $1.value }
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  private struct Results: Decodable {
    struct Measurement: Decodable {
      let name: String
      let value: Double?
    }
    let measurements: [Measurement]
  }

  /// Where the built executables stand: beside the test bundle.
  static var productsFolder: URL {
    #if os(macOS)
      Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL.deletingLastPathComponent()
        ?? Bundle.main.bundleURL
    #else
      Bundle.main.bundleURL
    #endif
  }
}

/// What a lesson that saves `<name>.safetensors` promises; each check removes its folder.
extension LessonRunner {
  /// The same seed gives the same numbers, also when killed as soon as the checkpoint is there and resumed; another gives others.
  static func checkReproducible(_ lesson: String, killedAt name: String, leastMeasurements: Int) throws {
    let runner = try LessonRunner(lesson)
    defer { runner.remove() }
    let options = ["--quick", "--epochs", "2"]
    #expect(try runner.run(["--out", "whole"] + options).status == 0)
    #expect(try runner.run(["--out", "other", "--seed", "2"] + options).status == 0)
    let process = try runner.start(["--out", "parts"] + options)
    let checkpoint = runner.folder.appending(path: "parts/\(name).safetensors").path
    while process.isRunning, !FileManager.default.fileExists(atPath: checkpoint) { usleep(2000) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(FileManager.default.fileExists(atPath: checkpoint))
    #expect(try runner.run(["--out", "parts", "--resume"] + options).status == 0)
    let whole = try runner.measurements(in: "whole")
    #expect(whole.count >= leastMeasurements)
    #expect(try runner.measurements(in: "parts") == whole)
    #expect(try runner.measurements(in: "other") != whole)
  }

  /// A damaged checkpoint, or one of another seed, is refused by name and left as it is.
  static func checkBadCheckpoint(_ lesson: String, _ name: String) throws {
    let runner = try LessonRunner(lesson)
    defer { runner.remove() }
    #expect(try runner.run(["--out", "run", "--quick", "--epochs", "1"]).status == 0)
    let file = runner.folder.appending(path: "run/\(name).safetensors")
    let whole = try Data(contentsOf: file)
    let mismatched = try runner.run(["--out", "run", "--quick", "--resume", "--seed", "9"])
    #expect(mismatched.status != 0 && mismatched.errors.contains("seed 1") && mismatched.errors.contains("seed 9"))
    #expect(try Data(contentsOf: file) == whole)
    try whole.prefix(whole.count / 2).write(to: file)
    let damaged = try runner.run(["--out", "run", "--quick", "--resume"])
    #expect(damaged.status != 0 && damaged.errors.contains("\(name).safetensors"))
    #expect(try Data(contentsOf: file) == whole.prefix(whole.count / 2))
  }
}
