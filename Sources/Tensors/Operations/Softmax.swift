import Foundation

/// eˣ / Σ eˣ over one axis, without overflow.
public func softmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  overLastAxis(x, axis, in: "softmax") { x in
    softmaxRows(x, logarithmic: false).recorded(x) { upstream, _, output in
      guard Recording.isOn else { return softmaxGradientRows(upstream, output, logarithmic: false) }
      return output * (upstream - (upstream * output).sum(axis: -1, keepingAxes: true))
    }
  }
}

/// x − ln Σ eˣ over one axis: the logarithm of ``softmax(_:axis:)``, without overflow or cancellation.
public func logSoftmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  overLastAxis(x, axis, in: "logSoftmax") { x in
    softmaxRows(x, logarithmic: true).recorded(x) { upstream, _, output in
      guard Recording.isOn else { return softmaxGradientRows(upstream, output, logarithmic: true) }
      return upstream - exp(output) * upstream.sum(axis: -1, keepingAxes: true)
    }
  }
}

private func overLastAxis(_ x: Tensor, _ axis: Int, in operation: String, _ body: (Tensor) -> Tensor) -> Tensor {
  let axis = x.checkedAxis(axis, in: operation)
  if axis == x.rank - 1 { return body(x) }
  var order = Array(x.shape.indices)
  order.swapAt(axis, x.rank - 1)
  return body(x.permuted(order)).permuted(order)
}

/// ln softmax(logits)[label], in nats and in one pass: minus PyTorch's `cross_entropy` without its mean.
///
/// - Parameters:
///   - logits: `[…, classes]`.
///   - labels: `[…]`, each in `0..<classes`.
/// - Returns: `[…]`.
public func categoricalLogLikelihood(_ logits: Tensor, _ labels: IndexTensor) -> Tensor {
  let operation = "categoricalLogLikelihood"
  guard let classes = logits.shape.last, Array(logits.shape.dropLast()) == labels.shape else {
    fail(operation, "the labels \(labels.shape) must have the shape of the logits \(logits.shape) without their last axis")
  }
  if let wrong = labels.scalars.firstIndex(where: { $0 < 0 || $0 >= classes }) {
    fail(
      operation, "label \(labels.scalars[wrong]) at position \(multiIndex(wrong, in: labels.shape)) of \(labels.shape) "
        + "is none of the \(classes) classes; labels count from 0")
  }
  let result = Storage(count: labels.count)
  let normalizers = Storage(count: labels.count)  // ln Σ eˣ
  let (x, y, z) = (logits.storage.pointer, result.pointer, normalizers.pointer)
  parallel(labels.count, work: 2 * logits.count) { rows in
    for row in rows {
      let largest = rowMaximum(x + row * classes, classes)
      let sum = Foundation.log(rowExponentials(x + row * classes, classes, minus: largest, into: nil))
      z[row] = largest + sum
      y[row] = (x[row * classes + Int(labels.scalars[row])] - largest) - sum
    }
  }
  return Tensor(storage: result, shape: labels.shape).recorded(logits) { upstream, inputs, _ in
    guard Recording.isOn else { return categoricalGradientRows(upstream, inputs[0], labels, normalizers) }
    let probabilities = softmax(inputs[0])
    return upstream.reshaped(to: labels.shape + [1]) * (oneHotRows(labels, classes) - probabilities)
  }
}

private func softmaxRows(_ x: Tensor, logarithmic: Bool) -> Tensor {
  let width = x.shape[x.rank - 1]
  let result = Storage(count: x.count)
  let (source, target) = (x.storage.pointer, result.pointer)
  parallel(x.count / max(1, width), work: 2 * x.count) { rows in
    for row in rows {
      let (x, y) = (source + row * width, target + row * width)
      let largest = rowMaximum(x, width)
      let sum = rowExponentials(x, width, minus: largest, into: logarithmic ? nil : y)
      let logarithm = logarithmic ? Foundation.log(sum) : 0
      for i in stride(from: 0, to: width, by: 16) {
        let value = Vector(row: (logarithmic ? x : y) + i, count: width - i)
        (logarithmic ? (value - largest) - logarithm : value * (1 / sum)).store(to: y + i, count: width - i)
      }
    }
  }
  return Tensor(storage: result, shape: x.shape)
}

private func softmaxGradientRows(_ upstream: Tensor, _ output: Tensor, logarithmic: Bool) -> Tensor {
  let width = output.shape[output.rank - 1]
  let result = Storage(count: output.count)
  let (u, y, target) = (upstream.storage.pointer, output.storage.pointer, result.pointer)
  parallel(output.count / max(1, width), work: output.count) { rows in
    for start in rows.lazy.map({ $0 * width }) {
      let sum = logarithmic ? rowSum(u + start, width) : rowProduct(u + start, y + start, width)
      for i in stride(from: start, to: start + width, by: 16) {
        let (ui, yi) = (Vector(row: u + i, count: start + width - i), Vector(row: y + i, count: start + width - i))
        (logarithmic ? fma(weightExp(yi), Vector(repeating: -sum), ui) : yi * (ui - sum))
          .store(to: target + i, count: start + width - i)
      }
    }
  }
  return Tensor(storage: result, shape: output.shape)
}

private func categoricalGradientRows(
  _ upstream: Tensor, _ logits: Tensor, _ labels: IndexTensor, _ normalizers: Storage
) -> Tensor {
  let width = logits.shape[logits.rank - 1]
  let result = Storage(count: logits.count)
  let (u, source, target, z) = (
    upstream.storage.pointer, logits.storage.pointer, result.pointer, normalizers.pointer
  )
  parallel(labels.count, work: 2 * logits.count) { rows in
    for row in rows {
      let (x, y) = (source + row * width, target + row * width)
      for i in stride(from: 0, to: width, by: 16) {
        (weightExp(Vector(row: x + i, count: width - i) - z[row]) * -u[row]).store(to: y + i, count: width - i)
      }
      y[Int(labels.scalars[row])] += u[row]
    }
  }
  return Tensor(storage: result, shape: logits.shape)
}

private func oneHotRows(_ labels: IndexTensor, _ classes: Int) -> Tensor {
  var values = [Float](repeating: 0, count: labels.count * classes)
  for (row, label) in labels.scalars.enumerated() { values[row * classes + Int(label)] = 1 }
  return Tensor(values, shape: labels.shape + [classes])
}
