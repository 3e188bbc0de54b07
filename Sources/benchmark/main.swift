import Distributions
import Foundation
import NeuralNetworks
import Tensors

final class VAE: Module {
  let hidden, mean, logVariance, decoder, output: Linear
  init(using r: inout Random) {
    hidden = Linear(784, 400, using: &r)
    mean = Linear(400, 20, using: &r)
    logVariance = Linear(400, 20, using: &r)
    decoder = Linear(20, 400, using: &r)
    output = Linear(400, 784, using: &r)
  }
  func loss(_ x: Tensor, using r: inout Random) -> Tensor {
    let h = relu(hidden(x))
    let q = Normal(mean: mean(h), logVariance: logVariance(h))
    let z = q.sample(using: &r)
    let rec = Bernoulli(logits: output(relu(decoder(z)))).logProbability(of: x)
    return (klDivergence(q, .standard([128, 20])) - rec).mean()
  }
}
var r = Random(seed: 1)
let model = VAE(using: &r)
var adam = Adam(model.parameters)
let x = Tensor.uniform([128, 784], using: &r) .< 0.3
for threads in [1, 2] {
  Threads.with(threads) {
    var ts: [Double] = []
    for _ in 0..<400 {
      let t = DispatchTime.now().uptimeNanoseconds
      let loss = model.loss(x, using: &r)
      adam.minimize(loss)
      ts.append(Double(DispatchTime.now().uptimeNanoseconds - t) / 1e6)
    }
    ts.sort()
    print(threads, "median", ts[200], "min", ts[0], model.loss(x, using: &r).scalar)
  }
}
var small = Tensor.ones([8]).asVariable()
let n = 1_000_000
let t = DispatchTime.now().uptimeNanoseconds
do {
  var y = small
  for _ in 0..<n { y = y + 1 }
  print(y.scalars[0])
}

print("per recorded op", Double(DispatchTime.now().uptimeNanoseconds - t) / Double(n), "ns")
