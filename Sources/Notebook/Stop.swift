import Foundation

/// Runs what may fail because of the outside world; an error stops the program with one clear line and status 1.
///
/// ```swift
/// let images = orStop { try FashionMNIST(folder: folder) }
/// ```
/// (An error thrown at the top level of `main.swift` would trap with a stack trace instead.)
public func orStop<Value>(_ body: () throws -> Value) -> Value {
  do {
    return try body()
  } catch {
    writeError(oneLine(error))
    end(EXIT_FAILURE)
  }
}

/// An error's own description, on one line.
func oneLine(_ error: any Error) -> String {
  let file = (error as NSError).userInfo[NSFilePathErrorKey] as? String
  let isSystems = error is CocoaError || error is POSIXError
  let text =
    isSystems
    ? (file.map { "\($0): " } ?? "") + reason(error) : (error as? any LocalizedError)?.errorDescription ?? "\(error)"
  return text.split(whereSeparator: \.isNewline).joined(separator: " ")
}

/// Writes `error: …` to standard error, after everything already put out.
func writeError(_ message: String) {
  fflush(nil)
  FileHandle.standardError.write(Data("error: \(message)\n".utf8))
}

/// Writes `warning: …` to standard error, after everything already put out.
func writeWarning(_ message: String) {
  fflush(nil)
  FileHandle.standardError.write(Data("warning: \(message)\n".utf8))
}

/// Ends the process at once, leaving threads that still compute no time to trip over each other.
func end(_ status: Int32) -> Never {
  fflush(nil)
  _exit(status)
}
