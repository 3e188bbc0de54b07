import Foundation

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
