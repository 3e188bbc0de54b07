import Tensors

/// Groups of channels of each example brought to mean 0 and variance 1, then scaled and shifted (Wu & He 2018, arXiv
/// 1803.08494): `[batch, …, channels]`, `GroupNorm` in PyTorch.
public final class GroupNorm: Layer {
  /// γ, `[channels]`.
  @Parameter public var scale: Tensor
  /// β, `[channels]`.
  @Parameter public var offset: Tensor
  /// The number of groups.
  public let groups: Int
  /// ε, added to the variance.
  public let epsilon: Float

  /// A layer with γ = 1 and β = 0, whose `channels` form `groups` of neighbours.
  public init(groups: Int, _ channels: Int, epsilon: Float = 1e-5) {
    guard groups > 0, channels > 0, channels % groups == 0 else {
      fail("GroupNorm", "cannot cut \(channels) channels into \(groups) equal groups")
    }
    (self.groups, self.epsilon) = (groups, epsilon)
    scale = .ones([channels])
    offset = .zeros([channels])
  }

  /// The normalised values.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    checkChannels(x, scale.count, rank: 2, of: "GroupNorm")
    let cut = [x.shape[0], x.shape[1..<x.rank - 1].reduce(1, *), groups, scale.count / groups]
    let normal = standardized(x.reshaped(to: cut), over: [1, 3], epsilon: epsilon).reshaped(to: x.shape)
    return normal * scale + offset
  }
}
