import Tensors

/// Examples cut into three parts that share none: for learning, for choosing, and for the final measurement.
public struct Partition<Examples> {
  /// What a model learns from.
  public let training: Examples
  /// What settings are chosen by.
  public let validation: Examples
  /// What is measured once at the end.
  public let test: Examples
}

extension Partition: Sendable where Examples: Sendable {}

extension LabelledImages {
  /// The images in three parts by chance; equal images all go to one part, so that no test image was seen before.
  ///
  /// - Parameters:
  ///   - validation: the images for validation.
  ///   - test: the images for testing; the rest is for training.
  ///   - random: where the order comes from.
  /// - Returns: parts of these sizes, or the nearest below that whole groups of equal images make.
  /// - Precondition: the two numbers are 0 or more and together at most `count`.
  public func partitioned(
    validation: Int = 0, test: Int, using random: inout Random
  ) -> Partition<LabelledImages> {
    let parts = partition(indices.map { bytes(at: $0) }, validation, test, using: &random)
    return Partition(
      training: subset(at: parts.training), validation: subset(at: parts.validation), test: subset(at: parts.test))
  }
}

extension Tensor {
  /// The examples, `[count, …]`, in three parts by chance; equal examples all go to one part.
  ///
  /// - Parameters:
  ///   - validation: the examples for validation.
  ///   - test: the examples for testing; the rest is for training.
  ///   - random: where the order comes from.
  /// - Returns: parts of these sizes, or the nearest below that whole groups of equal examples make; constants.
  /// - Precondition: the two numbers are 0 or more and together at most the extent of axis 0.
  public func partitioned(validation: Int = 0, test: Int, using random: inout Random) -> Partition<Tensor> {
    let size = exampleSize(of: shape, "partitioned")
    let values = scalars
    let keys = (0..<shape[0]).map { values[$0 * size..<($0 + 1) * size].map(\.bitPattern) }
    let parts = partition(keys, validation, test, using: &random)
    return Partition(
      training: examples(at: parts.training), validation: examples(at: parts.validation), test: examples(at: parts.test)
    )
  }
}

extension IndexTensor {
  /// The examples, `[count, …]`, in three parts by chance; equal examples all go to one part.
  ///
  /// - Parameters:
  ///   - validation: the examples for validation.
  ///   - test: the examples for testing; the rest is for training.
  ///   - random: where the order comes from.
  /// - Returns: parts of these sizes, or the nearest below that whole groups of equal examples make.
  /// - Precondition: the two numbers are 0 or more and together at most the extent of axis 0.
  public func partitioned(validation: Int = 0, test: Int, using random: inout Random) -> Partition<IndexTensor> {
    let size = exampleSize(of: shape, "partitioned")
    let keys = (0..<shape[0]).map { scalars[$0 * size..<($0 + 1) * size] }
    let parts = partition(keys, validation, test, using: &random)
    return Partition(
      training: examples(at: parts.training), validation: examples(at: parts.validation), test: examples(at: parts.test)
    )
  }
}

/// The positions of each part, in random order; positions of equal keys stay together.
private func partition<Key: Hashable>(
  _ keys: [Key], _ validation: Int, _ test: Int, using random: inout Random
) -> Partition<[Int]> {
  guard validation >= 0, test >= 0, validation <= keys.count, test <= keys.count - validation else {
    fail("partitioned", "\(validation) and \(test) of \(keys.count) examples cannot be taken; give smaller numbers")
  }
  let order = shuffledIndices(keys.count, using: &random)
  var groups: [[Int]] = []
  var numbers: [Key: Int] = [:]
  for position in order {
    if let number = numbers[keys[position]] {
      groups[number].append(position)
    } else {
      numbers[keys[position]] = groups.count
      groups.append([position])
    }
  }
  var parts: [[Int]] = [[], [], []]
  for group in groups {
    let part = parts[2].count + group.count <= test ? 2 : parts[1].count + group.count <= validation ? 1 : 0
    parts[part] += group
  }
  return Partition(training: parts[0], validation: parts[1], test: parts[2])
}
