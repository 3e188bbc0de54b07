import Foundation
import NeuralNetworks
import Tensors

/// Times one step or operation in a process of its own, as told on standard input; `pytorch/worker.py` answers the same commands.
///
/// - `export FILE`: writes parameters and inputs; prints `done`.
/// - `check FILE`: writes the loss and the gradients, or the result; prints `done`.
/// - `run N`: takes N steps and prints the milliseconds of each.
/// - `memory`: prints the peak resident memory in megabytes.
func runWorker(_ name: String, threads: Int) {
  guard let work: any Timed = timedStep(name) ?? timedOperation(name) else { return }
  Threads.with(threads) {
    while let line = readLine() {
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      switch words.first {
      case "export": write(work.start, to: words[1])
      case "check": write(work.outcome, to: words[1])
      case "run":
        print((0..<(Int(words[1]) ?? 0)).map { _ in "\(milliseconds { work.run() })" }.joined(separator: " "))
      case "memory": print(peakMegabytes())
      default: print("unknown command \(line)")
      }
      fflush(nil)
    }
  }
}

/// What a worker can time.
protocol Timed {
  /// Parameters and inputs.
  var start: [String: Tensor] { get }
  /// What must agree with PyTorch.
  var outcome: [String: Tensor] { get }
  func run()
}

private struct TimedStep: Timed {
  let step: any TrainingStep

  var start: [String: Tensor] {
    step.model.parameters.reduce(into: step.inputs) { $0[$1.name] = $1.parameter.wrappedValue }
  }

  var outcome: [String: Tensor] {
    let parameters = step.model.parameters
    let loss = step.fixedLoss()
    // As an optimiser takes them: by the fused kernels, which a recorded backward pass does without.
    let found = gradientsConsumingGraph(of: loss, withRespectTo: parameters.map(\.parameter.wrappedValue))
    return zip(parameters, found).reduce(into: ["loss": loss.detached()]) { $0[$1.0.name] = $1.1 }
  }

  func run() { step.step() }
}

private func timedStep(_ name: String) -> (any Timed)? {
  trainingSteps.first { $0.name == name }.map { TimedStep(step: $0.make()) }
}

private func write(_ tensors: [String: Tensor], to path: String) {
  do {
    try Checkpoint(tensors: tensors).write(to: URL(fileURLWithPath: path))
    print("done")
  } catch {
    print("failed: \(error)")
  }
}

/// The wall-clock time of `body`.
private func milliseconds(_ body: () -> Void) -> Double {
  let start = DispatchTime.now().uptimeNanoseconds
  body()
  return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e6
}

/// The most memory this process has held.
private func peakMegabytes() -> Double {
  var usage = rusage()
  #if os(Linux)
    getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) / 1024
  #else
    getrusage(RUSAGE_SELF, &usage)
    return Double(usage.ru_maxrss) / 1_048_576
  #endif
}
