import LessonKit

// What the lesson measures bounds and gradients against.

/// z ~ N(0, 1) and x|z ~ N(z, 1), with an encoder whose variance is twice the posterior's: q(z|x) = N(x/2, 1).
///
/// With an `offset` x|z ~ N(z + offset, 1), a decoder that still has something to learn.
func gaussianToy(offset: Float = 0) -> IWAE {
  var random = Random(seed: 0)  // every weight that it draws is replaced
  let decoder = GaussianDecoder(latents: 1, outputs: 1, using: &random)
  let model = IWAE(encoder: Encoder(inputs: 1, hidden: [], latents: 1, using: &random), decoder: decoder)
  decoder.mean.weight = Tensor([[1]])
  decoder.mean.bias = Tensor([offset])
  model.encoder.mean.weight = Tensor([[0.5]])
  model.encoder.logVariance.weight = Tensor([[0]])
  return model
}

/// E[log p(x) − L_k] of the toy by quadrature, in nats; it is the same for every x.
///
/// w / p(x) = Y = √2 exp(−u²/2) with u ~ N(0, 1). For a mean S of k of them E[ln S] = ∫ (exp(−t) − E[exp(−t Y/k)]ᵏ) dt/t
/// over t > 0 (Frullani's integral inside the expectation); with t = exp(v) a sum over equal steps converges fast.
func exactToyGap(samples k: Int) -> Double {
  let step = 0.05
  let normal = stride(from: 0.0, to: 9, by: step).map { u -> (y: Double, weight: Double) in
    let kernel = exp(-u * u / 2)
    let sides = u == 0 ? 1.0 : 2.0
    return (kernel * 2.0.squareRoot(), kernel * sides * step / (2 * Double.pi).squareRoot())
  }
  var expectation = 0.0
  for v in stride(from: -25.0, to: 30, by: 0.1) {
    let (t, scale) = (exp(v), exp(v) / Double(k))
    let transform = normal.reduce(0.0) { $0 + $1.weight * exp(-scale * $1.y) }
    expectation += (exp(-t) - pow(transform, Double(k))) * 0.1
  }
  return -expectation
}

/// ‖E g‖ / √E‖g − E g‖² for the gradient g of the k-sample bound with respect to each network's parameters.
///
/// The batch `x` stays, the samples of z are drawn anew. ‖mean‖² of n draws is too large by a share 1/n of the noise,
/// which is taken off; the ratio is at least 0.1/√n, which n draws cannot tell from 0.
func signalToNoise(
  _ model: IWAE, _ x: Tensor, samples k: Int, draws: Int, using random: inout Random
) -> (encoder: Float, decoder: Float) {
  let parts = [model.encoder.parameters, model.decoder.parameters].map { $0.map(\.parameter.wrappedValue) }
  var sums: [Tensor?] = [nil, nil]
  var squares: [Float] = [0, 0]
  for _ in 0..<draws {
    let value = bound(model.logWeights(x, samples: k, using: &random)).mean()
    let found = gradients(of: value, withRespectTo: parts[0] + parts[1]).map { $0.reshaped(to: [-1]).detached() }
    for (i, slice) in [found.prefix(parts[0].count), found.suffix(parts[1].count)].enumerated() {
      let g = concatenate(Array(slice), axis: 0)
      sums[i] = sums[i].map { $0 + g } ?? g
      squares[i] += square(g).sum().scalar
    }
  }
  let ratios = zip(sums, squares).map { total, squares in
    let n = Float(draws)
    let mean = square(total! / n).sum().scalar
    let noise = (squares - n * mean) / (n - 1)
    return max(0.1 / n.squareRoot(), (max(0, mean - noise / n) / noise).squareRoot())
  }
  return (ratios[0], ratios[1])
}

/// The slope of ln y against ln x, by least squares.
func logarithmicSlope(_ x: [Int], _ y: [Float]) -> Float {
  let points = zip(x, y).map { (log(Float($0)), log($1)) }
  let (meanX, meanY) = (points.map(\.0).reduce(0, +) / Float(x.count), points.map(\.1).reduce(0, +) / Float(x.count))
  let products = points.map { ($0.0 - meanX) * ($0.1 - meanY) }.reduce(0, +)
  return products / points.map { ($0.0 - meanX) * ($0.0 - meanX) }.reduce(0, +)
}
