import LessonKit

/// Tones of a few harmonics with a random phase, in a little noise.
struct Tones {
  /// Samples a second.
  let sampleRate: Int
  /// The fundamentals, in Hz, drawn evenly over this range of the keyboard.
  let range: ClosedRange<Float>
  /// The amplitudes of the fundamental and of its multiples.
  let amplitudes: [Float]
  /// The standard deviation of the noise.
  let noise: Float

  /// Fundamentals, in Hz, `[count]`.
  func pitches(_ count: Int, using random: inout Random) -> Tensor {
    exp(.uniform([count], in: log(range.lowerBound)..<log(range.upperBound), using: &random))
  }

  /// Tones without noise: `[batch]` fundamentals to `[batch, length]`.
  func clean(_ pitches: Tensor, length: Int, using random: inout Random) -> Tensor {
    let time = Tensor((0..<length).map { Float($0) / Float(sampleRate) }, shape: [1, length])
    let turns = pitches.reshaped(to: [-1, 1]) * time + .uniform([pitches.count, 1], using: &random)
    let phase = (turns - floor(turns)) * (2 * Float.pi)  // [batch, length]
    let harmonics = amplitudes.enumerated().map { sin(phase * Float($0.offset + 1)) * $0.element }
    return harmonics.dropFirst().reduce(harmonics[0], +)
  }

  /// Tones in noise: `[batch]` fundamentals to `[batch, length]`.
  func samples(_ pitches: Tensor, length: Int, using random: inout Random) -> Tensor {
    let tones = clean(pitches, length: length, using: &random)
    return tones + .normal(tones.shape, using: &random) * noise
  }

  /// How many numbers tell the model a fundamental.
  static let conditions = 9

  /// h: the place on the keyboard, and waves over the keyboard that tell near places apart: `[batch] → [batch, 9]`.
  func conditions(_ pitches: Tensor) -> Tensor {
    let place = (log(pitches) - log(range.lowerBound)) / log(range.upperBound / range.lowerBound)
    let u = place.reshaped(to: [-1, 1])
    let waves = (1...4).flatMap { [sin(u * (Float($0) * .pi)), cos(u * (Float($0) * .pi))] }
    return concatenate([u * 2 - 1] + waves, axis: 1)
  }

  /// The strongest frequency of each sound below 1,100 Hz, in Hz: `[batch, length] → [batch]`.
  ///
  /// A discrete Fourier transform with a Hann window at steps of 1 Hz; a parabola through the best three finds the top between.
  func strongestFrequencies(of sounds: Tensor) -> [Float] {
    let length = sounds.shape[1]
    let time = Tensor((0..<length).map { Float($0) }, shape: [length, 1])
    let turns = time * Tensor((100..<1100).map { Float($0) / Float(sampleRate) }, shape: [1, 1000])
    let angle = (turns - floor(turns)) * (2 * Float.pi)  // [length, 1000]
    let windowed = sounds * (1 - cos(time.reshaped(to: [1, length]) * (2 * Float.pi / Float(length))))
    let power = log(square(matmul(windowed, cos(angle))) + square(matmul(windowed, sin(angle))))
    return zip(0..., power.argmax(axis: 1).scalars).map { row, best in
      let middle = min(max(Int(best), 1), 998)
      let top = power.sliced([row..<row + 1, middle - 1..<middle + 2]).scalars
      return Float(100 + middle) + 0.5 * (top[0] - top[2]) / (top[0] - 2 * top[1] + top[2])
    }
  }

  /// The entropy of a sample's level where the tone without noise is known, in nats: no model can come below it.
  func noiseEntropy(_ quantizer: Quantizer, using random: inout Random) -> Double {
    // One turn of a tone in 400 equal steps: all phases are as likely.
    let turn = clean(Tensor([Float(sampleRate) / 400]), length: 400, using: &random).scalars
    let entropies = turn.map(Double.init).map { center -> Double in
      let below = quantizer.edges.map { 0.5 * erfc((center - $0) / (Double(noise) * 2.0.squareRoot())) }
      let cells = zip(below + [1], [0] + below).map { $0 - $1 }
      return -cells.reduce(0) { $0 + ($1 > 1e-15 ? $1 * log($1) : 0) }
    }
    return entropies.reduce(0, +) / Double(entropies.count)
  }
}
