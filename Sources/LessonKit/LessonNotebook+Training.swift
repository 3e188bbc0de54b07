import Foundation
import NeuralNetworks
import Notebook

extension LessonNotebook {
  /// The state from which a model's training begins: the checkpoint `<name>.safetensors` with `--resume`, else a new one.
  ///
  /// A checkpoint of another seed, size or data, or a damaged one, stops the program with one clear line.
  public func begin(
    _ name: String, _ model: some Module, _ optimizer: inout some Resumable, options: LessonOptions, random: Random
  ) -> TrainingState {
    var state = newState(options, random)
    guard let file = checkpointToResume(name, options) else { return state }
    orStop { try state.restore(from: Checkpoint(contentsOf: file), model, &optimizer) }
    print("\(name): resumed after epoch \(state.epoch)")
    return state
  }

  /// The same for a model that is trained by two optimisers, or by one beside a running average.
  public func begin(
    _ name: String, _ model: some Module, _ first: inout some Resumable, _ second: inout some Resumable,
    options: LessonOptions, random: Random
  ) -> TrainingState {
    var state = newState(options, random)
    guard let file = checkpointToResume(name, options) else { return state }
    orStop { try state.restore(from: Checkpoint(contentsOf: file), model, &first, &second) }
    print("\(name): resumed after epoch \(state.epoch)")
    return state
  }

  /// Writes `<name>.safetensors`, from which ``begin(_:_:_:options:random:)`` goes on to the same numbers.
  public func save(_ name: String, _ state: TrainingState, _ model: some Module, _ parts: any Resumable...) {
    orStop { try state.checkpoint(model, parts).write(to: checkpointFile(name)) }
  }

  private func newState(_ options: LessonOptions, _ random: Random) -> TrainingState {
    TrainingState(
      configuration: ["seed": "\(options.seed)", "size": "\(options.size)", "data": options.data ?? "shipped"],
      random: random)
  }

  private func checkpointFile(_ name: String) -> URL { folder.appending(path: "\(name).safetensors") }

  /// The checkpoint to go on from; nil without `--resume`, or when there is none.
  private func checkpointToResume(_ name: String, _ options: LessonOptions) -> URL? {
    guard options.resumes else { return nil }
    let file = checkpointFile(name)
    if FileManager.default.fileExists(atPath: file.path) { return file }
    print("\(name): no checkpoint in \(file.path), so it starts from the beginning")
    return nil
  }
}
