import Foundation

/// A clone of the course: the folder with `Package.swift` and `Lessons`.
public struct CourseFolder: Sendable, Equatable {
  /// The folder itself.
  public let url: URL

  /// A folder that is known to be a clone.
  public init(url: URL) { self.url = URL(fileURLWithPath: url.path, isDirectory: true) }

  /// The clone that holds a folder, or that an executable was built in.
  public init(around folder: URL) throws(ExerciseError) {
    var candidate = folder.standardizedFileURL.resolvingSymlinksInPath()
    for _ in candidate.pathComponents {
      let parts = ["Package.swift", "Lessons"].map { candidate.appending(path: $0).path }
      if parts.allSatisfy(FileManager.default.fileExists(atPath:)) {
        self.init(url: candidate)
        return
      }
      candidate.deleteLastPathComponent()
    }
    throw ExerciseError("\(folder.path) is not inside the course's folder (the one with Package.swift); cd there first")
  }

  /// The lessons that have exercises, in order.
  public func lessons() throws(ExerciseError) -> [LessonFolder] {
    try allLessons().filter { !$0.exerciseFiles.isEmpty }
  }

  /// All lessons, in order, with exercises or without.
  public func allLessons() throws(ExerciseError) -> [LessonFolder] {
    let folder = url.appending(path: "Lessons")
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
      throw ExerciseError("\(folder.path) cannot be read")
    }
    return names.sorted().map { LessonFolder(name: $0, course: self) }.filter { lesson in
      FileManager.default.fileExists(atPath: lesson.url.appending(path: "main.swift").path)
    }
  }

  /// The lesson that somebody means by `Lesson04-VAE`, `VAE`, `4` or an exercise's id.
  public func lesson(_ text: String) throws(ExerciseError) -> LessonFolder {
    let lessons = try allLessons()
    let wanted = text.split(separator: ".").first.map { $0.lowercased() } ?? ""
    let found = lessons.filter { lesson in
      let (name, suffix) = (lesson.name.lowercased(), lesson.suffix.lowercased())
      let number = name.prefix { $0 != "-" }.drop { !$0.isNumber }
      return [name, suffix].contains(wanted) || (Int(wanted) != nil && Int(wanted) == Int(number))
    }
    guard let lesson = found.first else {
      let names = lessons.map(\.name).joined(separator: ", ")
      throw ExerciseError("there is no lesson \(text); there are: \(names)")
    }
    guard found.count == 1 else {
      throw ExerciseError("\(text) may mean \(found.map(\.name).joined(separator: " or ")); say which")
    }
    return lesson
  }
}

/// A lesson's folder in a clone.
public struct LessonFolder: Sendable, Equatable {
  /// The lesson's name, such as `Lesson04-VAE`: its folder's, its target's and its executable's.
  public let name: String
  /// The clone it belongs to.
  public let course: CourseFolder

  /// The lesson with this name.
  public init(name: String, course: CourseFolder) {
    self.name = name
    self.course = course
  }

  /// Where its sources are.
  public var url: URL { course.url.appending(path: "Lessons/\(name)") }
  /// What its exercises' ids begin with, such as `VAE`.
  public var suffix: String { name.firstIndex(of: "-").map { String(name[name.index(after: $0)...]) } ?? name }
  /// Where `swift build` puts its executable.
  public var executable: URL { course.url.appending(path: ".build/debug/\(name)") }
  /// Where its recorded values are.
  public var recordedFile: URL { url.appending(path: RecordedLesson.fileName) }
  /// Its recorded values.
  public func recorded() throws(ExerciseError) -> RecordedLesson { try RecordedLesson(contentsOf: recordedFile) }

  /// The names of the files with marked solutions.
  public var exerciseFiles: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    return names.sorted().filter { name in
      guard name.hasSuffix(".swift"), let source = try? source(name) else { return false }
      return !source.regions.isEmpty
    }
  }

  /// One of its files.
  public func source(_ name: String) throws(ExerciseError) -> MarkedSource {
    let file = url.appending(path: name)
    guard let data = try? Data(contentsOf: file) else { throw ExerciseError("\(file.path) cannot be read") }
    guard let text = String(validating: data, as: UTF8.self) else { throw ExerciseError("\(file.path) is not UTF-8") }
    return MarkedSource(text)
  }

  /// The file that holds an exercise, with its source.
  public func source(of exercise: String) throws(ExerciseError) -> (file: String, source: MarkedSource)? {
    for file in exerciseFiles {
      let source = try source(file)
      if source.ids.contains(exercise) { return (file, source) }
    }
    return nil
  }

  /// Builds the lesson alone; gives the compiler's errors, nothing if it was built.
  public func build(timeLimit: Double = 600) throws(ExerciseError) -> [String] {
    var swift = ChildProcess(["swift", "build", "--package-path", course.url.path, "--product", name])
    swift.timeLimit = timeLimit
    swift.hasOwnGroup = false
    swift.outputLimit = 4 << 20
    let outcome = try swift.run()
    if outcome.ending == .exited(0) { return [] }
    let lines = String(decoding: outcome.output + outcome.errors, as: UTF8.self).split(separator: "\n").map(String.init)
    let errors = lines.filter { $0.contains("error: ") && !$0.hasPrefix(" ") }
    let unique = errors.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return unique.isEmpty ? Array(lines.suffix(10)) + ["swift build \(outcome.explanation)"] : unique
  }
}
