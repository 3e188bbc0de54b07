import Tensors

extension Checkpoint {
  /// A checkpoint of a model alone: its parameters, and what it keeps beside them, under `model.`.
  public init(of model: some Module) {
    self.init()
    for (name, cell) in ModuleWalk(model).found { tensors["model." + name] = cell.wrappedValue.detached() }
  }

  /// Gives a model the values of this checkpoint.
  ///
  /// - Throws: ``CheckpointError`` when the checkpoint is of another model; then nothing is changed.
  public func restore(_ model: some Module) throws { try values(for: model).take() }

  /// The values for each cell of a model, found to fit.
  func values(for model: some Module) throws -> ModelValues {
    let cells = ModuleWalk(model).found
    let values = try cells.map { name, cell in
      (cell: cell, value: try tensor("model." + name, shape: cell.wrappedValue.shape))
    }
    let known = Set(cells.map { "model." + $0.name })
    if let extra = tensors.keys.sorted().first(where: { $0.hasPrefix("model.") && !known.contains($0) }) {
      throw CheckpointError("it has \(extra), which this model does not")
    }
    return ModelValues(values: values)
  }

  /// The tensor of that name and shape.
  func tensor(_ name: String, shape: [Int]) throws -> Tensor {
    guard let tensor = tensors[name] else { throw CheckpointError("it lacks \(name)") }
    guard tensor.shape == shape else {
      throw CheckpointError("\(name) has shape \(tensor.shape) in it and \(shape) in this model")
    }
    return tensor
  }

  /// The whole number that a text gives, 0 or more.
  func number<Number: FixedWidthInteger>(_ name: String) throws -> Number {
    guard let text = metadata[name], let number = Number(text), number >= 0 else {
      throw CheckpointError("it lacks a sound \(name) (\(metadata[name] ?? "none"))")
    }
    return number
  }
}

/// Values that fit the cells of a model.
struct ModelValues {
  let values: [(cell: any TensorCell, value: Tensor)]

  func take() { for (cell, value) in values { cell.wrappedValue = value } }
}
