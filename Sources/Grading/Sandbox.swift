import CConfinement
import Exercises
import Foundation

/// What stands between a student's code and everything else.
public enum SandboxLevel: String, Sendable, CaseIterable {
  /// Bubblewrap: namespaces of its own for files, processes, network and users.
  case bwrap
  /// A user and a root folder of its own, without namespaces; the grader must be root.
  case uid
  /// Limits alone: for code that is trusted.
  case none
}

/// What one run and one build may use.
public struct GradingLimits: Sendable, Equatable {
  /// Processor seconds for one case; it may take three times as long by the clock.
  public var seconds = 10
  /// Bytes of address space for one case.
  public var memory = 2 << 30
  /// Seconds for one build, by the clock.
  public var buildSeconds = 120
  /// Bytes of address space for one build.
  public var buildMemory = 6 << 30
  /// Threads of one case.
  public var threads = 256

  /// The default limits.
  public init() {}
}

/// Starts students' code and the compiler on it, held by a sandbox.
public struct Sandbox: Sendable {
  /// What holds.
  public let level: SandboxLevel
  /// The limits.
  public let limits: GradingLimits
  /// The program that sets limits and starts another: this one, with `confine` as its first argument.
  let launcher: URL
  /// Where bubblewrap is.
  let bubblewrap: String?
  /// Whether the grader is root, so that students' code runs as somebody else.
  private var isRoot: Bool { geteuid() == 0 }

  init(level: SandboxLevel, limits: GradingLimits, launcher: URL) {
    self.level = level
    self.limits = limits
    self.launcher = launcher
    bubblewrap = Self.find("bwrap")
  }

  /// What is in force, in words, for every result.
  public var protection: String {
    let held =
      "\(limits.seconds) s and \(limits.memory >> 20) MiB for each case, one process, no network, no writable file"
    return switch level {
    case .bwrap: "bwrap: namespaces of its own\(isRoot ? " and a user of its own" : ""); \(held)"
    case .uid: "uid: a user and a root folder of its own, system calls filtered; \(held)"
    case .none:
      "none: the submissions were said to be trusted; \(limits.seconds) s and \(limits.memory >> 20) MiB for each case"
    }
  }

  /// The command that starts a lesson in a root folder; the lesson's path follows it.
  func runCommand(root: SandboxRoot) -> [String] {
    var options = [
      "--seconds", "\(limits.seconds)", "--memory", "\(limits.memory)", "--processes", "\(limits.threads)",
      "--descriptors", "64", "--file-size", "0", "--variable", "OPENBLAS_NUM_THREADS=1", "--variable",
      "SWIFT_BACKTRACE=enable=no", "--variable", "MALLOC_ARENA_MAX=1", "--variable",
      "LD_LIBRARY_PATH=\(level == .none ? root.url.path : "")/lib",
    ]
    if isRoot, level != .none { options += ["--user", "\(root.user)"] }
    switch level {
    case .bwrap:
      options += ["--filter", "\(CONFINEMENT_ONE_PROCESS_ON_DESCRIPTOR.rawValue)", "--"]
      options += [bubblewrap ?? "", "--unshare-all", "--die-with-parent", "--new-session", "--seccomp", "9"]
      options += ["--ro-bind", root.url.path, "/", "--chdir", "/", "--"]
    case .uid:
      options += ["--filter", "\(CONFINEMENT_ONE_PROCESS.rawValue)", "--root", root.url.path, "--"]
    case .none: options += ["--"]
    }
    return [launcher.path, "confine"] + options
  }

  /// The path of the lesson in a root folder, as the sandbox sees it.
  func lessonPath(in root: SandboxRoot) -> URL {
    level == .none ? root.lesson : URL(fileURLWithPath: "/\(SandboxRoot.lessonName)")
  }

  /// The command that starts the compiler: it reads the system, the toolchain and some folders, and writes one.
  func buildCommand(compiler: URL, readable: [URL], writable: [URL], user: Int) -> [String] {
    var options = [
      "--seconds", "\(limits.buildSeconds)", "--memory", "\(limits.buildMemory)", "--file-size", "\(512 << 20)",
      "--folder", writable[0].path, "--variable", "TMPDIR=\(writable[0].path)", "--variable", "HOME=/nonexistent",
      "--variable", "PATH=\(compiler.deletingLastPathComponent().path):/usr/bin:/bin", "--variable", "LC_ALL=C",
      "--variable", "MALLOC_ARENA_MAX=1",
    ]
    switch level {
    case .bwrap:
      options += ["--", bubblewrap ?? "", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
      options += systemFolders + ["--dev", "/dev", "--proc", "/proc"]
      for folder in readable + [toolchain(of: compiler)] { options += ["--ro-bind", folder.path, folder.path] }
      for folder in writable { options += ["--bind", folder.path, folder.path] }
      options += ["--remount-ro", "/", "--chdir", writable[0].path, "--"]
    case .uid:
      options += ["--user", "\(user)", "--filter", "\(CONFINEMENT_NO_NETWORK.rawValue)", "--"]
    case .none: options += ["--"]
    }
    return [launcher.path, "confine"] + options
  }

  /// `/usr` and what belongs to it, without `/etc`, homes and temporary files.
  private var systemFolders: [String] {
    ["/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc/alternatives", "/etc/ld.so.cache"].flatMap { path in
      if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
        return ["--symlink", target, path]
      }
      return FileManager.default.fileExists(atPath: path) ? ["--ro-bind", path, path] : []
    }
  }

  private func toolchain(of compiler: URL) -> URL {
    compiler.deletingLastPathComponent().deletingLastPathComponent()
  }

  /// Ends whatever a user's processes left running.
  func killAll(of user: Int) {
    guard level == .uid, isRoot else { return }
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let process = pid_t(name) else { continue }
      var status = stat()
      if stat("/proc/\(name)", &status) == 0, status.st_uid == uid_t(user) { kill(process, SIGKILL) }
    }
  }

  /// A program's path in `PATH`.
  static func find(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
    return folders.map { "\($0)/\(name)" }.first { $0.hasPrefix("/") && access($0, X_OK) == 0 }
  }
}
