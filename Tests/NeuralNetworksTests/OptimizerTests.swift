import Tensors
import Testing

@testable import NeuralNetworks

private final class Affine: Module {
  @Parameter var weight = p([3, 4], 1)
  @Parameter var bias = p([4], 2)

  var loss: Tensor {
    let cubes = weight * square(weight)
    return square(tanh(linear(p([5, 3], 3), weight, bias))).mean() + cubes.sum() * 0.01
  }
}

// Ten steps of each optimiser in PyTorch 2.15, double precision:
//
//   w = p((3, 4), 1).requires_grad_(); b = p((4,), 2).requires_grad_(); x = p((5, 3), 3)
//   optimizer = make([w, b])
//   for step in range(10):
//       optimizer.zero_grad()
//       ((torch.tanh(x @ w + b) ** 2).mean() + (w ** 3).sum() * 0.01).backward()
//       optimizer.step()
@Suite struct OptimizerTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let weight, bias: [Float]
    let make: @Sendable ([NamedParameter]) -> any Optimizer
  }

  static let cases = [
    Case(
      testDescription: "SGD(lr=0.3)",
      weight: [
        -0.5077293, -0.08227048, 0.784871, -0.2973883, -9.608827e-05, -0.7368238, -0.174768, 0.1106494, -0.7891152,
        -0.1578796, 0.5542874, -0.5195623,
      ], bias: [-0.1045754, 0.2991444, -0.6487346, 0.004316632]
    ) { SGD($0, learningRate: 0.3) },
    Case(
      testDescription: "SGD(lr=0.1, momentum=0.9, weight_decay=0.05)",
      weight: [
        -0.3361082, -0.1443731, 0.6238381, -0.1597322, -0.137534, -0.4609134, -0.1018947, -0.1067442, -0.6250978,
        -0.1758157, 0.3825956, -0.3755093,
      ], bias: [0.02025246, 0.1860666, -0.4010944, 0.06324339]
    ) { SGD($0, learningRate: 0.1, momentum: 0.9, weightDecay: 0.05) },
    Case(
      testDescription: "SGD(lr=0.1, momentum=0.8, nesterov=True)",
      weight: [
        -0.4847771, -0.1073265, 0.7805018, -0.2670677, -0.05261971, -0.6952942, -0.1680342, 0.03086117, -0.7891542,
        -0.1774645, 0.532068, -0.5042586,
      ], bias: [-0.06798825, 0.289098, -0.6087673, 0.02753536]
    ) { SGD($0, learningRate: 0.1, momentum: 0.8, nesterov: true) },
    Case(
      testDescription: "Adam(lr=0.05)",
      weight: [
        -0.1785088, -0.4023797, 0.6371691, -0.02988649, -0.1951025, -0.4997826, 0.2296567, 0.008740565, -0.3172072,
        -0.551304, 0.1803047, -0.1025842,
      ], bias: [0.1404026, -0.03815114, -0.35828, 0.1251398]
    ) { Adam($0, learningRate: 0.05) },
    Case(
      testDescription: "AdamW(lr=0.05, weight_decay=0.2, betas=(0.8, 0.95))",
      weight: [
        -0.1542643, -0.3702677, 0.5796989, -0.03274701, -0.1798417, -0.4292033, 0.2352808, 0.001288914, -0.2477167,
        -0.5140841, 0.1413218, -0.07338293,
      ], bias: [0.1223265, -0.02835609, -0.300609, 0.06314255]
    ) { AdamW($0, learningRate: 0.05, weightDecay: 0.2, beta1: 0.8, beta2: 0.95) },
    Case(
      testDescription: "RMSprop(lr=0.02, alpha=0.9)",
      weight: [
        -0.311884, -0.257875, 0.741416, -0.1568961, -0.03688615, -0.6386505, 0.1481351, 0.1664578, -0.3653079,
        -0.3938251, 0.3279039, -0.249809,
      ], bias: [0.01093321, 0.06835704, -0.4985693, 0.06728102]
    ) { RMSprop($0, learningRate: 0.02, decay: 0.9) },
  ]

  @Test(arguments: cases)
  func `ten steps give PyTorch's numbers`(_ wanted: Case) {
    let model = Affine()
    var optimizer = wanted.make(model.parameters)
    for _ in 0..<10 { optimizer.minimize(model.loss) }
    #expect(optimizer.step == 10)
    expect(model.weight, wanted.weight, tolerance: 3e-6)
    expect(model.bias, wanted.bias, tolerance: 3e-6)
  }

  @Test(arguments: cases)
  func `a restored optimiser continues to the same bits`(_ wanted: Case) {
    let whole = Affine()
    var first = wanted.make(whole.parameters)
    for _ in 0..<5 { first.minimize(whole.loss) }
    let half = Affine()
    for (to, from) in zip(half.parameters, whole.parameters) {
      to.parameter.wrappedValue = from.parameter.wrappedValue
    }
    var second = wanted.make(half.parameters)
    second.restore(state: first.state, step: first.step)
    for _ in 0..<5 {
      first.minimize(whole.loss)
      second.minimize(half.loss)
    }
    #expect(second.step == 10)
    #expect(whole.weight.scalars == half.weight.scalars)
    #expect(first.state.mapValues(\.scalars) == second.state.mapValues(\.scalars))
  }

  // SGD(lr=0.5) with torch.nn.utils.clip_grad_norm_([w, b], 0.1) before each step; the last norm is 0.2443.
  @Test func `clipping by the global norm gives PyTorch's numbers and reports the norm`() {
    let model = Affine()
    var optimizer = SGD(model.parameters, learningRate: 0.5)
    var norm: Float = 0
    for _ in 0..<10 { norm = optimizer.minimize(model.loss, clippingToNorm: 0.1) }
    #expect(abs(norm - 0.2443) < 1e-4)
    expect(
      model.weight,
      [
        -0.5594147, -0.02584117, 0.8003066, -0.3448602, 0.08553952, -0.8266537, -0.21325, 0.2108076, -0.7944091,
        -0.1285087, 0.5961882, -0.5438365,
      ], tolerance: 3e-6)
    expect(model.bias, [-0.1730832, 0.3501096, -0.7131456, -0.02924608], tolerance: 3e-6)
  }

  @Test func `gradients below the norm stay as they are`() {
    let gradients = [Tensor([3, 0]), nil, Tensor([[-4]])]
    let (same, norm) = clippedToNorm(5, gradients)
    #expect(norm == 5 && same[0]?.scalars == [3, 0] && same[1] == nil && same[2]?.scalars == [-4])
    let (clipped, longer) = clippedToNorm(1, gradients)
    #expect(longer == 5)
    expect(clipped[0], [0.6, 0], tolerance: 1e-7)
    expect(clipped[2], [-0.8], tolerance: 1e-7)
  }

  @Test func `parameters of one name from two modules have each their state`() {
    let (a, b) = (Affine(), Affine())
    var optimizer = SGD(a.parameters + b.parameters, learningRate: 0.1, momentum: 0.5)
    optimizer.minimize(a.loss + b.loss * 2)
    let state = optimizer.state
    #expect(state.count == 4)
    expect(state["sgd.velocity.bias(2)"], (state["sgd.velocity.bias"] ?? Tensor(0)).scalars.map { $0 * 2 })
  }

  // The averages of SGD(lr=0.3)'s parameters: a.lerp_(w, 0.2) after each step, from the first values.
  @Test func `a moving average follows as in PyTorch, and stands in only where asked`() {
    let model = Affine()
    var optimizer = SGD(model.parameters, learningRate: 0.3)
    var average = ExponentialMovingAverage(model.parameters, decay: 0.8)
    for _ in 0..<10 {
      optimizer.minimize(model.loss)
      average.update()
    }
    let wanted: [Float] = [
      -0.5645163, -0.02122478, 0.800136, -0.3534456, 0.09827013, -0.8347279, -0.21233, 0.2325142, -0.7941196,
      -0.1239816, 0.6003751, -0.5475835,
    ]
    expect(average.state["average.weight"], wanted, tolerance: 3e-6)
    let (before, loss) = (model.weight.scalars, model.loss)
    let inside = average.withAverages { model.weight.scalars }
    expect(Tensor(inside), wanted, tolerance: 3e-6)
    #expect(model.weight.scalars == before)
    struct Stop: Error {}
    #expect(throws: Stop.self) { try average.withAverages { throw Stop() } }
    #expect(model.weight.scalars == before)
    // A loss from before still belongs to the parameters.
    optimizer.minimize(loss)
    #expect(model.weight.scalars != before)
    #expect(average.state["average.weight"]?.scalars == inside)
  }

  @Test func `mistakes stop with a message`() async {
    let count = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var optimizer = SGD(Affine().parameters, learningRate: 0.1)
      optimizer.update(with: [nil])
    }
    let countMessage = String(decoding: count?.standardErrorContent ?? [], as: UTF8.self)
    #expect(countMessage.contains("needs a gradient or nil for each of 2 parameters, not 1"), "\(countMessage)")
    let shape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var optimizer = Adam(Affine().parameters)
      optimizer.update(with: [nil, .zeros([5])])
    }
    let shapeMessage = String(decoding: shape?.standardErrorContent ?? [], as: UTF8.self)
    #expect(shapeMessage.contains("bias has shape [4], its gradient [5]"), "\(shapeMessage)")
  }
}
