import Foundation

/// Marks what a student is still to write; a run that comes here ends with one line that says which exercise, where, and how to get a hint.
///
/// ```swift
/// func gaussianKL(mean: Tensor, logVariance: Tensor) -> Tensor {
///   // BEGIN SOLUTION VAE.1
///   todo("VAE.1")
///   // END SOLUTION
/// }
/// ```
public func todo(_ exercise: String, file: String = #filePath, line: Int = #line) -> Never {
  if let session = ProbeSession.current {
    session.reply(.notAttempted)
    fflush(nil)
    _exit(EXIT_SUCCESS)
  }
  let here = FileManager.default.currentDirectoryPath + "/"
  let place = file.hasPrefix(here) ? String(file.dropFirst(here.count)) : file
  let message =
    "\(exercise) is still to be written, at \(place):\(line); swift run course hint \(exercise) gives a hint.\n"
  fflush(nil)
  FileHandle.standardError.write(Data(message.utf8))
  _exit(EXIT_FAILURE)
}
