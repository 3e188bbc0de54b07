import Foundation
import GradientChecking
import Tensors
import Testing

@testable import Distributions

/// Every law passes the same tests.
///
/// A comparison with samples allows 5 standard errors: each would raise a false alarm with a probability of 6e-7, had the
/// seed not been fixed.
@Suite struct BatteryTests {
  static let subjects = continuousSubjects + discreteSubjects

  /// The moments of a law by summation over its grid.
  struct Moments {
    let mass, entropy: Double
    let mean, variance: [Double]

    init(_ subject: Subject) {
      let logs = subject.law(subject.parameters).logProbability(subject.grid.events)
      let masses = exp(logs) * subject.grid.weights  // [count]
      let x = subject.grid.events.coordinates(subject.bins)  // [count, components]
      let column = masses.insertingAxis(1)
      mass = Double(masses.sum().scalar)
      // Where the density is zero, 0·ln 0 means 0.
      entropy = -Double((masses * logs.replacingMinusInfinity).sum().scalar)
      let mean = (x * column).sum(axis: 0)
      self.mean = mean.scalars.map(Double.init)
      variance = (square(x - mean) * column).sum(axis: 0).scalars.map(Double.init)
    }
  }

  @Test(arguments: subjects)
  func `probabilities sum to one, and give the mean, variance and entropy`(_ subject: Subject) {
    let moments = Moments(subject)
    let law = subject.law(subject.parameters)
    #expect(abs(moments.mass - 1) < subject.tolerance)
    if let entropy = law.entropy?() {
      #expect(entropy.shape == [1])
      #expect(abs(Double(entropy.scalar) - moments.entropy) < subject.tolerance * max(1, abs(moments.entropy)))
    }
    for (closed, summed) in [(law.mean, moments.mean), (law.variance, moments.variance)] {
      guard let closed = closed?() else { continue }
      #expect(closed.shape == law.shape)
      for (one, other) in zip(closed.scalars, summed) {
        #expect(abs(Double(one) - other) < subject.tolerance * max(1, abs(other)), "\(closed) \(summed)")
      }
    }
  }

  @Test(arguments: subjects)
  func `samples have the mean, the variance and the entropy that the probabilities say`(_ subject: Subject) {
    let count = 40_000
    let law = subject.law(subject.parameters.map { $0.repeated(count, axis: 0) })
    var random = Random(seed: 7)
    let events = law.sample(&random)
    let moments = Moments(subject)
    let x = events.coordinates(subject.bins)
    #expect(x.count == count * moments.mean.count)
    for (component, (mean, variance)) in zip(moments.mean, moments.variance).enumerated() {
      let column = x.sliced(component..<component + 1, axis: 1)
      #expect(Estimate(column.scalars).agrees(with: mean), "\(Estimate(column.scalars)) \(mean)")
      let squares = Estimate(square(column - Float(mean)).scalars)
      #expect(squares.agrees(with: variance), "\(squares) \(variance)")
    }
    let surprise = Estimate((-law.logProbability(events)).scalars)
    #expect(surprise.agrees(with: moments.entropy), "\(surprise) \(moments.entropy)")
  }

  @Test(arguments: subjects)
  func `gradients of log-probabilities agree with differences to the second order`(_ subject: Subject) {
    var random = Random(seed: 8)
    let events = subject.points ?? subject.law(subject.parameters.map { $0.repeated(3, axis: 0) }).sample(&random)
    let make = subject.law
    let byParameters = gradientCheck(of: { make($0).logProbability(events) }, at: subject.parameters)
    #expect(byParameters.passes, "\(byParameters)")
    guard case .real(let x) = events, subject.grid.weights.scalars[0] != 1 else { return }
    let parameters = subject.parameters
    let byValues = gradientCheck(of: { make(parameters).logProbability(.real($0[0])) }, at: [x])
    #expect(byValues.passes, "\(byValues)")
  }

  @Test(arguments: continuousSubjects.filter(\.isReparameterised))
  func `gradients pass through samples, to the second order`(_ subject: Subject) {
    let make = subject.law
    let report = gradientCheck(
      of: { parameters in
        var random = Random(seed: 9)
        guard case .real(let x) = make(parameters).sample(&random) else { return .zeros([]) }
        return square(x)  // not linear, so that second derivatives are not all zero
      }, at: subject.parameters.map { $0.repeated(2, axis: 0) })
    #expect(report.passes, "\(report)")
  }

  @Test(arguments: (continuousSubjects + discreteSubjects).filter { !$0.isReparameterised })
  func `no gradient flows through the other samples`(_ subject: Subject) {
    let slope = gradient(at: subject.parameters[0]) { logits in
      var random = Random(seed: 9)
      let sample = subject.law([logits] + subject.parameters.dropFirst()).sample(&random)
      return sample.coordinates(subject.bins).sum() + logits.sum() * 0
    }
    #expect(slope.scalars.allSatisfy { $0 == 0 })
  }

  @Test(arguments: subjects)
  func `gradients of the mean, variance and entropy agree with differences`(_ subject: Subject) {
    let make = subject.law
    let law = make(subject.parameters)
    for quantity in [\Probe.mean, \.variance, \.entropy] where law[keyPath: quantity] != nil {
      let report = gradientCheck(of: { make($0)[keyPath: quantity]!() }, at: subject.parameters)
      #expect(report.passes, "\(quantity): \(report)")
    }
  }
}
