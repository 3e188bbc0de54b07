import Tensors

/// How many samples look like the data, and how much of the data the samples reach.
///
/// Each set is blown up to balls around its points, as large as the distance to the k-th nearest neighbour among them. Precision is
/// the share of samples within a ball of the data, recall the share of data within a ball of the samples (Kynkäänniemi et
/// al., "Improved Precision and Recall Metric for Assessing Generative Models", 2019, equations 1 and 2, arXiv 1904.06991).
public struct PrecisionAndRecall: Sendable {
  /// The share of samples within the data's balls.
  public let precision: Estimate
  /// The share of data within the samples' balls.
  public let recall: Estimate

  /// Both figures for `samples` and `data`, `[count, dimensions]` each; they compare best at equal counts.
  ///
  /// - Precondition: both sets have more than `neighbours` points, and as many dimensions.
  public init(of samples: Tensor, against data: Tensor, neighbours: Int = 3) {
    checkPoints("PrecisionAndRecall", samples, data, least: neighbours + 1)
    let distances = squaredDistances(samples, data)  // [samples, data]
    precision = Estimate((distances .<= ballSizes(of: data, neighbours).reshaped(to: [1, data.shape[0]])).max(axis: 1))
    recall = Estimate(
      (distances .<= ballSizes(of: samples, neighbours).reshaped(to: [samples.shape[0], 1])).max(axis: 0))
  }
}

/// The squared distance of each point from its k-th nearest neighbour, itself not counted: `[count]`.
private func ballSizes(of points: Tensor, _ neighbours: Int) -> Tensor {
  let sorted = squaredDistances(points, points).sorted(axis: 1).values
  return sorted.sliced(neighbours..<neighbours + 1, axis: 1).reshaped(to: [points.shape[0]])
}
