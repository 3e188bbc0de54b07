import Foundation

/// An exercise as it is known outside the lesson's process.
public struct ExerciseOutline: Codable, Sendable, Equatable {
  /// What it is called everywhere, such as `VAE.1`.
  public let id: String
  /// A few words that say what is to be written.
  public let title: String
  /// The points for a right answer.
  public let points: Int
  /// What is told to who asks, one more each time.
  public let hints: [String]
  /// The exercises whose functions this one's may call.
  public let dependencies: [String]
  /// The cases, in order.
  public let cases: [CaseOutline]
  /// The sentences of the known mistakes.
  public let mistakes: [String]
}

extension ExerciseOutline {
  @MainActor
  init(_ exercise: any ExerciseSpecification, mistakes: [KnownMistakes]) {
    self.init(
      id: exercise.id, title: exercise.title, points: exercise.points, hints: exercise.hints,
      dependencies: exercise.dependencies, cases: exercise.outline,
      mistakes: mistakes.first { $0.exercise == exercise.id }?.sentences ?? [])
  }
}

/// What the reference and each known mistake give on one case.
public struct RecordedCase: Codable, Sendable, Equatable {
  /// The reference's values.
  public let values: [ProbeValue]
  /// The values of each known mistake, in the order of their sentences.
  public let mistakes: [[ProbeValue]]

  /// A case from its parts.
  public init(values: [ProbeValue], mistakes: [[ProbeValue]]) {
    self.values = values
    self.mistakes = mistakes
  }
}

/// An exercise with the values of its cases.
public struct RecordedExercise: Codable, Sendable, Equatable {
  /// The exercise.
  public let outline: ExerciseOutline
  /// The values of each case.
  public let cases: [RecordedCase]
}

/// A lesson's exercises with the values of one seed: what `Recorded.json` holds.
public struct RecordedLesson: Codable, Sendable, Equatable {
  /// The version of the file's format.
  public let version: Int
  /// The lesson's name, such as `Lesson04-VAE`.
  public let lesson: String
  /// The names of the files with solutions.
  public let files: [String]
  /// The seed of all inputs.
  public let seed: UInt64
  /// The exercises, in order.
  public let exercises: [RecordedExercise]

  /// The seed that students may know.
  public static let publicSeed: UInt64 = 1
  /// The name of the file in a lesson's folder.
  public static let fileName = "Recorded.json"

  /// A lesson's values from their parts.
  public init(lesson: String, files: [String], seed: UInt64, exercises: [RecordedExercise]) {
    version = 1
    self.lesson = lesson
    self.files = files
    self.seed = seed
    self.exercises = exercises
  }

  /// What a trusted build of the lesson gives with a seed.
  ///
  /// - Parameters:
  ///   - lesson: the lesson's name.
  ///   - files: the names of the files with solutions.
  ///   - prober: asks a build with solutions and mistakes.
  ///   - seed: the seed of all inputs.
  public init(lesson: String, files: [String], from prober: Prober, seed: UInt64) throws(ExerciseError) {
    let exercises = try prober.outlines().map { outline throws(ExerciseError) in
      try RecordedExercise(outline: outline, cases: prober.recordedCases(of: outline, seed: seed))
    }
    self.init(lesson: lesson, files: files, seed: seed, exercises: exercises)
  }

  /// Reads a file that was recorded.
  public init(contentsOf file: URL) throws(ExerciseError) {
    let data: Data
    do { data = try Data(contentsOf: file) } catch {
      throw ExerciseError("\(file.path) cannot be read; swift run course record writes it")
    }
    do { self = try JSONDecoder().decode(Self.self, from: data) } catch {
      throw ExerciseError("\(file.path) is damaged; git checkout or swift run course record brings it back")
    }
    guard version == 1 else {
      throw ExerciseError("\(file.path) has version \(version), not 1; swift run course record writes it anew")
    }
  }

  /// The file's bytes: the same for the same values.
  public func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data([0x0a])
  }

  /// The exercise with an id.
  public subscript(id: String) -> RecordedExercise? { exercises.first { $0.outline.id == id } }
}

extension Prober {
  /// The values of the reference and of every known mistake, in one process of a trusted build.
  func recordedCases(of outline: ExerciseOutline, seed: UInt64) throws(ExerciseError) -> [RecordedCase] {
    let implementations = [nil] + outline.mistakes.indices.map(Optional.some)
    let requests = outline.cases.indices.flatMap { index in
      implementations.map { ProbeRequest(exercise: outline.id, case: index, seed: seed, mistake: $0) }
    }
    let values = try values(requests)
    return outline.cases.indices.map { index in
      let start = index * implementations.count
      return RecordedCase(
        values: values[start], mistakes: Array(values[start + 1..<start + implementations.count]))
    }
  }
}
