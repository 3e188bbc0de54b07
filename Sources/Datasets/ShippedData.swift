import Foundation

/// Where the package's `data` folder is.
public enum ShippedData {
  static let remedy = "restore the shipped files with `git checkout -- data`"

  /// The path of `data/<name>`, whatever the current directory is.
  ///
  /// Looks beside the sources this library was built from, then in the current directory and the folders above it.
  ///
  /// - Throws: `DataError` if it is in none of these.
  public static func folder(_ name: String) throws(DataError) -> String {
    try folder(name, sourceFile: #filePath, currentDirectory: FileManager.default.currentDirectoryPath)
  }

  static func folder(_ name: String, sourceFile: String, currentDirectory: String) throws(DataError) -> String {
    let package = URL(fileURLWithPath: sourceFile)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    var candidates = [package.path]
    var above = URL(fileURLWithPath: currentDirectory).standardizedFileURL
    for _ in above.pathComponents {
      candidates.append(above.path)
      above.deleteLastPathComponent()
    }
    let folders = candidates.map { URL(fileURLWithPath: $0).appendingPathComponent("data/\(name)").path }
    if let found = folders.first(where: isFolder) { return found }
    throw DataError(
      path: folders[0], problem: "the shipped data are not there, nor in \(currentDirectory) or a folder above it",
      remedy: "run inside the package's folder, or \(remedy)")
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }
}
