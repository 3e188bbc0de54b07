import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  momentumExercise.knownMistakes([
    Mistake("m and 1 − m are exchanged: f_k keeps the part m of itself.") { blend($0.key, $0.query, $0.momentum) },
    Mistake("f_q is changed: it is trained by gradients alone, and f_k follows.") { model in
      blend(model.query, model.key, 1 - model.momentum)
    },
    Mistake("f_k becomes a copy of f_q: m is not used.") { blend($0.key, $0.query, 1) },
    Mistake("f_q's part is not multiplied by 1 − m: the parameters grow with every update.") { model in
      for (slow, fast) in zip(model.key.parameters, model.query.parameters) {
        slow.parameter.wrappedValue = model.momentum * slow.parameter.wrappedValue + fast.parameter.wrappedValue
      }
    },
    Mistake("The biases are left out: every parameter is averaged, not the weights alone.") { model in
      blend(model.key, model.query, 1 - model.momentum) { $0.rank > 1 }
    },
    Mistake("The head is left out: keys are what comes out of it, so it is averaged too.") { model in
      blend(model.key.layers, model.query.layers, 1 - model.momentum)
    },
    Mistake("Both encoders move towards each other: f_q must stay as training left it.") { model in
      blend(model.key, model.query, 1 - model.momentum)
      blend(model.query, model.key, 1 - model.momentum)
    },
  ]),
  queueExercise.knownMistakes([
    Mistake("`position` stays where it is, so that every batch replaces the one before.") { model, keys in
      write(keys, to: model, from: Int(model.position.scalar))
    },
    Mistake("`position` moves on by one: a batch of keys takes as many places.") { model, keys in
      let start = Int(model.position.scalar)
      write(keys, to: model, from: start)
      model.position = Tensor(Float((start + 1) % model.queue.shape[0]))
    },
    Mistake("The newest keys are replaced: the oldest leave first.") { model, keys in
      let all = model.oldestFirst
      let kept = model.queue.shape[0] - keys.shape[0]
      model.queue = concatenate([all.sliced(0..<kept, axis: 0), keys], axis: 0)
      model.position = Tensor(0)
    },
    Mistake("Keys that do not fit before the last row are lost: they go to the first rows.") { model, keys in
      let start = Int(model.position.scalar)
      let length = model.queue.shape[0]
      let fitting = Swift.min(keys.shape[0], length - start)
      write(keys.sliced(0..<fitting, axis: 0), to: model, from: start)
      model.position = Tensor(Float((start + keys.shape[0]) % length))
    },
    Mistake("A batch that does not fit starts over at row 0, and the last rows keep stale keys.") { model, keys in
      let start = Int(model.position.scalar) + keys.shape[0] > model.queue.shape[0] ? 0 : Int(model.position.scalar)
      write(keys, to: model, from: start)
      model.position = Tensor(Float((start + keys.shape[0]) % model.queue.shape[0]))
    },
    Mistake("The batch is stored in reverse: its first key is older than its last.") { model, keys in
      let start = Int(model.position.scalar)
      write(keys.flipped(axis: 0), to: model, from: start)
      model.position = Tensor(Float((start + keys.shape[0]) % model.queue.shape[0]))
    },
  ]),
  logitsExercise.knownMistakes([
    Mistake("The scores are multiplied by τ: divide by it.") { q, k, queue, temperature in
      scores(q, k, queue) * temperature
    },
    Mistake("The temperature is missing.") { q, k, queue, _ in scores(q, k, queue) },
    Mistake("The positive stands last: the loss takes candidate 0 for the right one.") { q, k, queue, temperature in
      scores(q, k, queue).rolled(by: -1, axis: 1) / temperature
    },
    Mistake("Gradients flow into the keys: k comes from f_k, which no gradient trains.") { q, k, queue, temperature in
      concatenate([dots(q, k), products(q, queue.detached())], axis: 1) / temperature
    },
    Mistake("Gradients flow into the queue: its keys are constants.") { q, k, queue, temperature in
      concatenate([dots(q, k.detached()), products(q, queue)], axis: 1) / temperature
    },
    Mistake("No gradient reaches the queries: detach the keys, not q.") { q, k, queue, temperature in
      scores(q.detached(), k, queue) / temperature
    },
    Mistake("The negatives come from the batch; MoCo takes them from the queue.") { q, k, _, temperature in
      concatenate([dots(q, k.detached()), products(q, k.detached())], axis: 1) / temperature
    },
    Mistake("The positive is not divided by τ: all candidates' scores are.") { q, k, queue, temperature in
      concatenate([dots(q, k.detached()), products(q, queue.detached()) / temperature], axis: 1)
    },
  ]),
  stepExercise.knownMistakes([
    Mistake("The keys are put into the queue before the loss: then each positive is among its own negatives.") {
      model, first, second, optimizer in
      let keys = withoutGradients { model.key(second) }
      push(keys, model)
      return descend(model, first, keys, &optimizer, thenFollow: true)
    },
    Mistake("f_k is never updated.") { model, first, second, optimizer in
      let keys = withoutGradients { model.key(second) }
      let loss = descend(model, first, keys, &optimizer, thenFollow: false)
      push(keys, model)
      return loss
    },
    Mistake("f_k is updated before the optimiser's step: it should follow the changed f_q.") {
      model, first, second, optimizer in
      let keys = withoutGradients { model.key(second) }
      blend(model.key, model.query, 1 - model.momentum)
      let loss = descend(model, first, keys, &optimizer, thenFollow: false)
      push(keys, model)
      return loss
    },
    Mistake("The keys are made by f_q: they come from f_k.") { model, first, second, optimizer in
      let keys = withoutGradients { model.query(second) }
      let loss = descend(model, first, keys, &optimizer, thenFollow: true)
      push(keys, model)
      return loss
    },
    Mistake("The queries are put into the queue: it holds keys.") { model, first, second, optimizer in
      let (keys, queries) = withoutGradients { (model.key(second), model.query(first)) }
      let loss = descend(model, first, keys, &optimizer, thenFollow: true)
      push(queries, model)
      return loss
    },
    Mistake("Nothing is put into the queue: it keeps the random directions that it began with.") {
      model, first, second, optimizer in
      descend(model, first, withoutGradients { model.key(second) }, &optimizer, thenFollow: true)
    },
    Mistake("The loss is computed, and no step is taken: call `optimizer.minimize`.") { model, first, second, _ in
      let keys = withoutGradients { model.key(second) }
      let loss = crossEntropy(scores(model.query(first), keys, model.queue) / model.temperature)
      push(keys, model)
      return loss
    },
  ]),
]

/// `target` moves the part `rate` of the way to `source`, in the parameters that `where` picks.
private func blend(
  _ target: some Module, _ source: some Module, _ rate: Float, where isMoved: (Tensor) -> Bool = { _ in true }
) {
  for (a, b) in zip(target.parameters, source.parameters) where isMoved(a.parameter.wrappedValue) {
    a.parameter.wrappedValue += (b.parameter.wrappedValue - a.parameter.wrappedValue) * rate
  }
}

/// Writes rows from `start` on, past the end to the first rows.
private func write(_ keys: Tensor, to model: MoCo, from start: Int) {
  let turned = model.queue.rolled(by: -start, axis: 0)
  model.queue = turned.replacing(0..<keys.shape[0], axis: 0, with: keys).rolled(by: start, axis: 0)
}

/// The queue with the oldest keys gone and the new ones at its end.
private func push(_ keys: Tensor, _ model: MoCo) {
  let all = concatenate([model.oldestFirst, keys], axis: 0)
  model.queue = all.sliced(keys.shape[0]..<all.shape[0], axis: 0)
  model.position = Tensor(0)
}

private func dots(_ q: Tensor, _ k: Tensor) -> Tensor { (q * k).sum(axis: 1).reshaped(to: [q.shape[0], 1]) }

private func products(_ q: Tensor, _ keys: Tensor) -> Tensor { matmul(q, keys.transposed()) }

/// The candidates' scores as they should be, but for the temperature.
private func scores(_ q: Tensor, _ k: Tensor, _ queue: Tensor) -> Tensor {
  concatenate([dots(q, k.detached()), products(q, queue.detached())], axis: 1)
}

private func crossEntropy(_ logits: Tensor) -> Tensor { -logSoftmax(logits).sliced(0..<1, axis: 1).mean() }

/// The step of f_q as it should be, and that of f_k after it.
private func descend(
  _ model: MoCo, _ first: Tensor, _ keys: Tensor, _ optimizer: inout SGD, thenFollow: Bool
) -> Tensor {
  let loss = crossEntropy(scores(model.query(first), keys, model.queue) / model.temperature)
  optimizer.minimize(loss)
  if thenFollow { blend(model.key, model.query, 1 - model.momentum) }
  return loss
}
