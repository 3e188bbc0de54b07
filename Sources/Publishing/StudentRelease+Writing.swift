import Exercises
import Foundation

/// What a release says of itself, in its file `.release.json`: every other file with its digest.
struct ReleaseManifest: Codable, Equatable {
  static let fileName = ".release.json"

  var version = 1
  var files: [String: String]

  /// The manifest in a folder; `nil` if it holds no release.
  init?(in folder: URL) {
    guard let data = try? Data(contentsOf: folder.appending(path: Self.fileName)),
      let manifest = try? JSONDecoder().decode(Self.self, from: data), manifest.version == 1
    else { return nil }
    self = manifest
  }

  init(of files: [StudentRelease.File]) {
    self.files = Dictionary(uniqueKeysWithValues: files.map { ($0.path, SHA256.hexDigest(of: $0.content)) })
  }

  func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data([0x0a])
  }
}

extension StudentRelease {
  /// Writes the release into a folder that is empty or not there yet.
  ///
  /// - Parameters:
  ///   - folder: where it goes.
  ///   - replacing: whether the folder may hold a former release, whose files are replaced; other files in it, such as
  ///     `.git`, stay.
  public func write(to folder: URL, replacing: Bool) throws {
    let manager = FileManager.default
    let former = try Self.former(in: folder, replacing: replacing)
    do {
      try manager.createDirectory(at: folder, withIntermediateDirectories: true)
      // First of all, so that a release which was stopped half way can be replaced.
      let manifest = ReleaseManifest(of: files)
      var begun = manifest
      begun.files.merge(former) { new, _ in new }
      try begun.encoded().write(to: folder.appending(path: ReleaseManifest.fileName), options: .atomic)
      for path in former.keys where manifest.files[path] == nil { try Self.remove(path, in: folder) }
      for file in files { try Self.write(file, to: folder) }
      try manifest.encoded().write(to: folder.appending(path: ReleaseManifest.fileName), options: .atomic)
    } catch {
      throw ExerciseError("\(folder.path) cannot be written: \(error.localizedDescription)")
    }
  }

  /// The files of a former release in a folder, none if it is empty; refuses any other folder.
  private static func former(in folder: URL, replacing: Bool) throws -> [String: String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else { return [:] }
    guard isFolder.boolValue else { throw ExerciseError("\(folder.path) is a file, not a folder") }
    let content: [String]
    do { content = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
      throw ExerciseError("\(folder.path) cannot be read: \(error.localizedDescription)")
    }
    if content.isEmpty { return [:] }
    guard let manifest = ReleaseManifest(in: folder) else {
      throw ExerciseError("\(folder.path) is not empty and holds no former release; choose another folder")
    }
    guard replacing else {
      throw ExerciseError("\(folder.path) holds a former release; --force replaces its files")
    }
    guard
      let strange = manifest.files.keys.first(where: { $0.hasPrefix("/") || $0.split(separator: "/").contains("..") })
    else { return manifest.files }
    throw ExerciseError("\(folder.path)/\(ReleaseManifest.fileName) is damaged: it names \(strange)")
  }

  private static func write(_ file: File, to folder: URL) throws {
    let url = folder.appending(path: file.path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    // What did not change keeps its time, so that nothing is built again for it.
    if (try? Data(contentsOf: url)) != file.content { try file.content.write(to: url, options: .atomic) }
    try FileManager.default.setAttributes(
      [.posixPermissions: file.isExecutable ? 0o755 : 0o644], ofItemAtPath: url.path)
  }

  /// Removes a file, and the folders that it leaves empty.
  private static func remove(_ path: String, in folder: URL) throws {
    let manager = FileManager.default
    var url = folder.appending(path: path)
    if manager.fileExists(atPath: url.path) { try manager.removeItem(at: url) }
    for _ in path.split(separator: "/").dropLast() {
      url.deleteLastPathComponent()
      guard let rest = try? manager.contentsOfDirectory(atPath: url.path), rest.isEmpty else { return }
      try manager.removeItem(at: url)
    }
  }
}
