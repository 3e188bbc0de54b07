import LessonKit

// The vector-quantised autoencoder of van den Oord, Vinyals & Kavukcuoglu (2017), arXiv 1711.00937, with the paper's names.

/// The code nearest to each vector, k = argminⱼ ‖z − eⱼ‖² (equation 1): `[count, width], [codes, width] → [count]`.
///
/// Computed as ‖z‖² − 2 z·e + ‖e‖², which needs one matrix product and no tensor of all differences.
func nearestCodes(to z: Tensor, among e: Tensor) -> IndexTensor {
  // BEGIN SOLUTION VQVAE.1
  let products = matmul(z, e, transposingSecond: true)  // [count, codes]
  let distances = square(z).sum(axis: 1, keepingAxes: true) - products * 2 + square(e).sum(axis: 1)
  return distances.argmin(axis: 1)
  // END SOLUTION
}

/// What the decoder reads in place of z, and the last two terms of equation 3.
///
/// - Parameters:
///   - z: what the encoder said, `[batch, positions, width]`.
///   - e: the code nearest to each, of the same shape.
/// - Returns: `straightThrough`, the values of e, whose gradient goes to z whole and to e not at all; and `loss`, `[batch]`:
///   ‖sg[z] − e‖², which moves the codes alone, and β ‖z − sg[e]‖², which moves the encoder alone.
func quantized(_ z: Tensor, to e: Tensor, beta: Float) -> (straightThrough: Tensor, loss: Tensor) {
  // BEGIN SOLUTION VQVAE.2
  let codebookTerm = square(z.detached() - e).sum(axes: [1, 2])
  let commitment = square(z - e.detached()).sum(axes: [1, 2])
  return (z + (e - z).detached(), codebookTerm + commitment * beta)
  // END SOLUTION
}

/// Running statistics of the vectors that chose each code.
struct CodeStatistics {
  var counts: Tensor  // N, how many, [codes]
  var sums: Tensor  // m, their sum, [codes, width]
}

/// One step of the moving averages N ← γN + (1−γ)n and m ← γm + (1−γ)Σz, and the codes e = m/Ñ (appendix A.1).
///
/// Ñ = ΣN · (N + ε) / (ΣN + Kε) for K codes: smoothed as by Laplace, its sum unchanged, so that no unused code divides by 0.
/// - Parameters:
///   - z: the batch's vectors, `[count, width]`.
///   - indices: the code that each chose, `[count]`.
func movingAverage(
  _ old: CodeStatistics, _ z: Tensor, _ indices: IndexTensor, decay: Float, epsilon: Float
) -> (statistics: CodeStatistics, codes: Tensor) {
  // BEGIN SOLUTION VQVAE.3
  let members = oneHot(indices, classes: old.counts.count)  // [count, codes]
  let counts = old.counts * decay + members.sum(axis: 0) * (1 - decay)
  let sums = old.sums * decay + matmul(members, z, transposingFirst: true) * (1 - decay)
  let total = counts.sum()
  let smoothed = (counts + epsilon) / (total + epsilon * Float(counts.count)) * total  // [codes]
  return (CodeStatistics(counts: counts, sums: sums), sums / smoothed.reshaped(to: [-1, 1]))
  // END SOLUTION
}

/// How many codes are in use, effectively: e to the entropy, in nats, of how often each occurs; 1 to `codes`, a scalar.
///
/// A code that never occurs adds nothing: p ln p goes to 0 with p.
func perplexity(of indices: IndexTensor, codes: Int) -> Tensor {
  // BEGIN SOLUTION VQVAE.4
  let shares = oneHot(indices.reshaped(to: [-1]), classes: codes).mean(axis: 0)  // [codes]
  return exp((shares * log(shares.clamped(to: 1e-12...1))).sum() * -1)
  // END SOLUTION
}

/// What is wrong with a codebook whose perplexity is below a quarter of its codes; nil for one in good health.
func collapse(of indices: IndexTensor, codes: Int) -> String? {
  let used = perplexity(of: indices, codes: codes).scalar
  guard used < Float(codes) / 4 else { return nil }
  let living = Set(indices.scalars).count
  return "the codebook has collapsed: \(living) of \(codes) codes are ever chosen, perplexity "
    + "\(String(format: "%.1f", used)); at most \(String(format: "%.1f", log(used) / log(2))) "
    + "of \(String(format: "%.0f", log2(Double(codes)))) bits pass at each position"
}

/// The codes, and how they learn.
protocol Codebook: Module {
  /// e, `[codes, width]`.
  var codes: Tensor { get }
  /// Learns from vectors, `[count, width]`, and the codes that they chose.
  func update(_ z: Tensor, _ indices: IndexTensor)
}

/// Codes that follow the gradient of the codebook term (section 3.2).
final class TrainedCodebook: Codebook {
  @Parameter var codes: Tensor
  init(codes: Tensor) { self.codes = codes }
  func update(_ z: Tensor, _ indices: IndexTensor) {}
}

/// Codes that are moving averages of the vectors which choose them; the codebook term is then a constant (appendix A.1).
final class AveragedCodebook: Codebook {
  @Untrained var codes: Tensor
  @Untrained var counts: Tensor
  @Untrained var sums: Tensor

  /// Codes that begin as if each had been chosen `count` times a batch.
  init(codes: Tensor, count: Float) {
    self.codes = codes
    counts = Tensor(repeating: count, shape: [codes.shape[0]])
    sums = codes * count
  }

  func update(_ z: Tensor, _ indices: IndexTensor) {
    let old = CodeStatistics(counts: counts, sums: sums)
    let new = movingAverage(old, z.detached(), indices, decay: 0.98, epsilon: 1e-5)
    (counts, sums, codes) = (new.statistics.counts, new.statistics.sums, new.codes)
  }

  /// Moves codes chosen less than a tenth as often as the average to vectors of `z`, `[count, width]`, drawn by chance.
  func restartDeadCodes(at z: Tensor, using random: inout Random) {
    let dead = (counts .< counts.mean().scalar * 0.1).reshaped(to: [-1, 1])  // [codes, 1]
    let chosen = IndexTensor.permutation(z.shape[0], using: &random).sliced(0..<codes.shape[0], axis: 0)
    let count = counts.mean()
    codes = select(dead, embedding(z, chosen), codes)
    counts = select(dead.reshaped(to: [-1]), count.broadcast(to: counts.shape), counts)
    sums = select(dead, codes * count, sums)
  }
}

/// Encoder, codebook, and a decoder of binary pixels: `[batch, pixels]` becomes `positions` codes and is made from them again.
final class VQVAE: Module {
  let encoder, decoder: Sequential
  let codebook: any Codebook
  let positions: Int
  let beta: Float = 0.25

  /// One hidden layer on each side; `codebook` is made when the encoder is there, whose output it may begin from.
  init(
    pixels: Int, hidden: Int, positions: Int, width: Int, using random: inout Random,
    codebook makeCodebook: (Sequential, inout Random) -> any Codebook
  ) {
    self.positions = positions
    encoder = Sequential {
      Linear(pixels, hidden, using: &random)
      relu
      Linear(hidden, positions * width, initialization: .glorotUniform, using: &random)
      Function { $0.reshaped(to: [-1, positions, width]) }
    }
    decoder = Sequential {
      Function { $0.reshaped(to: [-1, positions * width]) }
      Linear(positions * width, hidden, using: &random)
      relu
      Linear(hidden, pixels, initialization: .glorotUniform, using: &random)
    }
    codebook = makeCodebook(encoder, &random)
  }

  /// z_e(x) as a list of vectors, `[batch, pixels] → [batch · positions, width]`.
  func vectors(_ x: Tensor) -> Tensor { encoder(x).reshaped(to: [-1, codebook.codes.shape[1]]) }

  /// The codes that stand for images: `[batch, pixels] → [batch, positions]`.
  func codes(of x: Tensor) -> IndexTensor {
    withoutGradients { nearestCodes(to: vectors(x), among: codebook.codes).reshaped(to: [-1, positions]) }
  }

  /// p(x|z): `[batch, positions]` gives a law over `[batch, pixels]`.
  func decoded(_ codes: IndexTensor) -> Bernoulli { Bernoulli(logits: decoder(embedding(codebook.codes, codes))) }

  /// Equation 3 for each image, nats, `[batch]`, and a step of the codebook: the encoder sees `x`, the decoder's task is `target`.
  func loss(_ x: Tensor, target: Tensor) -> Tensor {
    let z = encoder(x)  // [batch, positions, width]
    let vectors = z.detached().reshaped(to: [-1, z.shape[2]])
    let indices = nearestCodes(to: vectors, among: codebook.codes)
    let e = embedding(codebook.codes, indices).reshaped(to: z.shape)
    codebook.update(vectors, indices)
    let (straightThrough, loss) = quantized(z, to: e, beta: beta)
    return loss - Bernoulli(logits: decoder(straightThrough)).logProbability(of: target)
  }
}
