import Foundation

extension Tensor {
  /// This value as the result of an operation whose kernel `backward` makes the gradients of all inputs at once.
  ///
  /// A kernel cannot be differentiated: where the backward pass is itself recorded, gradients come from `composed`, the
  /// same function of the inputs in plain tensor operations.
  package func recorded(
    fusing inputs: [Tensor], composed: @escaping @Sendable ([Tensor]) -> Tensor,
    backward kernel: @escaping @Sendable (_ upstream: Tensor, _ inputs: [Tensor], _ output: Tensor) -> [Tensor]
  ) -> Tensor {
    guard Recording.isOn, inputs.contains(where: { $0.node != nil }) else { return self }
    let shared = SharedGradients()
    return recorded(
      from: inputs,
      inputs.indices.map { index in
        { upstream, inputs, output in
          guard Recording.isOn else {
            return shared.gradient(index, for: upstream) { kernel(upstream, Array(inputs), output) }
          }
          var variables = Array(inputs)
          variables[index] = inputs[index].recorded(from: [inputs[index]], [{ upstream, _, _ in upstream }])
          let projection = (composed(variables) * upstream).sum()
          let found = backward(from: projection, to: [variables[index]], keepsGraph: true, operation: "gradient")
          return found[0] ?? .zeros(inputs[index].shape)
        }
      })
  }
}

/// The gradients that one backward kernel made, until the rule of each input has fetched its own.
private final class SharedGradients: @unchecked Sendable {
  private let lock = NSLock()
  private var upstream: Storage?
  private var gradients: [Tensor?] = []

  func gradient(_ index: Int, for upstream: Tensor, _ compute: () -> [Tensor]) -> Tensor {
    lock.withLock {
      if self.upstream === upstream.storage, let gradient = gradients[index] {
        gradients[index] = nil
        return gradient
      }
      let all = compute()
      self.upstream = upstream.storage
      gradients = all
      gradients[index] = nil
      return all[index]
    }
  }
}
