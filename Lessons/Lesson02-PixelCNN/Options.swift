import ArgumentParser
import LessonKit

/// The options of every lesson and this one's own.
struct PixelCNNOptions: ParsableArguments {
  @Option(name: .customLong("class"), help: ArgumentHelp("Sample this class alone, 0 to 9.", valueName: "N"))
  var label: Int?

  @Flag(
    name: .customLong("validate"),
    help: "Measure on a fifth of the training images, held back, not on the test images: for choosing settings.")
  var validates = false

  @OptionGroup var lesson: LessonOptions

  func validate() throws {
    guard let label, !(0...9).contains(label) else { return }
    throw ValidationError("--class \(label): there is no such class; the labels are 0 to 9.")
  }
}
