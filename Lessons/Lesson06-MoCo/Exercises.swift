import LessonKit

// What a student writes in MoCo.swift: for each exercise its cases, which return values and never verdicts.

/// MoCo.1 to MoCo.4.
let exercises: [any ExerciseSpecification] = [momentumExercise, queueExercise, logitsExercise, stepExercise]

let momentumExercise = Exercise(
  "MoCo.1", "The momentum update", points: 2, implementation: updateKeyEncoder(of:),
  hints: [
    "`query.parameters` and `key.parameters` are in the same order: walk through both with `zip`.",
    "A parameter's value is `wrappedValue` of its `parameter`, and assigning to that changes the encoder.",
    "Only f_k changes. With m = 1 it would stay where it is, with m = 0 it would become f_q.",
  ],
  cases: [
    momentumCase("one update", momentum: 0.9, updates: 1),
    momentumCase("three updates", momentum: 0.8, updates: 3),
    momentumCase("a fast key encoder", momentum: 0.3, updates: 2),
  ])

private func updateKeyEncoder(of model: MoCo) { model.updateKeyEncoder() }

private func momentumCase(
  _ title: String, momentum: Float, updates: Int
) -> ExerciseCase<@MainActor (MoCo) -> Void> {
  ExerciseCase(title) { update, random in
    let model = smallModel(queue: 4, momentum: momentum, using: &random)
    for _ in 0..<updates {
      move(model.query, using: &random)
      update(model)
    }
    return ["f_k": values(of: model.key), "f_q": values(of: model.query)]
  }
}

let queueExercise = Exercise(
  "MoCo.2", "The queue", points: 3, implementation: enqueue(in:_:),
  hints: [
    "`position` holds one number, so `Int(position.scalar)` is the row of the oldest key. The first key of the batch goes there.",
    "`replacing(range, axis: 0, with:)` gives a copy with new rows. What does not fit before the end goes to the first rows.",
    "The new position is (old position + batch) % K: the row after the last one written, which now is the oldest.",
  ],
  cases: [
    queueCase("two keys into five places", length: 5, batch: 2, batches: 4),
    queueCase("three keys into seven places", length: 7, batch: 3, batches: 5),
    queueCase("four keys into ten places", length: 10, batch: 4, batches: 6),
  ])

private func enqueue(in model: MoCo, _ keys: Tensor) { model.enqueue(keys) }

private func queueCase(
  _ title: String, length: Int, batch: Int, batches: Int
) -> ExerciseCase<@MainActor (MoCo, Tensor) -> Void> {
  ExerciseCase(title) { enqueue, random in
    let model = smallModel(queue: length, momentum: 0.9, using: &random)
    let states = (0..<batches).map { _ in
      enqueue(model, unit([batch, 3], using: &random))
      return model.oldestFirst
    }
    return ["the queue, oldest key first, after each batch": stack(states, axis: 0)]
  }
}

let logitsExercise = Exercise(
  "MoCo.3", "Scores of the candidates", points: 3, implementation: contrastiveLogits,
  hints: [
    "Each query has one positive, the key in the same row: multiply and sum over axis 1, keeping that axis.",
    "The negatives are the queue's keys, the same for every query: one matrix product, `transposingSecond: true`.",
    "Put the positive in column 0, divide all by τ, and use `detached()` on what must get no gradient.",
  ],
  cases: [
    logitsCase("two queries", batch: 2, length: 3, dimension: 2, temperature: 0.5),
    logitsCase("a low temperature", batch: 4, length: 6, dimension: 5, temperature: 0.07),
    logitsCase("a long queue", batch: 3, length: 20, dimension: 8, temperature: 0.2),
  ])

private func logitsCase(
  _ title: String, batch: Int, length: Int, dimension: Int, temperature: Float
) -> ExerciseCase<@MainActor (Tensor, Tensor, Tensor, Float) -> Tensor> {
  ExerciseCase(title) { logits, random in
    let (q, k) = (unit([batch, dimension], using: &random), unit([batch, dimension], using: &random))
    let queue = unit([length, dimension], using: &random)
    return [
      "the logits": logits(q, k, queue, temperature),
      "the gradient of their sum with respect to q": gradient(at: q) { logits($0, k, queue, temperature).sum() },
      // Something of q is added, so that there is a path to take a gradient along.
      "the gradient of their sum with respect to k": gradient(at: k) {
        logits(q, $0, queue, temperature).sum() + $0.sum()
      },
      "the gradient of their sum with respect to the queue": gradient(at: queue) {
        logits(q, k, $0, temperature).sum() + $0.sum()
      },
    ]
  }
}

let stepExercise = Exercise(
  "MoCo.4", "Algorithm 1", points: 4, implementation: step(of:_:_:_:), dependencies: ["MoCo.1", "MoCo.2", "MoCo.3"],
  hints: [
    "Encode: queries from `first` by `query`, keys from `second` by `key`, the latter within `withoutGradients { … }`.",
    "The loss is the mean of `infoNCE(contrastiveLogits(…))` against the queue as it is; then `optimizer.minimize(loss)`.",
    "Afterwards f_k follows the *changed* f_q, and the keys (not the queries) are put into the queue.",
  ],
  cases: [
    stepCase("two steps", batch: 2, length: 4, steps: 2), stepCase("three steps", batch: 3, length: 5, steps: 3),
    stepCase("a longer queue", batch: 4, length: 12, steps: 2),
  ])

private func step(of model: MoCo, _ first: Tensor, _ second: Tensor, _ optimizer: inout SGD) -> Tensor {
  model.step(first, second, &optimizer)
}

private func stepCase(
  _ title: String, batch: Int, length: Int, steps: Int
) -> ExerciseCase<@MainActor (MoCo, Tensor, Tensor, inout SGD) -> Tensor> {
  ExerciseCase(title) { step, random in
    let model = smallModel(queue: length, momentum: 0.7, using: &random)
    var optimizer = SGD(model.query.parameters, learningRate: 0.2)
    var losses: [Tensor] = []
    for _ in 0..<steps {
      let x = Tensor.uniform([batch, 4, 4, 1], using: &random)
      let (first, second) = (x + .uniform(x.shape, using: &random), x + .uniform(x.shape, using: &random))
      losses.append(step(model, first, second, &optimizer).sum())
    }
    return [
      "the losses": stack(losses, axis: 0), "f_q": values(of: model.query), "f_k": values(of: model.key),
      "the queue, oldest key first": model.oldestFirst,
    ]
  }
}

/// A model of 4×4 images and keys of three numbers.
private func smallModel(queue length: Int, momentum: Float, using random: inout Random) -> MoCo {
  let model = MoCo(
    { Encoder(side: 4, channels: 2, dimension: 3, head: .linear, using: &$0) }, dimension: 3, queue: length,
    momentum: momentum, temperature: 0.5, using: &random)
  // Biases begin at 0; moved, they show whether they are averaged. Both encoders are still equal.
  move(model.query, using: &random)
  for (own, other) in zip(model.key.parameters, model.query.parameters) {
    own.parameter.wrappedValue = other.parameter.wrappedValue
  }
  return model
}

private func move(_ encoder: Encoder, using random: inout Random) {
  for named in encoder.parameters {
    let value = named.parameter.wrappedValue
    named.parameter.wrappedValue = value + .uniform(value.shape, in: -0.2..<0.2, using: &random)
  }
}

/// All parameters in a row.
private func values(of encoder: Encoder) -> Tensor {
  concatenate(
    encoder.parameters.map { $0.parameter.wrappedValue.reshaped(to: [$0.parameter.wrappedValue.count]) }, axis: 0)
}

private func unit(_ shape: [Int], using random: inout Random) -> Tensor { normalized(.normal(shape, using: &random)) }
