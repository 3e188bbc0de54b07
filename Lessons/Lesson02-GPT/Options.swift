import ArgumentParser
import LessonKit

/// The options of this lesson beside those of all.
struct GPTOptions: ParsableArguments {
  @OptionGroup var lesson: LessonOptions
  @Option(help: "The text that the model is to go on from.") var prompt = "And the LORD said unto "
  @Option(help: "Divides the logits: 0 takes the likeliest token, 1 draws from the model's law.")
  var temperature: Float = 0.7
  @Option(help: ArgumentHelp("Draws from the K likeliest tokens alone. (default: all)", valueName: "K")) var topK: Int?

  func validate() throws {
    if prompt.isEmpty { throw ValidationError("--prompt needs at least one character.") }
    if !temperature.isFinite || temperature < 0 {
      throw ValidationError("--temperature \(temperature): it must be a number from 0 up.")
    }
    if let topK, topK < 1 { throw ValidationError("--top-k \(topK): at least 1 token must be left to draw from.") }
  }

  /// The tokens of the prompt, once text and model are known and fit together.
  func tokens(in vocabulary: Vocabulary, context: Int, _ validation: Int, _ test: Int) throws -> [Int32] {
    if min(validation, test) < 8 * context {
      throw Refusal("\(lesson.data ?? "the data"): the text is too short; give \(180 * context) characters or more")
    }
    if vocabulary.count > 320 {
      throw Refusal(
        "\(lesson.data ?? "the data"): \(vocabulary.count) different characters; 3-grams of at most 320 are counted")
    }
    if let odd = prompt.unicodeScalars.first(where: { !vocabulary.characters.contains($0) }) {
      throw Refusal("--prompt: the text that the model learns from does not hold \(String(odd).debugDescription)")
    }
    if let topK, topK > vocabulary.count {
      throw Refusal("--top-k \(topK): there are only \(vocabulary.count) characters")
    }
    let tokens = vocabulary.tokens(of: prompt)?.scalars ?? []
    if tokens.count >= context / 2 {
      throw Refusal("--prompt has \(tokens.count) characters; the models read at most \(context / 2 - 1)")
    }
    return tokens
  }
}

/// What a run cannot be started with, in one line.
struct Refusal: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
