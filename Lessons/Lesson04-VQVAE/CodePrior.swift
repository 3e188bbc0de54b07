import LessonKit

/// p(z|class) = Π p(zᵢ | z₁ … zᵢ₋₁, class), each factor a softmax over the codes: a masked network (Lesson02-MADE).
///
/// It reads the vectors of the codes before, so that what it learns of one code holds for those that lie close to it.
final class CodePrior: Module {
  let positions: Int
  let input, output: MaskedLinear
  let label: Embedding
  let dropout: Dropout
  @Untrained var vectors: Tensor  // the codebook, at scale 1, [codes, width]

  init(
    codebook: Tensor, positions: Int, classes: Int, hidden: Int, dropout rate: Float, using random: inout Random
  ) {
    let (codes, width) = (codebook.shape[0], codebook.shape[1])
    self.positions = positions
    vectors = codebook / sqrt(codebook.variance())
    // Hidden unit h sees the positions before its degree; position i is told by units of degrees up to i.
    let degrees = Tensor((0..<hidden).map { Float($0 % positions) })
    let places = Tensor((0..<positions).map(Float.init))
    let from = places.repeated(width, axis: 0).reshaped(to: [-1, 1])
    input = MaskedLinear(mask: from .< degrees, using: &random)  // [positions · width, hidden]
    output = MaskedLinear(
      mask: degrees.reshaped(to: [-1, 1]) .<= places.repeated(codes, axis: 0), initialization: .glorotUniform,
      using: &random)  // [hidden, positions · codes]
    label = Embedding(classes, hidden, initialization: .normal(standardDeviation: 0.3), using: &random)
    dropout = Dropout(rate, using: &random)
  }

  /// Scores of the codes at each position, given those before it: `[batch, positions], [batch] → [batch, positions, codes]`.
  func callAsFunction(_ z: IndexTensor, _ labels: IndexTensor) -> Tensor {
    let seen = embedding(vectors, z).reshaped(to: [z.shape[0], -1])  // [batch, positions · width]
    let h = dropout(relu(input(seen) + label(labels)))
    return output(h).reshaped(to: [z.shape[0], positions, -1])
  }

  /// ln p(z|class), nats: `[batch, positions], [batch] → [batch]`.
  func logProbability(of z: IndexTensor, _ labels: IndexTensor) -> Tensor {
    categoricalLogLikelihood(self(z, labels), z).sum(axis: 1)
  }

  /// ln p(z) = ln Σ p(z|class) / classes, nats, without dropout or gradients: `[batch, positions] → [batch]`.
  func logProbability(of z: IndexTensor) -> Tensor {
    let classes = label.table.shape[0]
    return withoutGradients {
      inference {
        let parts = (0..<z.shape[0]).batches(ofSize: 1000).map { batch in
          let z = z.examples(at: batch)
          let perClass = (0..<classes).map { logProbability(of: z, sameLabel($0, batch.count)) }
          return stack(perClass, axis: 1).logSumExp(axis: 1)
        }
        return concatenate(parts, axis: 0) - log(Float(classes))
      }
    }
  }

  /// A draw of the codes for each label, position after position: `[batch] → [batch, positions]`.
  func sample(_ labels: IndexTensor, using random: inout Random) -> IndexTensor {
    var z = Tensor.zeros([labels.count, positions])
    for place in 0..<positions {
      let scores = withoutGradients { inference { self(IndexTensor(z), labels) } }
      let code = IndexTensor.categorical(logits: scores.sliced(place..<place + 1, axis: 1), using: &random)
      z = z.replacing(place..<place + 1, axis: 1, with: Tensor(code))
    }
    return IndexTensor(z)
  }
}

extension VQVAE {
  /// ln p(x|z) + ln p(z), nats, of all pairs of an image and codes: `[batch, pixels], [count, positions] → [batch, count]`.
  ///
  /// The `logSumExp` over any codes that differ is a lower bound on ln p(x), and over all that there are it is ln p(x).
  func logJoint(_ x: Tensor, with codes: IndexTensor, _ prior: CodePrior) -> Tensor {
    withoutGradients {
      let logits = decoded(codes).logits  // [count, pixels]
      // ln p(x|z) = x·l − Σ ln(1 + eˡ), for all pairs by one product.
      let conditional = matmul(x, logits, transposingSecond: true) - softplus(logits).sum(axis: 1)
      return conditional + prior.logProbability(of: codes)
    }
  }
}

/// The same label, `count` times.
func sameLabel(_ label: Int, _ count: Int) -> IndexTensor {
  IndexTensor([Int32](repeating: Int32(label), count: count))
}

/// The different rows of several tables of codes, `[count, positions]` each, in the order in which they first occur.
func distinct(_ tables: [IndexTensor]) -> IndexTensor {
  var seen: Set<[Int32]> = []
  let positions = tables[0].shape[1]
  let rows = tables.flatMap { table in
    (0..<table.shape[0]).map { Array(table.scalars[$0 * positions..<($0 + 1) * positions]) }
  }.filter { seen.insert($0).inserted }
  return IndexTensor(rows.flatMap { $0 }, shape: [rows.count, positions])
}
