import Foundation
import Tensors

/// Where the reply to the request at hand goes.
struct ProbeSession: Sendable {
  @TaskLocal static var current: ProbeSession?

  let descriptor: Int32
  let nonce: UInt64

  /// Writes a reply as one frame; a reader that has gone away is not our concern.
  func reply(_ reply: ProbeReply) {
    let frame = reply.frame(nonce: nonce)
    frame.withUnsafeBytes { bytes in
      var position = 0
      while position < bytes.count {
        let written = write(descriptor, bytes.baseAddress! + position, bytes.count - position)
        if written > 0 { position += written } else if errno != EINTR { return }
      }
    }
  }
}

/// Answers `course` and ends the process, if it was started as `Lesson --probe DESCRIPTOR`; else does nothing.
///
/// Reads requests from standard input, one a line, and writes a frame for each to the descriptor. It stands first in a
/// lesson's `main.swift`: a probe must not train.
@MainActor
public func answerProbes(_ exercises: [any ExerciseSpecification], _ mistakes: [KnownMistakes]) {
  let arguments = CommandLine.arguments.dropFirst()
  guard arguments.first == "--probe", let descriptor = arguments.last.flatMap({ Int32($0) }), descriptor > 2 else {
    return
  }
  answerProbes(exercises, mistakes, on: descriptor)
}

/// Answers `course` on a descriptor and ends the process: for one that cannot see how it was started.
///
/// Swift finds a program's arguments through `/proc`, of which a sandbox may have none.
@MainActor
public func answerProbes(_ exercises: [any ExerciseSpecification], _ mistakes: [KnownMistakes], on descriptor: Int32)
  -> Never
{
  signal(SIGPIPE, SIG_IGN)
  while let line = readLine() {
    guard let request = try? JSONDecoder().decode(ProbeRequest.self, from: Data(line.utf8)) else { break }
    let session = ProbeSession(descriptor: descriptor, nonce: request.nonce)
    ProbeSession.$current.withValue(session) { session.reply(reply(to: request, exercises, mistakes)) }
  }
  fflush(nil)
  _exit(EXIT_SUCCESS)
}

@MainActor
private func reply(
  to request: ProbeRequest, _ exercises: [any ExerciseSpecification], _ mistakes: [KnownMistakes]
) -> ProbeReply {
  guard request.version == ProbeRequest.currentVersion else {
    return .refused("this lesson speaks version \(ProbeRequest.currentVersion), not \(request.version): build it again")
  }
  guard let id = request.exercise else {
    let outlines = exercises.map { ExerciseOutline($0, mistakes: mistakes) }
    return (try? JSONEncoder().encode(outlines)).map { .specifications($0) } ?? .refused("cannot be encoded")
  }
  guard let exercise = exercises.first(where: { $0.id == id }) else { return .refused("there is no exercise \(id)") }
  guard exercise.outline.indices.contains(request.index) else { return .refused("\(id) has no case \(request.index)") }
  guard let mistake = request.mistake else {
    return .values(exercise.values(ofCase: request.index, seed: request.seed))
  }
  guard let known = mistakes.first(where: { $0.exercise == id }), known.sentences.indices.contains(mistake) else {
    return .refused("\(id) has no known mistake \(mistake)")
  }
  return .values(known.values(mistake, request.index, request.seed))
}
