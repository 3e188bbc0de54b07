import ArgumentParser
import LessonKit

/// The last layers, which the probe does not see: one linear layer (v1) or two with rectifiers between (v2).
nonisolated enum Head: String, CaseIterable, ExpressibleByArgument { case linear, mlp }

/// How the learning rate falls: by steps (v1) or along half a cosine (v2).
nonisolated enum Falling: String, CaseIterable, ExpressibleByArgument { case steps, cosine }

/// What makes two views of an image: v2 adds blur to v1.
nonisolated enum Views: String, CaseIterable, ExpressibleByArgument { case v1, v2 }

/// The three things that change from v1 to v2 (Chen and others 2020, arXiv 2003.04297).
struct Recipe {
  var head = Head.linear
  var augmentation = Views.v1
  var schedule = Falling.steps

  static let v2 = Recipe(head: .mlp, augmentation: .v2, schedule: .cosine)

  /// Flips are for garments alone: a flipped digit shows something else.
  func augmentations(flipping: Bool) -> [Augmentation] {
    let views: [Augmentation] = [
      .rotation(degrees: -20...20), .crop(area: 0.5...1, aspectRatio: 0.6...1.6), .noise(0.05),
    ]
    let blur = Augmentation.sometimes(0.5, [.blur(deviation: 0.1...0.6)])
    return (flipping ? [.flip()] : []) + views + (augmentation == .v2 ? [blur] : [])
  }

  func learningRates(from rate: Float, steps: Int) -> Schedule {
    switch schedule {
    case .cosine: .cosine(from: rate, steps: steps)
    // Both drops of the paper, at 60 % and 80 % of the way.
    case .steps: Schedule { rate * ($0 * 5 < steps * 3 ? 1 : $0 * 5 < steps * 4 ? 0.1 : 0.01) }
    }
  }
}

/// `swift run Lesson06-MoCo --head linear --augmentation v1 --schedule steps` trains the first version.
struct MoCoOptions: ParsableArguments {
  @Option(help: "The projection head of the main run: \(names(Head.self)).")
  var head = Head.mlp

  @Option(help: "The views of the main run: \(names(Views.self)).")
  var augmentation = Views.v2

  @Option(help: "The learning rate of the main run falls by: \(names(Falling.self)).")
  var schedule = Falling.cosine

  @OptionGroup var lesson: LessonOptions

  var recipe: Recipe { Recipe(head: head, augmentation: augmentation, schedule: schedule) }
}

private nonisolated func names<Choice: CaseIterable & RawRepresentable<String>>(_: Choice.Type) -> String {
  Choice.allCases.map(\.rawValue).joined(separator: " or ")
}
