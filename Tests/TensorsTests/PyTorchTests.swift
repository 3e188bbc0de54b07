import Foundation
import TestSupport
import Testing

@testable import Tensors

// The constants were made by this Python (PyTorch 2.15, double precision):
//
//   import torch, torch.nn.functional as F
//   torch.set_default_dtype(torch.float64)
//   def g(n, k): return torch.arange(float(n)) * k
//   x = ((g(12, 0.8) + 0.3).sin() * 3).reshape(3, 4)
//   w = g(20, 0.37).sin().reshape(4, 5)
//   x.exp(); x.sigmoid(); F.softplus(x); x.tanh(); x.abs().log(); x.abs().sqrt()
//   x @ w; x.T @ x; x.logsumexp(0); x.logsumexp(1); x.var(1, unbiased=False); x.mean(0); x.max(1).values
//   -F.binary_cross_entropy_with_logits(x, (x > 0.5).double(), reduction='none')
//
//   v = x.clone().requires_grad_()
//   slope, = torch.autograd.grad((torch.tanh(v @ w) ** 2).sum(), v, create_graph=True)
//   penalty = ((slope ** 2).sum(1).sqrt() - 1).pow(2).mean()
//   torch.autograd.grad(penalty, v)
//
//   X = (g(18, 1.7).sin().reshape(3, 6) > 0).double()
//   We = (g(24, 0.9).sin() * 0.5).reshape(6, 4).requires_grad_(); be = (g(4, 0.3).cos() * 0.1).requires_grad_()
//   Wd = (g(12, 1.3).cos() * 0.5).reshape(2, 6).requires_grad_(); bd = (g(6, 0.5).sin() * 0.1).requires_grad_()
//   eps = g(6, 2.1).sin().reshape(3, 2)
//   h = X @ We + be; mu, lv = h[:, :2], h[:, 2:]
//   logits = torch.tanh(mu + (lv / 2).exp() * eps) @ Wd + bd
//   rec = F.binary_cross_entropy_with_logits(logits, X, reduction='sum') / 3
//   kl = (-0.5 * (1 + lv - mu ** 2 - lv.exp())).sum() / 3
//   (rec + kl).backward()

/// Values and gradients against PyTorch's.
@Suite struct PyTorchTests {
  let x = wave(12, 0.8, offset: 0.3, scale: 3).reshaped(to: [3, 4])
  let w = wave(20, 0.37).reshaped(to: [4, 5])

  @Test func `values of operations`() {
    expect(
      exp(x), shape: [3, 4],
      [
        2.4267687, 14.492367, 17.096953, 3.6043435, 0.34911647, 0.064023965, 0.062197278, 0.32574839, 3.368777,
        16.67649, 14.976997, 2.6046416,
      ], tolerance: 1e-6)
    expect(
      sigmoid(x), shape: [3, 4],
      [
        0.7081799, 0.93545208, 0.94474208, 0.78281377, 0.25877415, 0.060171544, 0.058555298, 0.24570906, 0.77110299,
        0.94342768, 0.93741002, 0.72257991,
      ], tolerance: 1e-6)
    expect(
      softplus(x), shape: [3, 4],
      [
        1.2316177, 2.7403474, 2.8957436, 1.5270001, 0.29944991, 0.062057914, 0.060339666, 0.28197713, 1.4744831,
        2.8722355, 2.77115, 1.2822224,
      ], tolerance: 1e-6)
    expect(
      tanh(x), shape: [3, 4],
      [
        0.7096908, 0.99052262, 0.99318118, 0.85705394, -0.78271819, -0.99183533, -0.99229281, -0.80813514, 0.83803908,
        0.99283425, 0.99112336, 0.7430679,
      ], tolerance: 1e-6)
    expect(
      log(abs(x)), shape: [3, 4],
      [
        -0.12040577, 0.98343414, 1.0434167, 0.24853028, 0.051025457, 1.0110545, 1.0215311, 0.11478298, 0.19437344,
        1.0346069, 0.99566201, -0.043643589,
      ], tolerance: 1e-6)
    expect(
      sqrt(abs(x)), shape: [3, 4],
      [
        0.94157348, 1.6351214, 1.6849036, 1.1323161, 1.025841, 1.6578594, 1.6665665, 1.0590703, 1.1020661, 1.6774981,
        1.6451491, 0.97841458,
      ], tolerance: 1e-6)
    expect(
      matmul(x, w), shape: [3, 5],
      [
        0.2078757, -0.27818877, -0.7266017, -1.0766725, -1.2810207, -0.41983306, 0.052365895, 0.51747737, 0.91255071,
        1.1841146, 0.6303586, 0.17363558, -0.30658821, -0.74531672, -1.0831701,
      ], tolerance: 1e-6)
    expect(
      matmul(x, x, transposingFirst: true), shape: [4, 4],
      [
        3.3685607, 8.6804518, 8.7268973, 3.479724, 8.6804518, 22.621091, 22.84008, 9.2045827, 8.7268973, 22.84008,
        23.098776, 9.3460651, 3.479724, 9.2045827, 9.3460651, 3.8183498,
      ], tolerance: 1e-6)
    expect(x.logSumExp(axis: 0), shape: [4], [1.8155838, 3.4414714, 3.4699815, 1.8771316], tolerance: 1e-6)
    expect(x.logSumExp(axis: 1), shape: [3], [3.6275473, -0.22178684, 3.6277194], tolerance: 1e-6)
    expect(x.variance(axes: [1]), shape: [3], [0.72179659, 0.70293286, 0.71056628], tolerance: 1e-6)
    expect(x.mean(axis: 0), shape: [4], [0.3495869, 0.9130414, 0.92265724, 0.37260158], tolerance: 1e-6)
    expect(x.max(axis: 1), shape: [3], [2.8389003, -1.0523497, 2.8139999], tolerance: 1e-6)
    expect(
      bernoulliLogLikelihood(x .> 0.5, logits: x), shape: [3, 4],
      [
        -0.34505713, -0.066725355, -0.056843321, -0.24486045, -0.29944991, -0.062057914, -0.060339666, -0.28197713,
        -0.25993334, -0.058235566, -0.064634509, -0.32492726,
      ], tolerance: 1e-6)
  }

  @Test func `a gradient and the gradient of its penalty`() {
    let slope = { @Sendable (x: Tensor, w: Tensor) in gradient(at: x) { square(tanh(matmul($0, w))).sum() } }
    expect(
      slope(x, w), shape: [3, 4],
      [
        -1.678994, -0.44401575, 1.9237268, -0.61630492, 1.6698704, -0.14630877, -1.5892279, 1.0222602, -1.5084831,
        0.69322138, 1.126393, -1.3140672,
      ], tolerance: 2e-6)
    let (penalty, second) = valueWithGradient(at: x) { x in
      square(sqrt(square(slope(x, w)).sum(axis: 1)) - 1).mean()
    }
    expect(penalty, [2.3508296], tolerance: 2e-6)
    expect(
      second, shape: [3, 4],
      [
        1.5792097, -1.6520231, -0.66864679, 2.0205682, -0.93052516, 1.2191736, 0.25854046, -1.3616761, 0.41654164,
        -0.80156583, 0.025265806, 0.78763981,
      ], tolerance: 1e-5)
  }

  // BEGIN AUTHORS
  @Test func `the loss of a small variational autoencoder and its gradients`() {
    let pixels = wave(18, 1.7).reshaped(to: [3, 6]) .> 0
    let encoder = wave(24, 0.9, scale: 0.5).reshaped(to: [6, 4]).asVariable()
    let encoderBias = wave(4, 0.3, offset: .pi / 2, scale: 0.1).asVariable()
    let decoder = wave(12, 1.3, offset: .pi / 2, scale: 0.5).reshaped(to: [2, 6]).asVariable()
    let decoderBias = wave(6, 0.5, scale: 0.1).asVariable()
    let noise = wave(6, 2.1).reshaped(to: [3, 2])

    let hidden = linear(pixels, encoder, encoderBias)
    let (mean, logVariance) = (hidden.sliced(0..<2, axis: 1), hidden.sliced(2..<4, axis: 1))
    let code = mean + exp(logVariance * 0.5) * noise
    let logits = linear(tanh(code), decoder, decoderBias)
    let reconstruction = -bernoulliLogLikelihood(pixels, logits: logits).sum() / 3
    let divergence = ((square(mean) + exp(logVariance) - 1 - logVariance) * 0.5).sum() / 3
    expect(reconstruction, shape: [], [4.10318626], tolerance: 1e-6)
    expect(divergence, shape: [], [0.0582651384], tolerance: 1e-6)

    let found = gradients(
      of: reconstruction + divergence, withRespectTo: [encoder, encoderBias, decoder, decoderBias])
    expect(
      found[0], shape: [6, 4],
      [
        0.040002719, -0.097745546, 0.074549437, 0.13018961, -0.19718038, -0.018073442, -0.020788324, 0.027253755,
        0.12713138, 0.05889425, -0.003936265, 0.044139727, 0.1671341, -0.038851296, 0.070613172, 0.17432933,
        -0.15717766, -0.11581899, 0.053761112, 0.15744336, -0.19718038, -0.018073442, -0.020788324, 0.027253755,
      ], tolerance: 1e-6)
    expect(found[1], shape: [4], [-0.030046282, -0.056924738, 0.049824847, 0.20158309], tolerance: 1e-6)
    expect(
      found[2], shape: [2, 6],
      [
        -0.21458532, 0.047399255, 0.23059703, -0.062339797, -0.25916206, 0.062526855, 0.21047647, -0.19919706,
        -0.022833358, 0.20489963, 0.04757209, -0.19273073,
      ], tolerance: 1e-6)
    expect(
      found[3], shape: [6], [0.16824554, 0.16853867, 0.18061767, -0.13609294, -0.13423174, 0.18034186], tolerance: 1e-6)
  }
  // END AUTHORS
}

/// sin(k·step + offset)·scale for k = 0…, in double precision and then rounded.
private func wave(_ count: Int, _ step: Double, offset: Double = 0, scale: Double = 1) -> Tensor {
  Tensor((0..<count).map { Float(Foundation.sin(Double($0) * step + offset) * scale) })
}
