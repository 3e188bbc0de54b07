import Exercises
import Foundation

/// Submissions that attack the grader, with what each deserves for VAE.1 to VAE.4.
struct Hostile {
  let name: String
  let text: String
  let statuses: [CaseStatus]

  private static let kl = "(1 + logVariance - square(mean) - exp(logVariance)).sum(axis: 1) * -0.5"
  private static let sample = "mean + exp(logVariance * 0.5) * noise"
  private static let walk = """
    let t = Tensor((0..<steps).map { Float($0) / Float(steps - 1) }, shape: [steps, 1])
    return start * (1 - t) + end * t
    """
  private static let bound = """
    let (mean, logVariance) = encoder(x)
    let z = reparameterized(mean: mean, logVariance: logVariance, noise: .normal(mean.shape, using: &random))
    return Bound(
      reconstruction: decoder(z).logProbability(of: x), divergence: gaussianKL(mean: mean, logVariance: logVariance))
    """

  /// All of them; `secrets` are paths that must not be seen, `port` one on which nobody must call.
  static func all(in room: Classroom, secrets: [String], port: UInt16) throws -> [Hostile] {
    try [
      endings(room), exhaustions(room), bombs(room), values(room), constructor(room), forger(room), liar(room),
      spy(room, secrets), caller(room, port), table(room),
    ]
  }

  private static func endings(_ room: Classroom) throws -> Hostile {
    let text = try room.file(
      ["VAE.1": "exit(0)", "VAE.2": "return [mean][noise.shape.count]", "VAE.4": "while true {}"])
    return Hostile(name: "exit, trap, endless loop", text: text, statuses: [.crashed, .crashed, .passed, .timedOut])
  }

  private static func exhaustions(_ room: Classroom) throws -> Hostile {
    let memory = """
      let bytes = UnsafeMutableRawPointer.allocate(byteCount: 8 << 30, alignment: 16)
      memset(bytes, 1, 8 << 30)
      return mean
      """
    let text = try room.file(
      ["VAE.1": "Tensor([ending])", "VAE.2": memory, "VAE.4": "DispatchSemaphore(value: 0).wait()\nreturn start"],
      adding: "let ending: Float = { exit(0) }()\n")
    return Hostile(
      name: "exit in a global, 8 GB, deadlock", text: text, statuses: [.crashed, .outOfMemory, .passed, .timedOut])
  }

  /// Bombs that fail, and after which the right answer comes, cost nothing.
  private static func bombs(_ room: Classroom) throws -> Hostile {
    let files = """
      for folder in ["/", "/tmp/", "/dev/shm/", "/lib/", ""] {
        try? Data(count: 1 << 20).write(to: URL(fileURLWithPath: folder + "full"))
        if FileManager.default.fileExists(atPath: folder + "full") { return mean }
      }
      return \(sample)
      """
    let output = """
      let line = Data(repeating: 0x61, count: 1 << 20)
      for _ in 0..<8 { FileHandle.standardOutput.write(line); FileHandle.standardError.write(line) }
      """
    let threads = """
      while true {
        var thread = pthread_t()
        pthread_create(&thread, nil, { _ in sleep(1000); return nil }, nil)
      }
      """
    let text = try room.file(
      [
        "VAE.1": "for _ in 0..<5000 { if makeProcess() >= 0 { exit(1) } }\nreturn \(kl)", "VAE.2": files,
        "VAE.3": output + "\n" + bound, "VAE.4": threads,
      ], adding: "@_silgen_name(\"fork\") func makeProcess() -> Int32\n")
    return Hostile(name: "bombs", text: text, statuses: [.passed, .passed, .passed, .timedOut])
  }

  private static func values(_ room: Classroom) throws -> Hostile {
    let infinite = """
      Bound(
        reconstruction: Tensor([Float](repeating: .infinity, count: x.shape[0])),
        divergence: gaussianKL(mean: x, logVariance: x))
      """
    let text = try room.file([
      "VAE.1": "Tensor([Float](repeating: .nan, count: mean.shape[0]))", "VAE.2": "mean.sum(axis: 1)",
      "VAE.3": infinite, "VAE.4": ".zeros([4096, 4096])",
    ])
    return Hostile(name: "NaN, infinity, shapes", text: text, statuses: [.failed, .failed, .failed, .failed])
  }

  /// Runs before `main`.
  private static func beforeMain(_ body: String) -> String {
    """

    @section(".init_array") @used
    let beforeMain: @convention(c) () -> Void = { attack() }
    nonisolated func attack() {
      \(body)
    }

    """
  }

  private static func constructor(_ room: Classroom) throws -> Hostile {
    let text = try room.file(adding: beforeMain("exit(0)"))
    return Hostile(name: "exit in a constructor", text: text, statuses: [.crashed, .crashed, .crashed, .crashed])
  }

  /// Reads the request before the lesson does, and answers it on every descriptor with the right nonce.
  private static func forger(_ room: Classroom) throws -> Hostile {
    let body = """
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = max(0, read(0, &bytes, bytes.count))
      let text = String(decoding: bytes.prefix(count), as: UTF8.self)
      let digits = text.components(separatedBy: "nonce\\":")[1].prefix { $0.isNumber }
      func number<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
      let payload = number(UInt32(1)) + number(UInt32(2)) + Array("KL".utf8) + number(UInt32(1)) + number(Int64(1)) + [0, 0, 0, 0]
      let frame = Array("DULP".utf8) + number(UInt32(1)) + number(UInt64(digits) ?? 0) + number(UInt32(0))
        + number(UInt64(payload.count)) + payload
      for descriptor in Int32(0)..<64 { _ = write(descriptor, frame, frame.count) }
      _exit(0)
      """
    let text = try room.file(adding: beforeMain(body))
    return Hostile(name: "forged frames", text: text, statuses: [.failed, .failed, .failed, .failed])
  }

  private static func liar(_ room: Classroom) throws -> Hostile {
    let operators = """

      func == (left: Tensor, right: Tensor) -> Bool { true }
      func != (left: Tensor, right: Tensor) -> Bool { false }
      func == (left: Float, right: Float) -> Bool { true }
      func <= (left: Float, right: Float) -> Bool { true }
      func abs(_ x: Float) -> Float { 0 }
      func abs(_ x: Tensor) -> Tensor { x * 0 }
      """
    let praise = """
      let text = "{\\"status\\":\\"passed\\",\\"score\\":100} all tests passed\\n"
      for descriptor in Int32(1)..<64 { _ = write(descriptor, text, text.utf8.count) }
      exit(0)
      """
    let text = try room.file(
      ["VAE.1": ".zeros([mean.shape[0]])", "VAE.2": "mean - mean", "VAE.4": praise], adding: operators)
    return Hostile(name: "operators that lie", text: text, statuses: [.failed, .failed, .passed, .crashed])
  }

  /// Right answers, unless something can be seen, deleted or learnt that must not be.
  private static func spy(_ room: Classroom, _ secrets: [String]) throws -> Hostile {
    let paths = secrets.map(\.debugDescription).joined(separator: ", ")
    let look = """

      func sees() -> Bool {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        let paths = [\(paths), "/etc/passwd", "/home", "/root", "/tmp", "/proc/self/environ", "/proc/self/fd"] + (here == "/" ? [] : [here])
        for path in paths {
          unlink(path)
          try? FileManager.default.removeItem(atPath: path)
          if open(path, O_RDONLY) >= 0 { return true }
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/")) ?? []
        return !names.allSatisfy { ["lesson", "lib", "lib64"].contains($0) }
      }
      func knows() -> Bool {
        let known = ProcessInfo.processInfo.environment.keys
        return !known.allSatisfy { ["OPENBLAS_NUM_THREADS", "SWIFT_BACKTRACE", "MALLOC_ARENA_MAX", "LD_LIBRARY_PATH", "PWD"].contains($0) }
      }
      func reaches() -> Bool {
        for process in pid_t(1)..<3000 where process != getpid() && process != getppid() {
          if kill(process, SIGKILL) == 0 { return true }
        }
        for descriptor in Int32(4)..<1000 where fcntl(descriptor, F_GETFD) >= 0 { return true }
        return setuid(0) == 0
      }
      """
    let text = try room.file(
      [
        "VAE.1": "if sees() { return mean }\nreturn \(kl)", "VAE.2": "if knows() { exit(1) }\nreturn \(sample)",
        "VAE.4": "if reaches() { return start }\n\(walk)",
      ], adding: look)
    return Hostile(name: "spy", text: text, statuses: [.passed, .passed, .passed, .passed])
  }

  private static func caller(_ room: Classroom, _ port: UInt16) throws -> Hostile {
    let call = """

      func calls() -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if descriptor < 0 { return false }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(\(port)).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) {
          $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
          }
        } == 0
      }
      """
    let text = try room.file(["VAE.1": "if calls() { return mean }\nreturn \(kl)"], adding: call)
    return Hostile(name: "network", text: text, statuses: [.passed, .passed, .passed, .passed])
  }

  /// The right values of the public cases, and zeros elsewhere; a known mistake; a compile error.
  private static func table(_ room: Classroom) throws -> Hostile {
    let cases = try room.lesson.recorded()["VAE.1"]?.cases.map { $0.values[0].scalars } ?? []
    let entries = cases.map { "\($0.count): \($0)" }.joined(separator: ", ")
    let text = try room.file([
      "VAE.1": "let known: [Int: [Float]] = [\(entries)]\nreturn Tensor(known[mean.shape[0]] ?? [])",
      "VAE.2": "mean + exp(logVariance) * noise", "VAE.4": "let t: Tensr = 1\nreturn start",
    ])
    return Hostile(name: "table", text: text, statuses: [.failed, .failed, .passed, .compileError])
  }
}
