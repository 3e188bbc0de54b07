import ArgumentParser
import Foundation

struct Benchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Times training steps and single operations, alone or in turn with the same in PyTorch.",
    discussion: """
      Every step and operation runs in a process of its own. With --against-pytorch each is first checked to give the
      same loss, gradients or result as PyTorch to 1e-4, then both run in turn; the ratio is PyTorch's time over ours,
      against its fastest way: eager with fused Adam, the same with channels last for images, or torch.compile.
      PyTorch on CPU is needed for that: pip install torch
      """)

  @Flag(help: "Run the same in PyTorch in turn and print the ratio.")
  var againstPytorch = false
  @Flag(help: "Give PyTorch its default Adam in place of the fused one.")
  var defaultAdam = false
  @Flag(help: "Leave torch.compile out.")
  var eagerOnly = false
  @Option(help: "Only this training step: \(trainingSteps.map(\.name).joined(separator: ", ")).")
  var step: String?
  @Option(help: "Only operations whose names contain this; an empty text means all of them.")
  var operation: String?
  @Option(parsing: .upToNextOption, help: "Thread counts.")
  var threads = [1, 2]
  @Option(help: "Rounds of about a fifth of a second each.")
  var rounds = 15
  @Option(help: "Write the figures to this file.")
  var json: String?
  @Option(help: .hidden)
  var worker: String?

  func validate() throws {
    if let step, !trainingSteps.contains(where: { $0.name == step }) {
      throw ValidationError("unknown step '\(step)'; known are \(trainingSteps.map(\.name).joined(separator: ", "))")
    }
    guard rounds > 0, threads.allSatisfy({ $0 > 0 }) else {
      throw ValidationError("--rounds and --threads must be 1 or more")
    }
    if let operation, !operation.isEmpty, !timedOperations.contains(where: { $0.name.contains(operation) }) {
      let known = timedOperations.map(\.name).joined(separator: ", ")
      throw ValidationError("no operation's name contains '\(operation)'; known are \(known)")
    }
  }

  func run() throws {
    if let worker { return runWorker(worker, threads: threads[0]) }
    print(Row.heading)
    var rows: [Row] = []
    for count in threads {
      for (name, _) in trainingSteps where operation == nil ? step == nil || step == name : step == name {
        rows.append(try Comparison(name: name, threads: count, rounds: rounds, variants: variants(ofStep: name)).row())
        print(rows[rows.count - 1].line)
      }
      for timed in timedOperations where operation.map({ $0.isEmpty || timed.name.contains($0) }) ?? (step == nil) {
        let comparison = Comparison(
          name: timed.workerName, threads: count, rounds: rounds, variants: variants(of: timed))
        rows.append(timed.row(from: try comparison.row()))
        print(rows[rows.count - 1].line)
      }
    }
    if let json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try encoder.encode(rows).write(to: URL(fileURLWithPath: json), options: .atomic)
    }
  }

  /// PyTorch's ways to run a training step.
  private func variants(ofStep name: String) -> [(name: String, flags: [String])] {
    guard againstPytorch else { return [] }
    let adam = defaultAdam ? ["--default-adam"] : []
    var ways = [(name: "eager", flags: adam)]
    if ["pixelcnn", "flow", "dcgan"].contains(name) { ways.append(("channels last", adam + ["--channels-last"])) }
    if !eagerOnly { ways.append(("compiled", adam + ["--compile"])) }
    return ways
  }

  private func variants(of operation: TimedOperation) -> [(name: String, flags: [String])] {
    guard againstPytorch else { return [] }
    return [("eager", [])] + (operation.readsImages ? [("channels last", ["--channels-last"])] : [])
  }
}

Benchmark.main()
