import LessonKit
import Testing

@testable import Lesson01_Autodiff

@MainActor
@Suite("Lesson01-Autodiff: identity")
struct AutodiffIdentityTests {
  /// Every operation of the engine, in one expression that uses values several times.
  private func everything(_ a: Value, _ b: Value) -> Value {
    let p = a * b
    let q = tanh(p + a) / (b * b + Value(1))
    return exp(q - p) * log(p * p + Value(2)) + power(a * a + Value(1), 1.5) - 0.5 * q
  }

  /// The same in the tensors' operations.
  private func everything(_ a: Tensor, _ b: Tensor) -> Tensor {
    let p = a * b
    let q = tanh(p + a) / (square(b) + 1)
    return exp(q - p) * log(square(p) + 2) + power(square(a) + 1, 1.5) - 0.5 * q
  }

  @Test(
    "Gradients of every operation equal those of Tensors and central differences to 1e-4 relative",
    .solved("Autodiff.1", "Autodiff.2"), arguments: [(0.7, -1.3), (-0.4, 0.2), (1.9, 0.6), (-1.1, -1.2)])
  func threeWitnesses(a: Double, b: Double) {
    func f(_ a: Double, _ b: Double) -> Double { everything(Value(a), Value(b)).number }
    let x = [Value(a), Value(b)]
    let ours = gradients(of: everything(x[0], x[1]), withRespectTo: x).map(\.number)
    let at = (Tensor(Float(a)), Tensor(Float(b)))
    let tensors = [gradient(at: at.0) { everything($0, at.1) }, gradient(at: at.1) { everything(at.0, $0) }]
    let h = 1e-5
    let differences = [(f(a + h, b) - f(a - h, b)) / (2 * h), (f(a, b + h) - f(a, b - h)) / (2 * h)]
    for index in 0..<2 {
      #expect(abs(ours[index] - Double(tensors[index].scalar)) < 1e-4 * abs(ours[index]))
      #expect(abs(ours[index] - differences[index]) < 1e-7 * (1 + abs(ours[index])))
    }
  }

  @Test("The rules of a product and of tanh, by hand", .solved("Autodiff.1"))
  func rulesByHand() {
    #expect(productRule(Value(2), Value(3), Value(-5)).map(\.number) == [-10, 6])
    #expect(tanhRule(Value(2), output: Value(0.5)).number == 1.5)
  }

  @Test("The order holds each value once and after its inputs", .solved("Autodiff.2"))
  func orderOfDiamonds() {
    var values = [Value(0.5)]
    // Each value is used three times by the next: paths grow as 3ⁿ, values as n.
    for _ in 0..<30 { values.append(sum([values.last!, values.last! * values.last!])) }
    let order = topologicalOrder(of: values.last!)
    #expect(order.count == 61 && order.last === values.last)
    let places = Dictionary(uniqueKeysWithValues: order.enumerated().map { (ObjectIdentifier($1), $0) })
    #expect(
      order.allSatisfy { one in one.inputs.allSatisfy { places[ObjectIdentifier($0)]! < places[ObjectIdentifier(one)]! }
      })
  }

  @Test(
    "A diamond does not count twice, and a value of no influence has gradient 0", .solved("Autodiff.1", "Autodiff.2"))
  func diamonds() {
    let (x, other) = (Value(3), Value(7))
    let p = x * x
    let y = p * p + p
    #expect(gradients(of: y, withRespectTo: [x, p, other]).map(\.number) == [4 * 27 + 6, 19, 0])
    // d/dx of x ← x + x², thirty times: the product of 1 + 2x over the way.
    let start = Value(0.01)
    var (value, expected) = (start, 1.0)
    for _ in 0..<30 {
      expected *= 1 + 2 * value.number
      value = sum([value, value * value])
    }
    #expect(abs(gradients(of: value, withRespectTo: [start])[0].number / expected - 1) < 1e-12)
  }

  @Test("The gradient of a broadcast is Tensors' for every way two shapes can meet", .solved("Autodiff.3"))
  func broadcasts() {
    var random = Random(seed: 1)
    for full in [[4], [3, 4], [2, 3, 4]] {
      for dropped in 0...full.count {
        for mask in 0..<(1 << (full.count - dropped)) {
          let shape = full.dropFirst(dropped).enumerated().map { mask >> $0 & 1 == 1 ? 1 : $1 }
          let upstream = Tensor.normal(full, using: &random)
          let expected = gradient(at: .zeros(shape)) { ($0.broadcast(to: full) * upstream).sum() }
          let found = broadcastGradient(upstream, shape: shape)
          #expect(found.shape == shape && zip(found.scalars, expected.scalars).allSatisfy { abs($0 - $1) < 1e-5 })
        }
      }
    }
  }

  @Test(
    "Second derivatives are the closed forms, a mixed one too", .solved("Autodiff.1", "Autodiff.2", "Autodiff.4"))
  func secondDerivatives() {
    for x in [-2.0, -0.3, 0.4, 1.7] {
      let t = tanh(x)
      #expect(abs(secondDerivative(of: { tanh($0) }, at: x) + 2 * t * (1 - t * t)) < 1e-12)
      #expect(abs(secondDerivative(of: { $0 * $0 * $0 }, at: x) - 6 * x) < 1e-12)
      #expect(abs(secondDerivative(of: { exp(2 * $0) }, at: x) - 4 * exp(2 * x)) < 1e-9)
    }
    // ∂²/∂a∂b of a² tanh b.
    let (a, b) = (Value(1.5), Value(0.4))
    let slope = gradients(of: a * a * tanh(b), withRespectTo: [a])[0]
    #expect(abs(gradients(of: slope, withRespectTo: [b])[0].number - 3 * (1 - tanh(0.4) * tanh(0.4))) < 1e-12)
  }

  @Test(
    "The network is the same function of values and of tensors, and so are all its gradients",
    .solved("Autodiff.1", "Autodiff.2"))
  func networkTwice() {
    var random = Random(seed: 2)
    let model = Classifier(units: 5, using: &random)
    model.w = .uniform([21], in: -1..<1, using: &random)
    let (x, indices) = TwoMoons().labelledSamples(12, using: &random)
    let (points, labels, w) = (rows(x), Tensor(indices), model.values)
    #expect(zip(points, model(x).scalars).allSatisfy { abs(model($0, w).number - Double($1)) < 1e-5 })
    let value = loss(model, points, labels.scalars.map(Double.init), w)
    #expect(abs(value.number - Double(loss(model, x, labels).scalar)) < 1e-5)
    let ours = gradients(of: value, withRespectTo: w).map(\.number)
    let theirs = Tensors.gradients(of: loss(model, x, labels), withRespectTo: [model.w])[0].scalars
    let size = ours.map(abs).max()!
    #expect(zip(ours, theirs).allSatisfy { abs($0 - Double($1)) < 1e-4 * size })
  }

  @Test("Bayes' rule on the two moons adds up to the library's density of both")
  func bayesRule() {
    var random = Random(seed: 3)
    let x = TwoMoons().samples(200, using: &random)
    let odds = TwoMoons.logOdds(of: x)
    // Both classes are as likely, and right answers are given with their own probability: E[p(1|x)] = ½ within 5 standard errors.
    #expect(abs(sigmoid(odds).mean().scalar - 0.5) < 5 * 0.5 / Float(200).squareRoot())
    // By hand at (0, 1) on the upper arc and (1, −½) on the lower, which are mirror images.
    let odd = TwoMoons.logOdds(of: Tensor([[0, 1], [1, -0.5]])).scalars
    #expect(odd[0] < -8 && abs(odd[0] + odd[1]) < 1e-3)
  }
}

@MainActor
@Suite("Lesson01-Autodiff: learning")
struct AutodiffLearningTests {
  @Test(
    "A network trained by our own gradients puts 99 % of new points on the right moon, where a line gets 88 %, and never beats Bayes",
    .solved("Autodiff.1", "Autodiff.2"))
  func twoMoons() {
    var random = Random(seed: 4)
    let (trainX, trainIndices) = TwoMoons().labelledSamples(400, using: &random)
    let (x, testIndices) = TwoMoons().labelledSamples(2000, using: &random)
    let (points, answers, labels) = (rows(trainX), trainIndices.scalars.map(Double.init), Tensor(testIndices))
    let model = Classifier(units: 8, using: &random)
    var optimizer = Adam(model.parameters)
    for epoch in 0..<14 {
      optimizer.learningRate = 0.15 * (1 - Float(epoch) / 14)
      for batch in (0..<400).batches(ofSize: 10, shuffledUsing: &random) {
        let w = model.values
        let slopes = gradients(
          of: loss(model, batch.map { points[$0] }, batch.map { answers[$0] }, w), withRespectTo: w)
        optimizer.update(with: [Tensor(slopes.map { Float($0.number) })])
      }
    }
    let logits = model(x).detached()
    #expect(abs((logits .> 0) - labels).mean().scalar < 0.01)
    let excess = Estimate(softplus(logits * (1 - 2 * labels)) - softplus(TwoMoons.logOdds(of: x) * (1 - 2 * labels)))
    #expect(excess.mean < 0.05 && excess.mean > -3 * excess.standardError)
  }
}

@Suite("Lesson01-Autodiff: the command")
struct AutodiffCommandTests {
  @Test(
    "The same seed gives the same numbers, also through an interruption, and another seed gives others",
    .solved("Autodiff.1", "Autodiff.2", "Autodiff.3", "Autodiff.4"))
  func reproducible() throws {
    let runner = try LessonRunner("Lesson01-Autodiff")
    defer { runner.remove() }
    let options = ["--quick", "--epochs", "2"]
    #expect(try runner.run(["--out", "whole"] + options).status == 0)
    #expect(try runner.run(["--out", "other", "--seed", "2"] + options).status == 0)
    // Killed as soon as a first checkpoint is there.
    let process = try runner.start(["--out", "parts"] + options)
    let checkpoint = runner.folder.appending(path: "parts/autodiff.safetensors").path
    while process.isRunning, !FileManager.default.fileExists(atPath: checkpoint) { usleep(2000) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(try runner.run(["--out", "parts", "--resume"] + options).status == 0)
    let whole = try runner.measurements(in: "whole")
    #expect(whole.count == 4)
    #expect(try runner.measurements(in: "parts") == whole)
    #expect(try runner.measurements(in: "other") != whole)
  }
}
