import Tensors

/// A learned vector for each code or token: `[…] → […, width]`, `Embedding` in PyTorch.
public final class Embedding: Module {
  /// A row for each code, `[count, width]`.
  @Parameter public var table: Tensor

  /// A table of `count` vectors from `initialization`.
  public init(
    _ count: Int, _ width: Int, initialization: Initialization = .normal(standardDeviation: 1),
    using random: inout Random
  ) {
    guard count > 0, width > 0 else {
      fail("Embedding", "needs 1 code and a width of 1 or more, not \(count) and \(width)")
    }
    table = initialization.sample([count, width], fanIn: count, fanOut: width, using: &random)
  }

  /// The rows that `codes` name.
  ///
  /// - Precondition: each code is 0 or more and below the number of rows.
  public func callAsFunction(_ codes: IndexTensor) -> Tensor { embedding(table, codes) }
}
