import LessonKit

/// What computes s and t: dense layers, which know where in the image they are, or the paper's convolutional ones.
enum NetworkKind {
  case dense([Int])
  case convolutional(channels: Int, layers: Int)

  /// A network from examples of `shape` to twice as many values along the last axis, which begin as zeros.
  func network(_ shape: [Int], dropout: Float = 0, using random: inout Random) -> Sequential {
    let (count, last) = (shape.reduce(1, *), shape[shape.count - 1])
    switch self {
    case .dense(let hidden):
      return Sequential {
        Function { $0.reshaped(to: [$0.shape[0], count]) }
        for (from, to) in zip([count] + hidden, hidden) {
          Linear(from, to, using: &random)
          silu
          if dropout > 0 { Dropout(dropout, using: &random) }
        }
        Linear(hidden.last ?? count, 2 * count, initialization: .zeros, using: &random)
        Function { $0.reshaped(to: [$0.shape[0]] + shape.dropLast() + [2 * last]) }
      }
    case .convolutional(let channels, let layers):
      return Sequential {
        Conv2D(last, channels, size: 3, padding: .same, using: &random)
        silu
        for _ in 1..<layers {
          Residual {
            Conv2D(channels, channels, size: 3, padding: .same, using: &random)
            silu
          }
        }
        Conv2D(channels, 2 * last, size: 3, padding: .same, initialization: .zeros, using: &random)
      }
    }
  }
}

/// Couplings of vectors, each followed by batch normalisation; even and odd places take turns to stay unless told not to.
func planarLayers(
  dimension: Int, couplings: Int, hidden: [Int], alternates: Bool = true, using random: inout Random
) -> Chain {
  Chain(
    (0..<couplings).flatMap { place -> [any FlowLayer] in
      let keepsEven = place.isMultiple(of: 2) || !alternates
      let mask = Tensor((0..<dimension).map { $0.isMultiple(of: 2) == keepsEven ? 1 : 0 })
      let network = NetworkKind.dense(hidden).network([dimension], using: &random)
      return [AffineCoupling(mask: mask, network: network), FlowBatchNorm(dimension, momentum: 0.003)]
    })
}

/// The paper's architecture with two scales on square images whose sides are multiples of 4 or, for one channel, of 2.
///
/// Couplings with checkerboards, a squeeze, couplings that keep half of the channels; half of the channels are set
/// aside; then couplings with checkerboards on the rest. `counts` says how many couplings of each kind.
func imageFlow(
  side: Int, channels: Int, counts: (Int, Int, Int), network: NetworkKind, isAffine: Bool, dropout: Float = 0,
  using random: inout Random
) -> RealNVP {
  func couplings(_ mask: Tensor, _ count: Int, _ shape: [Int]) -> [any FlowLayer] {
    (0..<count).flatMap { place -> [any FlowLayer] in
      let network = network.network(shape, dropout: dropout, using: &random)
      return [
        AffineCoupling(mask: place.isMultiple(of: 2) ? mask : 1 - mask, isAffine: isAffine, network: network),
        FlowBatchNorm(shape[2]),
      ]
    }
  }
  let (half, deep) = (side / 2, 4 * channels)
  let firstChannels = Tensor((0..<deep).map { $0 < deep / 2 ? 1 : 0 })
  let first =
    [Logit(), FlowBatchNorm(channels)] as [any FlowLayer]
    + couplings(checkerboard(height: side, width: side), counts.0, [side, side, channels]) + [Squeeze()]
    + couplings(firstChannels.broadcast(to: [half, half, deep]), counts.1, [half, half, deep])
  let second = couplings(checkerboard(height: half, width: half), counts.2, [half, half, deep / 2])
  return RealNVP(scales: [Chain(first), Chain(second)], shapes: [[half, half, deep], [half, half, deep / 2]])
}
