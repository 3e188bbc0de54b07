import Tensors

/// What ``gradientCheck(of:at:order:step:tolerance:)`` found.
public struct GradientReport: Sendable, CustomStringConvertible {
  /// One derivative, as computed by differentiation and as estimated from function values.
  public struct Element: Sendable {
    /// 1 for the gradient, 2 for the gradient of the gradient's projection.
    public let order: Int
    /// The position of the input among the inputs.
    public let input: Int
    /// The element's position along each axis of that input.
    public let index: [Int]
    /// The derivative by the operations' rules.
    public let gradient: Double
    /// The derivative by central differences.
    public let difference: Double
    /// The distance between the two that is still accepted.
    public let tolerance: Double

    /// The distance as a multiple of the tolerance; infinite when a derivative is not a number.
    public var excess: Double {
      let ratio = (gradient - difference).magnitude / tolerance
      return ratio.isNaN ? (gradient == difference ? 0 : .infinity) : ratio
    }
  }

  /// The derivative farthest beyond (or nearest to) its tolerance; nil when the inputs hold no values.
  public let worst: Element?

  /// Whether every derivative is within its tolerance.
  public var passes: Bool { worst.map { $0.excess <= 1 } ?? true }

  /// One line with the worst element, both of its values and the tolerance.
  public var description: String {
    guard let worst else { return "gradients agree: there are no elements" }
    return (passes ? "gradients agree" : "gradients differ") + ": worst in order \(worst.order) is element "
      + "\(worst.index) of input \(worst.input), where differentiation gives \(worst.gradient) and central differences "
      + "give \(worst.difference) (tolerance \(worst.tolerance))"
  }
}

/// Compares the derivatives of a function of tensors with central differences.
///
/// The function's values are reduced to a scalar by a fixed random projection w, so that a mistake in any of them shows.
/// Order 2 projects the gradient on a fixed random direction v and compares the derivative of that, Hessian times v.
/// Each difference is extrapolated from two steps, (4·D(h) − D(2h))/3, which leaves an error of order h⁴, with sums in double
/// precision. Where the function has a kink within two steps of the inputs, differences mean nothing: choose other inputs.
///
/// A derivative d of an input whose derivatives have the root mean square r is accepted within `tolerance`·max(|d|, r)
/// plus the rounding error of the differences: 2⁻²²·s/h where Float32 terms with a root sum of squares s change. Over
/// the operations of this library the disagreement stays below three quarters of that with the default `tolerance`.
///
/// - Parameters:
///   - function: maps the inputs to one tensor of any shape; it must be deterministic and not have side effects.
///   - inputs: where to compare, of any shapes; each element costs four calls for each order.
///   - order: 1 for gradients only, 2 for gradients of gradients too.
///   - step: h, relative to the magnitude of each element where that is above 1.
///   - tolerance: the relative disagreement that is accepted.
/// - Precondition: `order` is 1 or 2, and `step` and `tolerance` are positive.
public func gradientCheck(
  of function: @escaping ([Tensor]) -> Tensor, at inputs: [Tensor], order: Int = 2, step: Float = 0x1p-6,
  tolerance: Float = 1e-3
) -> GradientReport {
  guard order == 1 || order == 2, step > 0, tolerance > 0 else {
    fail("gradientCheck", "needs order 1 or 2, a positive step and tolerance, not \(order), \(step) and \(tolerance)")
  }
  var random = Random(seed: 1)
  let weights = randomWeights(withoutGradients { function(inputs) }.shape, using: &random)
  let directions = inputs.map { randomWeights($0.shape, using: &random) }
  let projection = Projection(function: function, weights: weights, directions: directions)
  var worst: GradientReport.Element?
  for order in 1...order {
    let expected = projection.derivatives(order, at: inputs)
    let terms: ([Tensor]) -> [Float] = { order == 1 ? projection.valueTerms(at: $0) : projection.slopeTerms(at: $0) }
    for (position, input) in inputs.enumerated() {
      let differences = centralDifferences(of: terms, at: inputs, input: position, step: step)
      let size = (differences.reduce(0) { $0 + $1.value * $1.value } / Double(max(1, input.count))).squareRoot()
      for (element, (gradient, difference)) in zip(expected[position].scalars, differences).enumerated() {
        let candidate = GradientReport.Element(
          order: order, input: position, index: multiIndex(element, in: input.shape), gradient: Double(gradient),
          difference: difference.value,
          tolerance: Double(tolerance) * max(difference.value.magnitude, size) + difference.rounding)
        if candidate.excess >= worst?.excess ?? 0 { worst = candidate }
      }
    }
  }
  return GradientReport(worst: worst)
}

/// A function reduced to a scalar, and its slope along one direction reduced to a scalar.
private struct Projection {
  let function: ([Tensor]) -> Tensor
  let weights: Tensor
  let directions: [Tensor]

  /// The terms whose sum is the scalar w·f.
  func valueTerms(at inputs: [Tensor]) -> [Float] { withoutGradients { function(inputs) * weights }.scalars }

  /// The terms whose sum is the slope v·∇(w·f).
  func slopeTerms(at inputs: [Tensor]) -> [Float] {
    zip(derivatives(1, at: inputs), directions).flatMap { ($0 * $1).scalars }
  }

  /// The derivatives of the scalar (order 1) or of the slope (order 2) with respect to each input.
  func derivatives(_ order: Int, at inputs: [Tensor]) -> [Tensor] {
    Recording.$isOn.withValue(true) { recordedDerivatives(order, at: inputs) }
  }

  private func recordedDerivatives(_ order: Int, at inputs: [Tensor]) -> [Tensor] {
    let variables = inputs.map { $0.asVariable() }
    let gradients = derivatives(of: (function(variables) * weights).sum(), variables)
    guard order == 2 else { return gradients.map { $0.detached() } }
    let slope = zip(gradients, directions).reduce(Tensor(0)) { sum, pair in sum + (pair.0 * pair.1).sum() }
    return derivatives(of: slope, variables).map { $0.detached() }
  }

  private func derivatives(of y: Tensor, _ variables: [Tensor]) -> [Tensor] {
    let found = backward(from: y, to: variables, keepsGraph: true, operation: "gradientCheck")
    return zip(found, variables).map { $0 ?? .zeros($1.shape) }
  }
}

/// The derivative of a sum of terms with respect to each element of one input, and the rounding error it may have.
private func centralDifferences(
  of terms: ([Tensor]) -> [Float], at inputs: [Tensor], input: Int, step: Float
) -> [(value: Double, rounding: Double)] {
  let scalars = inputs[input].scalars
  func termsMoving(_ element: Int, to value: Float) -> [Float] {
    var moved = inputs
    var changed = scalars
    changed[element] = value
    moved[input] = Tensor(changed, shape: inputs[input].shape)
    return terms(moved)
  }
  return scalars.enumerated().map { element, x in
    let h = step * max(1, x.magnitude)
    var squares = 0.0
    let quotients = [1, 2].map { (distance: Float) in
      let (low, high) = (x - distance * h, x + distance * h)
      var change = 0.0
      for (a, b) in zip(termsMoving(element, to: low), termsMoving(element, to: high)) where a != b {
        change += Double(b) - Double(a)
        squares += Double(a) * Double(a)
      }
      // The distance between the two points as rounded, not as meant.
      return change / (Double(high) - Double(low))
    }
    return ((4 * quotients[0] - quotients[1]) / 3, 0x1p-22 * squares.squareRoot() / Double(h))
  }
}

/// Values between ½ and 1½ of either sign: none so small that a mistake under it could hide.
private func randomWeights(_ shape: [Int], using random: inout Random) -> Tensor {
  let magnitudes = Tensor.uniform(shape, in: 0.5..<1.5, using: &random)
  return magnitudes * sign(Tensor.uniform(shape, in: -1..<1, using: &random))
}
