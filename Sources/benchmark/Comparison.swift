import Foundation
import NeuralNetworks
import Tensors

/// Times a step or an operation here and in PyTorch, in turn, so that a change in the machine's speed meets both.
struct Comparison {
  let name: String
  let threads: Int
  let rounds: Int
  /// PyTorch's ways to try, as flags of `worker.py`; none when it is not asked for.
  let variants: [(name: String, flags: [String])]

  func row() throws -> Row {
    let ours = try Peer("benchmark", CommandLine.arguments[0], ["--worker", name, "--threads", "\(threads)"])
    defer { ours.stop() }
    let peers = try variants.map { try (name: $0.name, peer: pytorch($0.flags)) }
    defer { for (_, peer) in peers { peer.stop() } }
    try requireAgreement(ours, peers.map(\.peer))
    let count = try stepsPerRound(ours)
    for (_, peer) in peers { _ = try peer.run(3) }  // warms up, compiles
    var mine: [Double] = []
    var theirs = [[Double]](repeating: [], count: peers.count)
    for _ in 0..<rounds {
      mine.append(median(try ours.run(count)))
      for (index, (_, peer)) in peers.enumerated() { theirs[index].append(median(try peer.run(count))) }
    }
    var row = Row(step: name, threads: threads, milliseconds: median(mine))
    row.peakMegabytes = Double(try ours.ask("memory"))
    if let best = theirs.indices.min(by: { median(theirs[$0]) < median(theirs[$1]) }) {
      let ratios = zip(theirs[best], mine).map { $0 / $1 }
      row.pytorchMilliseconds = median(theirs[best])
      (row.ratio, row.ratioLow, row.ratioHigh) = (median(ratios), ratios.min(), ratios.max())
      row.pytorchVariant = peers[best].name
      row.pytorchPeakMegabytes = Double(try peers[best].peer.ask("memory"))
    }
    return row
  }

  /// Between 3 and 100, for about a fifth of a second; also warms up.
  private func stepsPerRound(_ ours: Peer) throws -> Int {
    _ = try ours.run(3)
    return min(100, max(3, Int(200 / median(try ours.run(3)))))
  }

  private func pytorch(_ flags: [String]) throws -> Peer {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return try Peer(
      "worker.py", "python3", [folder.appending(path: "pytorch/worker.py").path, name, "\(threads)"] + flags,
      environment: [
        "OMP_NUM_THREADS": "\(threads)", "MKL_NUM_THREADS": "\(threads)", "PYTHONDONTWRITEBYTECODE": "1",
      ])
  }

  /// The same parameters and data must give the same loss and gradients, to 1e-4 of each tensor's largest value.
  ///
  /// A gradient that is zero but for rounding (that of a bias before a normalisation) is measured by a thousandth of the
  /// largest of all.
  private func requireAgreement(_ ours: Peer, _ peers: [Peer]) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "benchmark-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = { (name: String) in folder.appending(path: name + ".safetensors") }
    try ours.tell("export \(file("start").path)")
    try ours.tell("check \(file("ours").path)")
    let mine = try Checkpoint(contentsOf: file("ours")).tensors
    for peer in peers {
      try peer.tell("import \(file("start").path)")
      try peer.tell("check \(file("theirs").path)")
      try compare(mine, try Checkpoint(contentsOf: file("theirs")).tensors)
    }
  }

  private func compare(_ mine: [String: Tensor], _ theirs: [String: Tensor]) throws {
    let floor = mine.values.map { abs($0).max().scalar }.max()! * 1e-3
    for (key, value) in mine.sorted(by: { $0.key < $1.key }) {
      guard let other = theirs[key], other.shape == value.shape else {
        throw Peer.Failure(
          description: "\(name): PyTorch has no \(key) of shape \(value.shape), but \(theirs[key]?.shape as Any)")
      }
      let largest = max(abs(value).max().scalar, floor)
      let difference = abs(value - other).max().scalar / largest
      guard difference < 1e-4 else {
        throw Peer.Failure(description: "\(name): \(key) differs from PyTorch's by \(difference) of its largest value")
      }
    }
  }
}
