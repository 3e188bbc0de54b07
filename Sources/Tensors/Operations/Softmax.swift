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

/// ln softmax(logits)[label], in nats: minus PyTorch's `cross_entropy` without its mean.
///
/// - Parameters:
///   - logits: `[…, classes]`.
///   - labels: `[…]`, each in `0..<classes`.
/// - Returns: `[…]`.
public func categoricalLogLikelihood(_ logits: Tensor, _ labels: IndexTensor) -> Tensor {
  let operation = "categoricalLogLikelihood"
  guard let classes = logits.shape.last, Array(logits.shape.dropLast()) == labels.shape else {
    fail(
      operation, "the labels \(labels.shape) must have the shape of the logits \(logits.shape) without the last axis")
  }
  labels.check(into: logits.rank - 1, of: logits.shape, in: operation)
  let logarithms = softmaxRows(logits, logarithmic: true)
  let source = logarithms.storage.pointer
  let picked = labels.scalars.enumerated().map { row, label in source[row * classes + Int(label)] }
  return Tensor(picked, shape: labels.shape).recorded(logits) { upstream, inputs, _ in
    guard Recording.isOn else { return categoricalGradientRows(upstream, labels, logarithms) }
    return upstream.reshaped(to: labels.shape + [1]) * (oneHot(labels, classes: classes) - softmax(inputs[0]))
  }
}

private func softmaxRows(_ x: Tensor, logarithmic: Bool) -> Tensor {
  let (result, width) = (Storage(count: x.count), x.shape[x.rank - 1])
  let (source, target) = (x.storage.pointer, result.pointer)
  parallel(x.count / max(1, width), work: 2 * x.count) { rows in
    for row in rows {
      let (x, y) = (source + row * width, target + row * width)
      let largest = rowMaximum(x, width)
      let sum = rowExponentials(x, width, minus: largest, into: logarithmic ? nil : y)
      let logarithm = logarithmic ? Foundation.log(sum) : 0
      for i in stride(from: 0, to: width, by: 16) {
        let value = RowLanes((logarithmic ? x : y) + i, width - i)[0]
        RowLanes(y + i, width - i)[0] = logarithmic ? (value - largest) - logarithm : value * (1 / sum)
      }
    }
  }
  return Tensor(storage: result, shape: x.shape)
}

private func softmaxGradientRows(_ upstream: Tensor, _ output: Tensor, logarithmic: Bool) -> Tensor {
  let (result, width) = (Storage(count: output.count), output.shape[output.rank - 1])
  let (upstreams, outputs, target) = (upstream.storage.pointer, output.storage.pointer, result.pointer)
  parallel(output.count / max(1, width), work: output.count) { rows in
    for row in rows {
      let (u, y) = (upstreams + row * width, outputs + row * width)
      let sum = rowSum(u, times: logarithmic ? nil : y, width)
      for i in stride(from: 0, to: width, by: 16) {
        let (ui, yi) = (RowLanes(u + i, width - i)[0], RowLanes(y + i, width - i)[0])
        RowLanes(target + row * width + i, width - i)[0] =
          logarithmic ? fma(weightExp(yi), Vector(repeating: -sum), ui) : yi * (ui - sum)
      }
    }
  }
  return Tensor(storage: result, shape: output.shape)
}

/// upstream·(1 where the class is the label − probability), from the probabilities' logarithms.
private func categoricalGradientRows(_ upstream: Tensor, _ labels: IndexTensor, _ logarithms: Tensor) -> Tensor {
  let (result, width) = (Storage(count: logarithms.count), logarithms.shape[logarithms.rank - 1])
  let (upstreams, source, target) = (upstream.storage.pointer, logarithms.storage.pointer, result.pointer)
  parallel(labels.count, work: logarithms.count) { rows in
    for row in rows {
      let (x, y) = (source + row * width, target + row * width)
      for i in stride(from: 0, to: width, by: 16) {
        RowLanes(y + i, width - i)[0] = weightExp(RowLanes(x + i, width - i)[0]) * -upstreams[row]
      }
      y[Int(labels.scalars[row])] += upstreams[row]
    }
  }
  return Tensor(storage: result, shape: logarithms.shape)
}
