import NeuralNetworks
import Tensors

/// A training step that is timed here and, with the same numbers, in `pytorch/models.py`.
protocol TrainingStep: AnyObject {
  /// The model whose parameters are trained.
  var model: any Module { get }
  /// Data and noise for comparing losses and gradients, by name.
  var inputs: [String: Tensor] { get }
  /// The loss on `inputs`, without drawing random numbers.
  func fixedLoss() -> Tensor
  /// One whole step: forward, backward and update.
  func step()
}

/// The steps by name.
let trainingSteps: [(name: String, make: @Sendable () -> any TrainingStep)] = [
  ("vae", { VAEStep() }),
  ("made", { MADEStep() }),
  ("pixelcnn", { PixelCNNStep() }),
  ("flow", { FlowStep() }),
  ("transformer", { TransformerStep() }),
  ("lstm", { LSTMStep() }),
  ("dcgan", { DCGANStep() }),
]
