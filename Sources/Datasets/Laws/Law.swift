import Tensors

/// A law of data that is known exactly, so that a model of it can be measured against the truth.
public protocol Law<Samples>: Sendable {
  /// What a batch of samples is: a `Tensor`, or an `IndexTensor` for discrete values.
  associatedtype Samples: Sendable = Tensor

  /// Independent samples; axis 0 is the batch, the rest is the event.
  func samples(_ count: Int, using random: inout Random) -> Samples

  /// The exact log-probability, or log-density, of each event, `[count]`, in nats.
  func logProbability(of samples: Samples) -> Tensor

  /// The exact entropy of one event, in nats: the least mean negative log-probability any model can reach.
  var entropy: Double { get }
}
