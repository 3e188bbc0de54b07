import Tensors

/// Averages of parameters over the steps of training, a ← decay · a + (1 − decay) · w, which often serve better than
/// the last values.
///
/// Polyak & Juditsky (1992); for generators Yazıcı and others (2018), arXiv 1806.04498. `AveragedModel` with
/// `get_ema_multi_avg_fn` in PyTorch.
public struct ExponentialMovingAverage: Resumable {
  /// The part of the average that a step keeps; may be changed between steps.
  public var decay: Float
  /// The parameters that are averaged.
  public let parameters: [NamedParameter]
  /// The number of steps taken.
  public private(set) var step = 0
  private var averages: Moments

  /// Averages that begin at the parameters' present values.
  ///
  /// - Precondition: `decay` is 0…1.
  public init(_ parameters: [NamedParameter], decay: Float = 0.999) {
    guard decay >= 0, decay <= 1 else {
      fail("ExponentialMovingAverage", "needs a decay of 0 or more and at most 1, not \(decay)")
    }
    self.parameters = parameters
    self.decay = decay
    averages = Moments("average", of: parameters) { $0.detached() }
  }

  /// Takes one step towards the parameters' present values; call it after the optimiser's.
  public mutating func update() {
    step += 1
    for (index, named) in parameters.enumerated() {
      averageUpdate(&averages[index], named.parameter.wrappedValue, rate: 1 - decay)
    }
  }

  /// Runs `body` with the averages in the parameters' places, and puts the parameters back.
  ///
  /// What a model keeps untrained, such as the statistics of ``BatchNorm``, stays as it is.
  public func withAverages<Result>(_ body: () throws -> Result) rethrows -> Result {
    try withAverages(from: 0, body)
  }

  private func withAverages<Result>(from index: Int, _ body: () throws -> Result) rethrows -> Result {
    if index == parameters.count { return try body() }
    return try parameters[index].parameter.withValue(averages[index]) { try withAverages(from: index + 1, body) }
  }

  /// What must be kept to continue a run exactly: named tensors.
  public var state: [String: Tensor] { averages.state }

  /// Takes up a state that was kept.
  public mutating func restore(state: [String: Tensor], step: Int) {
    self.step = step
    averages.restore(state)
  }
}
