import Foundation

#if canImport(Runtime)
  import Runtime
#endif

/// Stops the program because the caller made a mistake, naming the operation, what was wrong, and the caller's line.
///
/// The line is the innermost one outside this package's libraries, found from the call stack, so operators
/// (which cannot take `#line`) report it too, in debug and release builds. Set a breakpoint here to see the whole stack.
///
/// - Parameters:
///   - operation: the operation as the caller wrote it, such as `matmul`.
///   - problem: what was wrong, with the shapes or values, and what to do.
public func fail(_ operation: String, _ problem: String) -> Never {
  let place = callerLocation().map { " (\($0))" } ?? ""
  FileHandle.standardError.write(Data("error: \(operation): \(problem)\(place)\n".utf8))
  exit(EXIT_FAILURE)
}

/// The innermost `file:line` of the call stack that is outside the package's `Sources` folder.
private func callerLocation() -> String? {
  #if canImport(Runtime)
    guard #available(macOS 26.0, *), let frames = try? Backtrace.capture().symbolicated()?.frames else { return nil }
    let libraries = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/"
    for frame in frames {
      guard let location = frame.symbol?.sourceLocation, location.line > 0, location.path.hasPrefix("/"),
        !location.path.hasPrefix(libraries)
      else { continue }
      return "\(location.path):\(location.line)"
    }
  #endif
  return nil
}
