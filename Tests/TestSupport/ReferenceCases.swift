import Foundation
import Tensors
import Testing

/// The random cases of one operation, made by a script in `Tests/Reference`.
package struct ReferenceCases: Decodable {
  package let operation: String
  private let laws: [[Float]]
  private let cases: [Entry]
  /// The expected values of all cases, one after another.
  private var values: [Float] = []

  private enum CodingKeys: CodingKey { case operation, laws, cases }
  private struct Entry: Decodable {
    let seed: UInt64
    let shapes: [[Int]]
    let arguments: [String: [Double]]?
    let outputs: [[Int]]
  }

  /// What one case gives to an operation and wants back.
  package struct Case: CustomStringConvertible {
    package let operation: String
    package let inputs: [Tensor]
    package let arguments: [String: [Double]]
    package let expected: [Tensor]
    package init(operation: String, inputs: [Tensor], arguments: [String: [Double]], expected: [Tensor]) {
      (self.operation, self.inputs, self.arguments, self.expected) = (operation, inputs, arguments, expected)
    }

    package var description: String { "\(operation) of \(inputs.map(\.shape)) \(arguments)" }

    /// A whole number that the script recorded under this name.
    package subscript(_ name: String) -> Int { Int(arguments[name]![0]) }
    /// A list of whole numbers that the script recorded under this name.
    package func list(_ name: String) -> [Int] { arguments[name]!.map { Int($0) } }
    /// A number that the script recorded under this name.
    package func number(_ name: String) -> Float { Float(arguments[name]![0]) }
    /// An input that holds whole numbers, as indices.
    package func indices(_ input: Int) -> IndexTensor {
      IndexTensor(inputs[input].scalars.map { Int32($0) }, shape: inputs[input].shape)
    }
  }

  /// Every operation of one script by name.
  package static func read(_ suite: String) throws -> [String: ReferenceCases] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../Reference")
    var found = try JSONDecoder().decode(
      [ReferenceCases].self, from: Data(contentsOf: folder.appending(path: "\(suite).json")))
    let bytes = try Data(contentsOf: folder.appending(path: "\(suite).f32"))
    let floats = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    var next = 0
    for index in found.indices {
      let count = found[index].cases.reduce(0) { $1.outputs.reduce($0) { $0 + $1.reduce(1, *) } }
      found[index].values = Array(floats[next..<next + count])
      next += count
    }
    #expect(next == floats.count)
    return Dictionary(uniqueKeysWithValues: found.map { ($0.operation, $0) })
  }

  /// Runs `body` on every case and compares what it returns, one tensor for each output.
  ///
  /// An error is measured relative to the larger of the expected value and `scale` times the largest expected magnitude:
  /// zero asks for each value's own relative accuracy, one for accuracy against the whole result.
  package func check(tolerance: Float = 1e-5, scale: Float = 0, _ body: (Case) -> [Tensor]) {
    var next = 0
    for entry in cases {
      let inputs = zip(laws, entry.shapes).enumerated().map { number, input in
        drawn(input.0, entry.seed + UInt64(number), input.1)
      }
      let expected = entry.outputs.map { shape in
        defer { next += shape.reduce(1, *) }
        return Tensor(Array(values[next..<next + shape.reduce(1, *)]), shape: shape)
      }
      let one = Case(operation: operation, inputs: inputs, arguments: entry.arguments ?? [:], expected: expected)
      let results = body(one)
      #expect(results.map(\.shape) == entry.outputs, "\(one)")
      for (result, wanted) in zip(results, expected) where result.shape == wanted.shape {
        if let problem = firstDifference(result.scalars, wanted.scalars, tolerance, scale) {
          Issue.record("\(one): \(problem)")
          return
        }
      }
    }
  }

  private func firstDifference(_ found: [Float], _ wanted: [Float], _ tolerance: Float, _ scale: Float) -> String? {
    let largest = wanted.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    for (index, pair) in zip(found, wanted).enumerated() where pair.0 != pair.1 && !(pair.0.isNaN && pair.1.isNaN) {
      let allowed = tolerance * max(abs(pair.1), scale * largest, Float.leastNormalMagnitude / tolerance)
      guard abs(pair.0 - pair.1) <= allowed, pair.1.isFinite else {
        return "value \(index) is \(pair.0) and not \(pair.1)"
      }
    }
    return nil
  }
}

/// The numbers that `cases.py` drew.
private func drawn(_ law: [Float], _ seed: UInt64, _ shape: [Int]) -> Tensor {
  var random = Random(seed: seed, gamma: 0x9e37_79b9_7f4a_7c15)
  let (low, high, isWhole) = (law[0], law[1], law[2] == 1)
  let values = (0..<shape.reduce(1, *)).map { _ in
    let value = Float(random.next() >> 40) * 0x1p-24 * (high - low) + low
    return isWhole ? value.rounded(.down) : value
  }
  return Tensor(values, shape: shape)
}
