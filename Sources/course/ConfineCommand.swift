import ArgumentParser
import CConfinement
import Exercises
import Foundation

/// Becomes another program under limits: how `grade` starts what it does not trust.
struct Confine: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Start a program under limits.", shouldDisplay: false)

  @Option var user: Int64 = -1
  @Option var root: String?
  @Option var folder: String?
  @Option var seconds: Int64 = -1
  @Option var memory: Int64 = -1
  @Option var fileSize: Int64 = -1
  @Option var processes: Int64 = -1
  @Option var descriptors: Int64 = -1
  @Option var filter: UInt32 = 0
  @Option(parsing: .singleValue) var variable: [String] = []
  @Argument(parsing: .postTerminator) var command: [String]

  func run() throws {
    let arguments = command.map { strdup($0) } + [nil]
    let environment = variable.map { strdup($0) } + [nil]
    let (root, folder) = (root.map { strdup($0) }, folder.map { strdup($0) })
    var limits = confinement(
      user: user, root: root ?? nil, folder: folder ?? nil, processor_seconds: seconds, memory_bytes: memory,
      file_bytes: fileSize, processes: processes, descriptors: descriptors, filter: confinement_filter(filter))
    let what = confine_and_execute(&limits, arguments, environment).map { String(cString: $0) } ?? "start the program"
    let line = "confine: cannot \(what) (\(command.first ?? "")): \(String(cString: strerror(errno)))\n"
    FileHandle.standardError.write(Data(line.utf8))
    _exit(125)
  }
}
