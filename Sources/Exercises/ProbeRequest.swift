import Foundation

/// A question to a built lesson, one line of JSON on its standard input.
public struct ProbeRequest: Codable, Sendable, Equatable {
  /// The version of requests and replies; both sides must speak the same.
  public static let currentVersion = 1

  /// The version spoken.
  public let version: Int
  /// Repeated in the reply, so that a reply belongs to one request.
  public let nonce: UInt64
  /// The exercise's id; `nil` asks for the lesson's specifications.
  public let exercise: String?
  /// The case, counted from 0.
  public let index: Int
  /// The seed of the case's inputs.
  public let seed: UInt64
  /// A known mistake, counted from 0, in place of the lesson's own implementation.
  public let mistake: Int?

  /// Asks for the values of one case.
  public init(exercise: String, case index: Int, seed: UInt64, mistake: Int? = nil) {
    self.init(exercise: exercise as String?, index: index, seed: seed, mistake: mistake)
  }

  /// Asks for the lesson's specifications.
  public static var specifications: ProbeRequest { ProbeRequest(exercise: nil, index: 0, seed: 0, mistake: nil) }

  private init(exercise: String?, index: Int, seed: UInt64, mistake: Int?) {
    version = Self.currentVersion
    nonce = UInt64.random(in: 0...(.max))
    self.exercise = exercise
    self.index = index
    self.seed = seed
    self.mistake = mistake
  }

  /// The request as it is sent, with the newline.
  var line: Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    // Numbers, text and nil always encode.
    return (try? encoder.encode(self)).map { $0 + Data([0x0a]) } ?? Data()
  }
}
