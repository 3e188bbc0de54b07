import GradientChecking
import Tensors
import Testing

/// Expects a function's gradients by kernels to be those by its definition in plain operations, and both orders to be right.
package func expectGradients(
  at inputs: [Tensor], sourceLocation: SourceLocation = #_sourceLocation,
  of function: @escaping ([Tensor]) -> Tensor
) {
  let variables = inputs.map { $0.asVariable() }
  let y = function(variables)
  let loss = (y * uniform(y.shape, in: 0.5..<1.5, seed: 900)).sum()
  let byKernel = withoutGradients { gradients(of: loss, withRespectTo: variables) }
  let byDefinition = gradients(of: loss, withRespectTo: variables)
  for (found, wanted) in zip(byKernel, byDefinition) {
    expectClose(found, wanted, sourceLocation: sourceLocation)
  }
  let report = gradientCheck(of: function, at: inputs)
  #expect(report.passes, "\(report)", sourceLocation: sourceLocation)
}

/// Expects the gradients of a function's squares to have the same bits on one thread and on four.
package func expectSameOnThreads(
  at inputs: [Tensor], sourceLocation: SourceLocation = #_sourceLocation, of function: ([Tensor]) -> Tensor
) {
  let results = [1, 4].map { threads in
    Threads.with(threads) {
      let variables = inputs.map { $0.asVariable() }
      let loss = square(function(variables)).sum()
      return withoutGradients { gradients(of: loss, withRespectTo: variables) }
    }
  }
  for (one, four) in zip(results[0], results[1]) { #expect(bits(one) == bits(four), sourceLocation: sourceLocation) }
}

/// Expects two tensors to agree to a fraction of the largest value.
package func expectClose(
  _ found: Tensor, _ wanted: Tensor, tolerance: Float = 1e-5, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.shape == wanted.shape, sourceLocation: sourceLocation)
  let largest = wanted.scalars.reduce(0) { max($0, $1.magnitude) }
  for (index, (a, b)) in zip(found.scalars, wanted.scalars).enumerated()
  where !((a - b).magnitude <= tolerance * max(largest, 1e-3)) {
    Issue.record("value \(index) is \(a), expected \(b) (largest \(largest))", sourceLocation: sourceLocation)
    return
  }
}
