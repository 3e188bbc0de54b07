import Foundation
import Tensors
import Testing

@testable import Exercises

@Suite("Frames and requests")
struct FrameTests {
  private let values = [
    ProbeValue(name: "a – é", shape: [2, 3], scalars: [1, -2.5, .nan, .infinity, 0x1p-149, 0]),
    ProbeValue(name: "scalar", shape: [], scalars: [7]), ProbeValue(name: "none", shape: [0, 4], scalars: []),
  ]

  private func bits(_ reply: ProbeReply?) -> [[UInt32]]? {
    guard case .values(let values) = reply else { return nil }
    return values.map { $0.scalars.map(\.bitPattern) }
  }

  @Test("A frame gives back names, shapes and every bit of the values")
  func roundTrip() throws {
    let reply = try #require(ProbeReply(in: ProbeReply.values(values).frame(nonce: 9), nonce: 9))
    guard case .values(let found) = reply else { return #expect(Bool(false)) }
    #expect(found.map(\.name) == values.map(\.name) && found.map(\.shape) == values.map(\.shape))
    #expect(bits(reply) == bits(.values(values)))
    for other in [ProbeReply.notAttempted, .refused("no"), .specifications(Data([1, 2]))] {
      #expect(ProbeReply(in: other.frame(nonce: 1), nonce: 1) == other)
    }
  }

  @Test("The first whole frame with the nonce counts, whatever stands around it")
  func amongRubbish() {
    let frame = ProbeReply.refused("mine").frame(nonce: 5)
    let forged = ProbeReply.notAttempted.frame(nonce: 6)
    let rubbish = Data("DULPDULP".utf8) + Data(repeating: 0xff, count: 99)
    #expect(ProbeReply(in: rubbish + forged + rubbish + frame + rubbish, nonce: 5) == .refused("mine"))
    #expect(ProbeReply(in: rubbish + forged, nonce: 5) == nil)
  }

  @Test("No frame cut short and no absurd size in a header gives values or takes memory")
  func damagedFrames() {
    let frame = ProbeReply.values(values).frame(nonce: 3)
    for length in 0..<frame.count { #expect(ProbeReply(in: frame.prefix(length), nonce: 3) == nil) }
    for position in 28..<frame.count {
      var damaged = frame
      damaged[position] = 0xff
      if case .values(let found) = ProbeReply(in: damaged, nonce: 3) {
        #expect(found.allSatisfy { $0.scalars.count == $0.shape.reduce(1, *) })
      }
    }
  }

  @Test("Values survive JSON bit by bit; values that do not fill their shape are refused")
  func json() throws {
    let decoded = try JSONDecoder().decode([ProbeValue].self, from: JSONEncoder().encode(values))
    #expect(bits(.values(decoded)) == bits(.values(values)))
    let bad = Data(#"[{"name": "x", "shape": [2], "values": "AAAA"}]"#.utf8)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([ProbeValue].self, from: bad) }
  }
}

@MainActor
@Suite("Specifications")
struct SpecificationTests {
  private let doubling = Exercise(
    "Toy.1", "doubling", points: 3, implementation: { (x: Tensor) in x * 2 }, dependencies: ["Toy.0"], hints: ["twice"],
    cases: [
      ExerciseCase("one") { function, random in ["y": function(.uniform([3], using: &random))] },
      ExerciseCase("two", comparison: .logProbabilities(slack: 1)) { function, random in
        ["y": function(.uniform([2], using: &random))]
      },
    ])

  @Test("The inputs of a case follow from exercise, case and seed alone, and a mistake sees the same")
  func inputs() {
    let mistakes = doubling.knownMistakes([Mistake("Three times.") { $0 * 3 }])
    let values = doubling.values(ofCase: 0, seed: 4)
    #expect(values == doubling.values(ofCase: 0, seed: 4) && values[0].shape == [3])
    #expect(values != doubling.values(ofCase: 0, seed: 5))
    #expect(values[0].scalars.prefix(2) != doubling.values(ofCase: 1, seed: 4)[0].scalars[...])
    #expect(mistakes.values(0, 0, 4)[0].scalars == values[0].scalars.map { $0 / 2 * 3 })
    var (one, other) = (Random(exercise: "Toy.1", case: 0, seed: 4), Random(exercise: "Toy.2", case: 0, seed: 4))
    #expect(one.next() != other.next())
    let outline = ExerciseOutline(doubling, mistakes: [mistakes])
    #expect(outline.mistakes == ["Three times."] && outline.dependencies == ["Toy.0"] && outline.points == 3)
    #expect(outline.cases.map(\.comparison) == [.close(), .logProbabilities(slack: 1)])
  }
}
