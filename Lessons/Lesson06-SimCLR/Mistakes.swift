import LessonKit

// Wrong answers that people write, each with the sentence that would help. Students' copies hold none of this.

let mistakes: [KnownMistakes] = [
  cosineExercise.knownMistakes([
    Mistake("These are inner products over τ: divide each row by its length first.") { products($0) / $1 },
    Mistake("The cosines are multiplied by τ: divide by it, so that a low temperature makes differences large.") {
      products(unit($0)) * $1
    },
    Mistake("The temperature is missing: divide the cosines by τ.") { z, _ in products(unit(z)) },
    Mistake("Rows are divided by their squared length: take its square root.") {
      products($0 / square($0).sum(axis: 1, keepingAxes: true)) / $1
    },
    Mistake("Columns have length 1 in place of rows: a view's features are summed over axis 1.") {
      products($0 / sqrt(square($0).sum(axis: 0, keepingAxes: true))) / $1
    },
    Mistake("All rows are divided by one number: each view has a length of its own.") {
      products($0 / sqrt(square($0).sum())) / $1
    },
    Mistake("Each view is divided by the temperature, so the scores are by its square: divide once.") {
      products(unit($0) / $1) / 1
    },
    Mistake("The values are right, but no gradient goes through the lengths: do not detach them.") {
      products($0 / sqrt(square($0).sum(axis: 1, keepingAxes: true)).detached()) / $1
    },
  ]),
  lossExercise.knownMistakes([
    Mistake("A view is among its own candidates: take the diagonal out of the sum, there the cosine is always 1.") {
      crossEntropy(products(unit($0)) / $1).mean()
    },
    Mistake("The loss is summed over the views: it is their mean.") { crossEntropy(masked($0, $1)).sum() },
    Mistake("Only the first views look for their partners: the mean is over all 2N, both directions.") {
      crossEntropy(masked($0, $1)).sliced(0..<$0.shape[0] / 2, axis: 0).mean()
    },
    Mistake("Partners are taken to be neighbours, rows 2i and 2i + 1: here they are rows i and N + i.") { z, tau in
      crossEntropy(masked(z, tau), partner: { $0 ^ 1 }).mean()
    },
    Mistake("The loss has the wrong sign: it is minus the log-probability of the partner.") {
      -crossEntropy(masked($0, $1)).mean()
    },
    Mistake("The views are not divided by their lengths: the scores are cosines over τ.") {
      crossEntropy(products($0) / $1 - itself($0) * 1e9).mean()
    },
    Mistake("The partner is left out of the denominator: it is one of the 2N − 1 candidates.") { z, tau in
      let scores = masked(z, tau)
      let half = z.shape[0] / 2
      let others = scores - itself(z).rolled(by: half, axis: 1) * 1e9
      return (others.logSumExp(axis: 1) - scores.logSumExp(axis: 1) + crossEntropy(scores)).mean()
    },
    Mistake("Only second views are candidates: the other first views belong to the sum as well.") { z, tau in
      let half = z.shape[0] / 2
      let scores = products(unit(z)) / tau
      let (a, b) = (scores.sliced([0..<half, half..<2 * half]), scores.sliced([half..<2 * half, 0..<half]))
      return (crossEntropy(a, partner: { $0 }) + crossEntropy(b, partner: { $0 })).mean() / 2
    },
  ]),
  estimateExercise.knownMistakes([
    Mistake("This is minus the loss: add ln N, what there is to know about which candidate it is.") {
      -crossEntropy($0, partner: { $0 }).mean()
    },
    Mistake("This is the loss itself: the estimate is ln N less it.") { crossEntropy($0, partner: { $0 }).mean() },
    Mistake("The loss is added to ln N: subtract it.") {
      log(Float($0.shape[0])) + crossEntropy($0, partner: { $0 }).mean()
    },
    Mistake("This is in bits: take natural logarithms.") {
      (log(Float($0.shape[0])) - crossEntropy($0, partner: { $0 }).mean()) / log(Float(2))
    },
    Mistake("The softmax runs down the columns: for each x it is taken over the candidates y, along a row.") {
      log(Float($0.shape[0])) - crossEntropy($0.transposed(), partner: { $0 }).mean()
    },
    Mistake("The losses are summed over the pairs: take their mean.") {
      log(Float($0.shape[0])) - crossEntropy($0, partner: { $0 }).sum()
    },
    Mistake("The right candidate is missing from the denominator, so that the estimate can exceed ln N.") {
      log(Float($0.shape[0])) + (($0 * itself($0)).sum(axis: 1) - ($0 - itself($0) * 1e9).logSumExp(axis: 1)).mean()
    },
    Mistake("There are N candidates, the right one among them: ln N, not ln (N − 1).") {
      log(Float($0.shape[0] - 1)) - crossEntropy($0, partner: { $0 }).mean()
    },
  ]),
  viewsExercise.knownMistakes([
    Mistake("Both views are the same: draw a second time.") { images, augmentations, random in
      images.augmented(by: augmentations, using: &random).tiled(times: 2, axis: 0)
    },
    Mistake("The second view is the image itself: both are augmented.") { images, augmentations, random in
      concatenate([images.augmented(by: augmentations, using: &random), images], axis: 0)
    },
    Mistake("Views of an image follow each other: all first views come first, then all second ones.") {
      images, augmentations, random in
      let (a, b) = (
        images.augmented(by: augmentations, using: &random), images.augmented(by: augmentations, using: &random)
      )
      return stack([a, b], axis: 1).reshaped(to: [-1] + images.shape.dropFirst())
    },
    Mistake("The second view is made from the first: it starts from the image again.") {
      images, augmentations, random in
      let a = images.augmented(by: augmentations, using: &random)
      return concatenate([a, a.augmented(by: augmentations, using: &random)], axis: 0)
    },
    Mistake("The second views come first.") { images, augmentations, random in
      let a = images.augmented(by: augmentations, using: &random)
      return concatenate([images.augmented(by: augmentations, using: &random), a], axis: 0)
    },
    Mistake("The second views are in another order than the first: view N + i is of image i.") {
      images, augmentations, random in
      let a = images.augmented(by: augmentations, using: &random)
      return concatenate([a, images.augmented(by: augmentations, using: &random).flipped(axis: 0)], axis: 0)
    },
  ]),
]

private func unit(_ z: Tensor) -> Tensor { z / sqrt(square(z).sum(axis: 1, keepingAxes: true)) }
private func products(_ z: Tensor) -> Tensor { matmul(z, z, transposingSecond: true) }
private func itself(_ z: Tensor) -> Tensor {
  oneHot(IndexTensor((0..<z.shape[0]).map(Int32.init)), classes: z.shape[0])
}
private func masked(_ z: Tensor, _ temperature: Float) -> Tensor { products(unit(z)) / temperature - itself(z) * 1e9 }

/// −log softmax of each row at its partner, half the rows further on or as told.
private func crossEntropy(_ scores: Tensor, partner: ((Int) -> Int)? = nil) -> Tensor {
  let count = scores.shape[0]
  let places = (0..<count).map { Int32(partner?($0) ?? ($0 + count / 2) % count) }
  return scores.logSumExp(axis: 1)
    - scores.gathered(at: IndexTensor(places, shape: [count, 1]), axis: 1).reshaped(to: [count])
}
