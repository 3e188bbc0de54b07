import NeuralNetworks
import Tensors

/// One update of each network of a DCGAN, 28×28, batch 64, Adam (arXiv:1511.06434).
final class DCGANStep: TrainingStep {
  private final class Generator: Module {
    let project: Linear
    let norm1, norm2: BatchNorm
    let up1, up2: ConvTranspose2D

    init(using random: inout Random) {
      project = Linear(100, 7 * 7 * 128, using: &random)
      norm1 = BatchNorm(128)
      up1 = ConvTranspose2D(128, 64, size: 4, stride: 2, padding: 1, using: &random)
      norm2 = BatchNorm(64)
      up2 = ConvTranspose2D(64, 1, size: 4, stride: 2, padding: 1, using: &random)
    }

    func callAsFunction(_ z: Tensor) -> Tensor {
      let h = relu(norm1(project(z).reshaped(to: [-1, 7, 7, 128])))
      return tanh(up2(relu(norm2(up1(h)))))  // [batch, 28, 28, 1]
    }
  }

  private final class Discriminator: Module {
    let down1, down2: Conv2D
    let norm: BatchNorm
    let logit: Linear

    init(using random: inout Random) {
      down1 = Conv2D(1, 64, size: 4, stride: 2, padding: .amount(1), using: &random)
      down2 = Conv2D(64, 128, size: 4, stride: 2, padding: .amount(1), using: &random)
      norm = BatchNorm(128)
      logit = Linear(7 * 7 * 128, 1, using: &random)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      let h = leakyRelu(down1(x), slope: 0.2)  // [batch, 14, 14, 64]
      return logit(leakyRelu(norm(down2(h)), slope: 0.2).reshaped(to: [x.shape[0], -1])).reshaped(to: [-1])
    }
  }

  private final class Networks: Module {
    let generator: Generator
    let discriminator: Discriminator

    init(using random: inout Random) {
      generator = Generator(using: &random)
      discriminator = Discriminator(using: &random)
    }
  }

  private let networks: Networks
  // With this seed no unit stands so near its kink that rounding decides on which side it is, here or in PyTorch.
  private var random = Random(seed: 4)
  private var generatorOptimizer, discriminatorOptimizer: Adam
  let inputs: [String: Tensor]
  var model: any Module { networks }

  init() {
    networks = Networks(using: &random)
    generatorOptimizer = Adam(networks.generator.parameters)
    discriminatorOptimizer = Adam(networks.discriminator.parameters)
    inputs = [
      "x": .uniform([64, 28, 28, 1], in: -1..<1, using: &random),
      "z": .normal([64, 100], using: &random),
    ]
  }

  func fixedLoss() -> Tensor {
    let fake = networks.generator(inputs["z"]!)
    return discriminatorLoss(fake) + generatorLoss(fake)
  }

  func step() {
    let fake = networks.generator(.normal([64, 100], using: &random))
    discriminatorOptimizer.minimize(discriminatorLoss(fake.detached()))
    generatorOptimizer.minimize(generatorLoss(fake))
  }

  private func discriminatorLoss(_ fake: Tensor) -> Tensor {
    softplus(-networks.discriminator(inputs["x"]!)).mean() + softplus(networks.discriminator(fake)).mean()
  }

  private func generatorLoss(_ fake: Tensor) -> Tensor { softplus(-networks.discriminator(fake)).mean() }
}
