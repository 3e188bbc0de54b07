import LessonKit

/// What a sampler asks of a model: the scores of one pixel, from the pixels before it.
protocol PixelPredictor {
  /// The size of an image, and the number of levels of a pixel.
  var height: Int { get }
  var width: Int { get }
  var levels: Int { get }

  /// Scores of the levels of the pixel at `row`, `column`, `[batch, levels]`, given the pixels of `x` that come before it.
  ///
  /// Pixels are asked for in raster order; some may be left out.
  mutating func scores(_ x: Tensor, row: Int, column: Int) -> Tensor
}

/// A predictor that has its pixels from a model.
protocol ModelPredictor: PixelPredictor {
  var model: PixelCNN { get }
}

extension ModelPredictor {
  var height: Int { model.height }
  var width: Int { model.width }
  var levels: Int { model.levels }
}

/// Computes everything for every pixel: height · width features of each layer, height · width times.
struct FullPass: ModelPredictor {
  let model: PixelCNN
  let labels: IndexTensor

  func scores(_ x: Tensor, row: Int, column: Int) -> Tensor {
    let all = withoutGradients { inference { model(x, labels) } }  // [batch, height, width, levels]
    return all.sliced([0..<x.shape[0], row..<row + 1, column..<column + 1]).reshaped(to: [x.shape[0], model.levels])
  }
}

/// Computes the features of each place once, when the pixels that they read are known, and keeps them.
///
/// The vertical stack reads whole rows above, so that a row of it is computed as soon as the row above is drawn; the horizontal
/// stack reads what stands left, so that it moves on by one pixel at a time.
struct FeatureCache: ModelPredictor {
  let model: PixelCNN
  let labels: IndexTensor
  private var row = -1
  private var column = -1
  /// What each layer reads: its vertical stack, of rows 0 to `row`, and its horizontal stack, of columns 0 to `column` of `row`.
  private var vertical, horizontal: [Tensor]
  /// What each layer's vertical stack saw of `row`, `[batch, 1, width, 2·channels]`.
  private var above: [Tensor]

  init(_ model: PixelCNN, _ labels: IndexTensor) {
    (self.model, self.labels) = (model, labels)
    above = model.layers.map { _ in Tensor(0) }
    vertical = above
    horizontal = above + [Tensor(0)]
  }

  mutating func scores(_ x: Tensor, row: Int, column: Int) -> Tensor {
    withoutGradients {
      inference {
        let planes = model.planes(x)
        while self.row < row { beginRow(planes) }
        while self.column < column { advance(planes) }
        let last = horizontal[model.layers.count].sliced(column..<column + 1, axis: 2)  // [batch, 1, 1, channels]
        return model.head(last).reshaped(to: [x.shape[0], model.levels])
      }
    }
  }

  /// Moves the vertical stack on by one row.
  private mutating func beginRow(_ planes: Tensor) {
    (row, column) = (row + 1, -1)
    vertical[0] = planes
    for (index, layer) in model.layers.enumerated() {
      let rows = max(0, row - layer.size / 2)..<row + 1  // what the window reads
      above[index] = layer.above(vertical[index].sliced(rows, axis: 1), rows: rows.count - 1..<rows.count)
      guard index + 1 < model.layers.count else { return }
      let next = layer.down(above[index], labels)  // [batch, 1, width, channels]
      vertical[index + 1] = row == 0 ? next : concatenate([vertical[index + 1], next], axis: 1)
    }
  }

  /// Moves the horizontal stack on by one pixel.
  private mutating func advance(_ planes: Tensor) {
    column += 1
    horizontal[0] = planes.sliced(row..<row + 1, axis: 1)
    for (index, layer) in model.layers.enumerated() {
      let columns = max(0, column - layer.size / 2)..<column + 1
      let next = layer.right(
        horizontal[index].sliced(columns, axis: 2), above: above[index].sliced(column..<column + 1, axis: 2), labels,
        columns: columns.count - 1..<columns.count)  // [batch, 1, 1, channels]
      horizontal[index + 1] = column == 0 ? next : concatenate([horizontal[index + 1], next], axis: 2)
    }
  }
}

/// New images, `[count, height, width, 1]` in 0…1.
///
/// Draws, for each pixel in raster order, its level by one `IndexTensor.categorical` of the pixel's scores, `[count, levels]`.
func sample(_ count: Int, from predictor: inout any PixelPredictor, using random: inout Random) -> Tensor {
  // BEGIN SOLUTION PixelCNN.3
  var x = Tensor.zeros([count, predictor.height, predictor.width, 1])
  for row in 0..<predictor.height {
    for column in 0..<predictor.width {
      let scores = predictor.scores(x, row: row, column: column)  // [count, levels]
      let level = IndexTensor.categorical(logits: scores, using: &random)
      x = x.settingPixel(row, column, to: Tensor(level) / Float(predictor.levels - 1))
    }
  }
  return x
  // END SOLUTION
}

/// The images `x`, `[batch, height, width, 1]`, with the pixels drawn anew for which `known`, `[height, width]`, has 0.
///
/// Draws, for each such pixel in raster order and for no other, its level by one `IndexTensor.categorical` of its scores,
/// `[batch, levels]`.
func completed(
  _ x: Tensor, known: Tensor, from predictor: inout any PixelPredictor, using random: inout Random
) -> Tensor {
  // BEGIN SOLUTION PixelCNN.4
  var x = x
  for (place, isKnown) in known.scalars.enumerated() where isKnown == 0 {
    let (row, column) = (place / predictor.width, place % predictor.width)
    let scores = predictor.scores(x, row: row, column: column)  // [batch, levels]
    let level = IndexTensor.categorical(logits: scores, using: &random)
    x = x.settingPixel(row, column, to: Tensor(level) / Float(predictor.levels - 1))
  }
  return x
  // END SOLUTION
}

extension Tensor {
  /// The images `[batch, height, width, 1]` with other values, `[batch]`, at one pixel.
  func settingPixel(_ row: Int, _ column: Int, to values: Tensor) -> Tensor {
    let (batch, height, width) = (shape[0], shape[1], shape[2])
    let place = row * width + column
    return reshaped(to: [batch, height * width])
      .replacing(place..<place + 1, axis: 1, with: values.reshaped(to: [batch, 1])).reshaped(to: shape)
  }
}
