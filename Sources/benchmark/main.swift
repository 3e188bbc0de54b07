import ArgumentParser
import Foundation
import NeuralNetworks
import Tensors

/// One line of the comparison; the names are those of `--json`.
struct Row: Codable {
  let step: String
  let threads: Int
  let milliseconds: Double
  var pytorchMilliseconds: Double?
  /// PyTorch's time over ours, the median over rounds.
  var ratio: Double?
  var ratioLow: Double?
  var ratioHigh: Double?
  let peakMegabytes: Double
  var pytorchPeakMegabytes: Double?
}

struct Benchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Times training steps, alone or in turn with the same steps in PyTorch.",
    discussion: "PyTorch on CPU is needed for --against-pytorch: pip install torch.")

  @Flag(help: "Run the same steps in PyTorch (eager, fused Adam) in turn and print the ratio.")
  var againstPytorch = false
  @Flag(help: "Give PyTorch its default Adam in place of the fused one.")
  var defaultAdam = false
  @Option(help: "Only this step: \(trainingSteps.map(\.name).joined(separator: ", ")).")
  var step: String?
  @Option(parsing: .upToNextOption, help: "Thread counts.")
  var threads = [1, 2]
  @Option(help: "Rounds of 20 steps each.")
  var rounds = 15
  @Option(help: "Write the figures to this file.")
  var json: String?
  @Option(help: .hidden)
  var worker: String?

  func validate() throws {
    if let name = step ?? worker, !trainingSteps.contains(where: { $0.name == name }) {
      throw ValidationError("unknown step '\(name)'; known are \(trainingSteps.map(\.name).joined(separator: ", "))")
    }
    guard rounds > 0, threads.allSatisfy({ $0 > 0 }) else {
      throw ValidationError("--rounds and --threads must be 1 or more")
    }
  }

  func run() throws {
    if let worker { return runWorker(worker, threads: threads[0]) }
    print("step          threads   ours ms   PyTorch ms   ratio (low…high)    peak MB   PyTorch MB")
    var rows: [Row] = []
    for (name, _) in trainingSteps where step == nil || step == name {
      for count in threads {
        let row = try measure(name, threads: count)
        rows.append(row)
        print(line(row))
      }
    }
    if let json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try encoder.encode(rows).write(to: URL(fileURLWithPath: json), options: .atomic)
    }
  }

  /// Both workers in turn, so that a change in the machine's speed meets both.
  private func measure(_ name: String, threads: Int) throws -> Row {
    let ours = try Peer("benchmark", CommandLine.arguments[0], ["--worker", name, "--threads", "\(threads)"])
    defer { ours.stop() }
    let peer = againstPytorch ? try pytorch(name, threads) : nil
    defer { peer?.stop() }
    if let peer { try requireAgreement(ours, peer) }
    var (mine, theirs, ratios): ([Double], [Double], [Double]) = ([], [], [])
    for round in 0...rounds {
      let own = try ours.run(20)
      let other = try peer?.run(20) ?? []
      guard round > 0 else { continue }  // the first round warms up
      mine += own
      theirs += other
      if peer != nil { ratios.append(median(other) / median(own)) }
    }
    return Row(
      step: name, threads: threads, milliseconds: median(mine), pytorchMilliseconds: peer.map { _ in median(theirs) },
      ratio: peer.map { _ in median(ratios) }, ratioLow: ratios.min(), ratioHigh: ratios.max(),
      peakMegabytes: Double(try ours.ask("memory")) ?? .nan, pytorchPeakMegabytes: Double(try peer?.ask("memory") ?? "")
    )
  }

  private func pytorch(_ name: String, _ threads: Int) throws -> Peer {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "pytorch.py").path
    return try Peer(
      "pytorch.py", "python3", [script, name, "\(threads)"] + (defaultAdam ? ["--default-adam"] : []),
      environment: ["OMP_NUM_THREADS": "\(threads)", "MKL_NUM_THREADS": "\(threads)"])
  }

  /// The same parameters and data must give the same loss and gradients, to 1e-4 of each tensor's largest value.
  private func requireAgreement(_ ours: Peer, _ peer: Peer) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "benchmark-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = { (name: String) in folder.appending(path: name + ".safetensors") }
    try ours.tell("export \(file("start").path)")
    try peer.tell("import \(file("start").path)")
    for (worker, name) in [(ours, "ours"), (peer, "pytorch")] { try worker.tell("check \(file(name).path)") }
    let (mine, theirs) = (try Checkpoint(contentsOf: file("ours")), try Checkpoint(contentsOf: file("pytorch")))
    for (name, value) in mine.tensors.sorted(by: { $0.key < $1.key }) {
      guard let other = theirs.tensors[name], other.shape == value.shape else {
        throw Peer.Failure(description: "PyTorch has no \(name) of shape \(value.shape)")
      }
      let largest = max(abs(value).max().scalar, 1e-12)
      let difference = abs(value - other).max().scalar / largest
      guard difference < 1e-4 else {
        throw Peer.Failure(description: "\(name) differs from PyTorch's by \(difference) of its largest value")
      }
    }
  }

  private func line(_ row: Row) -> String {
    func number(_ value: Double?, _ format: String, _ width: Int) -> String {
      let text = value.map { String(format: format, $0) } ?? "–"
      return String(repeating: " ", count: max(0, width - text.count)) + text
    }
    let spread = row.ratioLow.flatMap { low in row.ratioHigh.map { String(format: " (%.2f…%.2f)", low, $0) } } ?? ""
    return row.step.padding(toLength: 14, withPad: " ", startingAt: 0) + number(Double(row.threads), "%.0f", 7)
      + number(row.milliseconds, "%.2f", 10) + number(row.pytorchMilliseconds, "%.2f", 13)
      + number(row.ratio, "%.2f", 8)
      + spread + number(row.peakMegabytes, "%.0f", 11) + number(row.pytorchPeakMegabytes, "%.0f", 13)
  }
}

func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return sorted.isEmpty ? .nan : sorted[sorted.count / 2]
}

Benchmark.main()
