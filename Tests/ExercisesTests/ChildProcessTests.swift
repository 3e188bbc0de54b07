import Exercises
import Foundation
import Testing

@Suite("Processes with limits")
struct ChildProcessTests {
  private func run(_ script: String, change: (inout ChildProcess) -> Void = { _ in }) throws -> ChildOutcome {
    var child = ChildProcess(["/bin/sh", "-c", script])
    change(&child)
    return try child.run()
  }

  @Test("Streams, the reply and the status are told apart; the input and the folder arrive")
  func streams() throws {
    let outcome = try run("read word; echo out $word; echo err >&2; echo reply >&3; pwd; exit 7") {
      $0.input = Data("hello\n".utf8)
      $0.workingDirectory = "/"
      $0.environment = ["PATH": "/usr/bin:/bin"]
    }
    #expect(outcome.ending == .exited(7))
    #expect(String(decoding: outcome.output, as: UTF8.self) == "out hello\n/\n")
    #expect(String(decoding: outcome.errors, as: UTF8.self) == "err\n")
    #expect(String(decoding: outcome.reply, as: UTF8.self) == "reply\n")
    #expect(outcome.explanation.contains("status 7") && outcome.explanation.hasSuffix(": err"))
  }

  @Test("A signal is named; a process that sleeps, with its children, is ended at its limit")
  func endings() throws {
    #expect(try run("kill -ILL $$").explanation.contains("trap"))
    let start = Date()
    let slow = try run("sleep 20 & sleep 20") { $0.timeLimit = 0.2 }
    #expect(slow.ending == .timedOut && Date().timeIntervalSince(start) < 5)
    // Closing every descriptor does not look like an end.
    #expect(try run("exec >&- 2>&- 3>&-; sleep 20") { $0.timeLimit = 0.2 }.ending == .timedOut)
    // What is left in the background does not hold us up.
    #expect(try run("sleep 20 & echo done >&3").ending == .exited(0))
    #expect(Date().timeIntervalSince(start) < 10)
  }

  @Test("Floods are cut: of the output the beginning is kept, a reply over its limit ends the process")
  func floods() throws {
    let noisy = try run("head -c 3000000 /dev/zero; echo end >&3") { $0.outputLimit = 1000 }
    #expect(noisy.output.count == 1000 && noisy.reply == Data("end\n".utf8))
    let flood = try run("cat /dev/zero >&3") { $0.replyLimit = 100_000 }
    #expect(flood.ending == .oversized && flood.reply.count <= 100_001)
  }

  @Test("A program that is not there is an error in one line, and no descriptor is lost")
  func missing() throws {
    let before = try FileManager.default.contentsOfDirectory(atPath: "/dev/fd").count
    for _ in 0..<50 {
      #expect(throws: ExerciseError.self) { try ChildProcess(["/nowhere/program"]).run() }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: "/dev/fd").count < before + 150)
  }
}

@Suite("Digests and archives")
struct ArchiveTests {
  @Test(
    "SHA-256 of the standard's examples",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func digests(text: String, digest: String) {
    #expect(SHA256.hexDigest(of: Data(text.utf8)) == digest)
  }

  @Test("An archive holds its files as they are, with the checksum of zip, and is the same every time")
  func archive() {
    func make() -> Data {
      var archive = ZipArchive()
      archive.add("a/ü.txt", Data("123456789".utf8))
      archive.add("run", Data([1]), isExecutable: true)
      return archive.data
    }
    let data = make()
    #expect(data == make())
    #expect(data.range(of: Data("123456789".utf8)) != nil)
    #expect(data[14..<18] == Data([0x26, 0x39, 0xf4, 0xcb]))
    #expect(data.suffix(22)[data.count - 22 + 8] == 2)
  }
}
