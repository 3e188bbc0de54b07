import Exercises
import Foundation
import Testing

@testable import Grading

@Suite("Every submission gets exactly what it deserves", .tags(.submissions), .enabled(if: Classroom.isBuilt))
struct HostileTests {
  @Test(
    "Hostile code, held by bubblewrap",
    .enabled(if: Classroom.hasBubblewrap, "bwrap is not installed, or may not make namespaces"))
  func bubblewrap() throws { try gradeHostile(.bwrap) }

  @Test("Hostile code, held by a user of its own", .enabled(if: Classroom.isRoot, "needs root"))
  func user() throws { try gradeHostile(.uid) }

  private func gradeHostile(_ level: SandboxLevel) throws {
    let room = try Classroom()
    defer { room.remove() }
    let listener = try Listening()
    let canary = room.folder.appending(path: "canary")
    try Data("alive".utf8).write(to: canary)
    let secrets = [
      canary.path, room.folder.path, room.lesson.recordedFile.path, room.lesson.url.path, room.lesson.executable.path,
      room.output.path + "/grades.json", room.submissions.path + "/right/VAE.swift",
    ]
    let hostile = try Hostile.all(in: room, secrets: secrets, port: listener.port)
    for submission in hostile { try room.add(submission.name, submission.text) }
    try room.add("right", try room.file())
    let grades = try room.run(level).run()
    for submission in hostile {
      #expect(grades.statuses(submission.name) == submission.statuses, "\(level) \(submission.name)")
      let right = zip(submission.statuses, [2.0, 2, 4, 2]).reduce(0) { $0 + ($1.0 == .passed ? $1.1 : 0) }
      #expect(grades.points(submission.name) == right, "\(level) \(submission.name)")
    }
    #expect(grades.points("right") == 10)
    #expect(grades.submissions.allSatisfy { $0.protection?.hasPrefix(level.rawValue) == true })
    #expect(try String(contentsOf: canary, encoding: .utf8) == "alive")
    #expect(!listener.wasCalled)
    #expect(room.lesson.exerciseFiles == ["VAE.swift"])
  }
}

/// Waits for calls on a port of this machine.
final class Listening {
  let port: UInt16
  private let descriptor: Int32

  init() throws {
    #if canImport(Glibc)
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && listen(descriptor, 4) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    try #require(bound)
    self.descriptor = descriptor
    port = UInt16(bigEndian: address.sin_port)
  }

  var wasCalled: Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&waiting, 1, 0) > 0
  }

  deinit { close(descriptor) }
}
