import Foundation
import Testing

@testable import NeuralNetworks
@testable import Tensors

/// What holds for any training, whatever it is that is trained.
@Suite struct TrainingRunTests {
  // In a process of its own: other tests would take storage at the same time.
  @Test(arguments: trainingRuns.indices, [1, 3])
  func `after three warm-up steps no memory comes from the system`(index: Int, threads: Int) async {
    await #expect(processExitsWith: .success) { [index, threads] in
      Threads.with(threads) {
        let (_, step) = trainingRuns[index].begin()
        var (blocks, resident): ([Int], [Int]) = ([], [])
        for _ in 0..<15 {
          _ = step()
          blocks.append(StoragePool.allocationCount)
          resident.append(residentBytes())
        }
        #expect(blocks[2] > 0 && blocks[14] == blocks[2], "\(trainingRuns[index].testDescription): \(blocks)")
        // Graph nodes come and go with the system's allocator, which moves by some pages, and by more where it is watched.
        // A worker that first comes in time to help touches its scratch memory then, in whatever step that is.
        if threads == 1 {
          #expect(resident[14] <= resident[2] + 1 << 20, "\(trainingRuns[index].testDescription): \(resident)")
        }
      }
    }
  }

  // In a process of its own, so that the blocks that are filled are those that the training takes.
  @Test func `what stood in memory before changes no bit`() async {
    await #expect(processExitsWith: .success) {
      for run in trainingRuns {
        fillIdleStorage(with: 0)
        let clean = run.bits(steps: 3)
        for rest: Float in [1e30, -.infinity, .nan] {
          fillIdleStorage(with: rest)
          #expect(run.bits(steps: 3) == clean, "\(run.testDescription), \(rest)")
        }
      }
    }
  }

  @Test func `several threads that train at once get to the bit what each gets alone`() async {
    let alone = trainingRuns.map { run in Threads.with(3) { run.bits(steps: 3) } }
    await withTaskGroup(of: (Int, [[UInt32]]).self) { group in
      for index in 0..<3 * trainingRuns.count {
        let run = index % trainingRuns.count
        group.addTask { (run, Threads.with(3) { trainingRuns[run].bits(steps: 3) }) }
      }
      for await (run, found) in group { #expect(found == alone[run], "\(trainingRuns[run].testDescription)") }
    }
  }

  @Test func `the networks learn`() {
    for run in trainingRuns {
      let (_, step) = run.begin()
      let losses = (0..<30).map { _ in step().scalar }
      let (first, last) = (losses.prefix(5).reduce(0, +), losses.suffix(5).reduce(0, +))
      #expect(last < first, "\(run.testDescription): \(losses)")
    }
  }
}

/// Leaves this value in as many blocks of each size as a training takes at once.
private func fillIdleStorage(with value: Float) {
  for exponent in 4..<19 {
    for quarters in 5...8 {
      let blocks = (0..<24).map { _ in Storage(count: quarters << (exponent - 3)) }
      for block in blocks { block.pointer.update(repeating: value, count: quarters << (exponent - 3)) }
    }
  }
}

/// The memory of this process that stands in the machine's; 0 where the system does not tell.
private func residentBytes() -> Int {
  guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii) else { return 0 }
  return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 4096 } ?? 0
}
