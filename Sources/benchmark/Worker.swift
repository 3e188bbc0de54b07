import Foundation
import NeuralNetworks
import Tensors

/// Times one step in a process of its own, as told on standard input; `pytorch.py` answers the same commands.
///
/// - `export FILE`: writes parameters and inputs; prints `done`.
/// - `check FILE`: writes the loss and the gradients; prints `done`.
/// - `run N`: takes N steps and prints the milliseconds of each.
/// - `memory`: prints the peak resident memory in megabytes.
func runWorker(_ name: String, threads: Int) {
  guard let step = trainingSteps.first(where: { $0.name == name })?.make() else { return }
  Threads.with(threads) {
    while let line = readLine() {
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      switch words.first {
      case "export": write(exported(step), to: words[1])
      case "check": write(lossAndGradients(step), to: words[1])
      case "run":
        print((0..<(Int(words[1]) ?? 0)).map { _ in "\(milliseconds { step.step() })" }.joined(separator: " "))
      case "memory": print(peakMegabytes())
      default: print("unknown command \(line)")
      }
      fflush(nil)
    }
  }
}

private func write(_ tensors: [String: Tensor], to path: String) {
  do {
    try Checkpoint(tensors: tensors).write(to: URL(fileURLWithPath: path))
    print("done")
  } catch {
    print("failed: \(error)")
  }
}

private func exported(_ step: any TrainingStep) -> [String: Tensor] {
  step.model.parameters.reduce(into: step.inputs) { $0[$1.name] = $1.parameter.wrappedValue }
}

private func lossAndGradients(_ step: any TrainingStep) -> [String: Tensor] {
  let parameters = step.model.parameters
  let loss = step.fixedLoss()
  let found = gradients(of: loss, withRespectTo: parameters.map(\.parameter.wrappedValue))
  return zip(parameters, found).reduce(into: ["loss": loss]) { $0[$1.0.name] = $1.1 }
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
