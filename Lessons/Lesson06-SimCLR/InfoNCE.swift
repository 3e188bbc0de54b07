import LessonKit

// What a contrastive loss says about information: van den Oord (2018), arXiv 1807.03748; Poole (2019), arXiv 1905.06922.

/// The InfoNCE estimate of the information between x and y, in nats: ln N less the loss of finding each row's partner.
///
/// - Parameter scores: f(xᵢ, yₖ), `[N, N]`; the partners are on the diagonal.
func informationEstimate(_ scores: Tensor) -> Tensor {
  // BEGIN SOLUTION SimCLR.3
  let candidates = scores.shape[0]
  let own = IndexTensor((0..<candidates).map(Int32.init))
  return log(Float(candidates)) + categoricalLogLikelihood(scores, own).mean()
  // END SOLUTION
}

/// ln p(y|x) / p(y), the best critic there is, for all pairs of rows: `[N, d], [N, d] → [N, N]`.
func exactCritic(_ law: CorrelatedGaussians, _ x: Tensor, _ y: Tensor) -> Tensor {
  let rho = Float(law.correlation)
  let products = matmul(x, y, transposingSecond: true)  // [N, N]
  let lengths = square(x).sum(axis: 1, keepingAxes: true) + square(y).sum(axis: 1)  // [N, N]
  return Float(law.mutualInformation) + (products * rho - lengths * (rho * rho / 2)) / (1 - rho * rho)
}

/// f(x, y) = u(x)·v(y): a network for each side and an inner product, as in SimCLR.
final class SeparableCritic: Module {
  let u, v: Sequential

  init(_ dimension: Int, width: Int, outputs: Int, using random: inout Random) {
    func network(_ random: inout Random) -> Sequential {
      Sequential {
        Linear(dimension, width, using: &random)
        relu
        Linear(width, width, using: &random)
        relu
        Linear(width, outputs, initialization: .glorotUniform, using: &random)
      }
    }
    (u, v) = (network(&random), network(&random))
  }

  func callAsFunction(_ x: Tensor, _ y: Tensor) -> Tensor { matmul(u(x), v(y), transposingSecond: true) }
}
