import Foundation

/// A worker process, ours or Python's, that is told what to do line by line.
final class Peer {
  let name: String
  private let process = Process()
  private let requests = Pipe()
  private let replies = Pipe()
  private var unread = Data()

  /// What went wrong with a worker.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  init(_ name: String, _ executable: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    self.name = name
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [executable] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = requests
    process.standardOutput = replies
    try process.run()
  }

  /// Sends a command and waits for its answer, one line.
  func ask(_ command: String) throws -> String {
    try requests.fileHandleForWriting.write(contentsOf: Data((command + "\n").utf8))
    while true {
      if let end = unread.firstIndex(of: 0x0a) {
        let line = String(decoding: unread[..<end], as: UTF8.self)
        unread = Data(unread[unread.index(after: end)...])
        return line
      }
      let more = replies.fileHandleForReading.availableData
      guard !more.isEmpty else { throw Failure(description: "\(name) stopped at '\(command)'; its message is above") }
      unread.append(more)
    }
  }

  /// Sends a command whose answer must be `done`.
  func tell(_ command: String) throws {
    let answer = try ask(command)
    guard answer == "done" else { throw Failure(description: "\(name) answered '\(answer)' to '\(command)'") }
  }

  /// The milliseconds of `count` steps.
  func run(_ count: Int) throws -> [Double] {
    try ask("run \(count)").split(separator: " ").compactMap { Double($0) }
  }

  func stop() {
    try? requests.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}
