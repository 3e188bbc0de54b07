import LessonKit

/// Windows of a text that begin at `starts`, `[starts, length]`.
func windows(_ tokens: [Int32], at starts: [Int], length: Int) -> IndexTensor {
  IndexTensor(starts.flatMap { tokens[$0..<$0 + length] }, shape: [starts.count, length])
}

/// Where `count` windows begin that are spread evenly over a text.
func spread(_ count: Int, over tokens: [Int32], length: Int) -> [Int] {
  (0..<count).map { $0 * (tokens.count - length) / count }
}

/// −ln p of the second half of each window, where all tokens have at least half a context before them, in nats: `[starts, half]`.
func surprises(_ model: GPT, _ tokens: [Int32], at starts: [Int]) -> Tensor {
  let length = model.context
  return withoutGradients {
    let parts = starts.indices.batches(ofSize: 20).map { batch in
      let x = windows(tokens, at: batch.map { starts[$0] }, length: length)
      return surprise(model(x), x).sliced(length / 2 - 1..<length - 1, axis: 1)
    }
    return concatenate(parts, axis: 0)
  }
}

/// The same for an n-gram that counts `train`.
func surprises(
  ofOrder order: Int, _ train: [Int32], vocabulary: Int, _ tokens: [Int32], at starts: [Int], length: Int
) -> Tensor {
  let model = NGram(IndexTensor(train), vocabulary: vocabulary, order: order)
  let nats = -model.logProbabilities(of: IndexTensor(tokens))
  return stack(starts.map { nats.sliced($0 + length / 2..<$0 + length, axis: 0) }, axis: 0)
}

/// A ratio of sums, such as nats to characters, from the sums of independent windows, `[windows]` each.
func ratio(_ sums: Tensor, _ counts: Tensor) -> Estimate {
  let ratio = sums.sum().scalar / counts.sum().scalar
  return Estimate(mean: ratio, standardError: Estimate((sums - counts * ratio) / counts.mean()).standardError)
}
