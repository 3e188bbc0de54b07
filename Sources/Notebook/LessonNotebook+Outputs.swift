import Figures
import Foundation

extension LessonNotebook {
  /// Puts out a line of text, like `Swift.print`.
  public func print(_ items: Any..., separator: String = " ", line: Int = #line, file: String = #filePath) {
    let text = items.map { "\($0)" }.joined(separator: separator)
    let place = place(line, file)
    say(text)
    state.withLock { $0.page.print(text, line: place) }
    publish()
  }

  /// Puts out a heading among the results; the headings of prose are told in the terminal by themselves.
  public func heading(_ text: String, line: Int = #line, file: String = #filePath) {
    let place = place(line, file)
    say("\n" + terminal.bold(text))
    let key = CellOutput.Key(line: line, kind: "heading", name: text)
    put(
      CellOutput(
        key: key, html: "<h3>\(escaped(text))</h3>",
        media: [("text/plain", jsonString(text)), ("text/markdown", jsonString("### \(text)"))]), line: place)
  }

  /// Puts out a table; floating-point numbers are shown with five significant digits, columns of numbers on the right.
  public func table(
    headers: [String], rows: [[Any]], caption: String? = nil, line: Int = #line, file: String = #filePath
  ) {
    let table = TableContent(headers: headers, rows: rows, caption: caption)
    let place = place(line, file)
    say(table.text)
    put(CellOutput(table: table, line: line), line: place)
  }

  /// Shows a figure and writes it as `<name>.png` and `<name>.svg`; a figure that cannot be drawn is warned of.
  ///
  /// - Parameters:
  ///   - figure: the figure.
  ///   - name: the files' name without extension.
  ///   - caption: a sentence below the figure.
  ///   - isInTerminal: whether to draw it in a terminal that has colours; by default a grid of images is, the first time.
  public func show(
    _ figure: some Figure, named name: String, caption: String? = nil, inTerminal isInTerminal: Bool? = nil,
    line: Int = #line, file: String = #filePath
  ) {
    let name = OutputFolder.fileName(name)
    let place = place(line, file)
    do {
      let png = try figure.png()
      let svg = Data(figure.svg().utf8)
      warning("the figure \(name)") {
        try output.write(png, to: "\(name).png")
        try output.write(svg, to: "\(name).svg")
      }
      let picture = PictureContent(
        name: name, caption: caption, alternativeText: figure.alternativeText, png: png, svg: svg,
        budget: state.withLock { $0.page.budget })
      let isFirst = state.withLock { $0.drawnLines.insert(line).inserted }
      draw(png, inTerminal: isInTerminal ?? (figure is ImageGrid && isFirst))
      say("\(caption.map { "\($0) " } ?? "")\(terminal.faint("→ \(path("\(name).png"))"))")
      put(picture, line: line, place: place)
    } catch {
      warn("the figure \(name) cannot be drawn: \(oneLine(error))")
      put(CellOutput(missing: name, reason: oneLine(error), line: line), line: place)
    }
  }

  /// Puts out a sound that the page can play, and writes it as `<name>.wav`, 16 bits.
  ///
  /// - Parameters:
  ///   - samples: the sound, `[time]`, from −1 to 1.
  ///   - sampleRate: samples a second.
  ///   - name: the file's name without extension.
  ///   - caption: a sentence below it.
  public func audio(
    _ samples: [Float], sampleRate: Int, named name: String, caption: String? = nil, line: Int = #line,
    file: String = #filePath
  ) {
    let name = OutputFolder.fileName(name)
    let place = place(line, file)
    guard !samples.isEmpty, sampleRate > 0 else {
      warn("the sound \(name) has \(samples.count) samples at \(sampleRate) a second: nothing to hear")
      return put(CellOutput(missing: name, reason: "it has no samples", line: line), line: place)
    }
    if samples.contains(where: { !$0.isFinite }) {
      warn("the sound \(name) has samples that are not finite: silent there")
    }
    let wave = Sound(samples: samples, rate: sampleRate).wave
    warning("the sound \(name)") { try output.write(wave, to: "\(name).wav") }
    say("\(caption.map { "\($0) " } ?? "")\(terminal.faint("→ \(path("\(name).wav"))"))")
    guard wave.count * 4 / 3 < state.withLock({ $0.page.budget }) else {
      warn("the sound \(name) is too large for the page; it is in \(path("\(name).wav"))")
      return put(CellOutput(missing: name, reason: "it is too large; see \(name).wav", line: line), line: place)
    }
    put(CellOutput(sound: wave, name: name, caption: caption, line: line), line: place)
  }

  /// Shows the source file, in the lesson's folder, that declares a type, with its exercises marked.
  public func source(of type: Any.Type, line: Int = #line, file: String = #filePath) {
    let name = String(describing: type).prefix { $0 != "<" }
    let place = place(line, file)
    let folder = URL(fileURLWithPath: source).deletingLastPathComponent()
    guard let found = SourceListing.file(declaring: String(name), in: folder),
      let text = try? String(contentsOf: found, encoding: .utf8)
    else { return warn("the source of \(name) is not in \(folder.path); the page will not show it") }
    let listing = SourceListing(name: found.lastPathComponent, text: text)
    warn(of: listing.problems, in: found.path)
    let key = CellOutput.Key(line: line, kind: "source", name: listing.name)
    put(
      CellOutput(
        key: key, html: listing.html,
        media: [("text/plain", jsonString(listing.name)), ("text/markdown", jsonString(listing.markdown))]), line: place
    )
  }

  /// Records a measured quantity with its unit and all that is known to compare it with, and writes `results.json`.
  ///
  /// - Parameters:
  ///   - name: what was measured, such as `test −ELBO`; a later value with the same name takes its place.
  ///   - value: the measured value, in `unit`.
  ///   - standardError: the standard error of the value.
  ///   - unit: the unit, such as `nats/image`.
  ///   - floor: the best value any model can reach, if it is known exactly.
  ///   - baseline: what a trivial model reaches.
  ///   - baselineName: what the trivial model is, such as `one Gaussian`.
  public func measure(
    _ name: String, _ value: any BinaryFloatingPoint, standardError: (any BinaryFloatingPoint)? = nil,
    unit: String? = nil, floor: (any BinaryFloatingPoint)? = nil, baseline: (any BinaryFloatingPoint)? = nil,
    baselineName: String = "baseline", line: Int = #line, file: String = #filePath
  ) {
    let measurement = Measurement(
      name: name, value: decimal(value), standardError: standardError.map(decimal), unit: unit,
      floor: floor.map(decimal), baseline: baseline.map(decimal), baselineName: baselineName)
    let place = place(line, file)
    state.withLock { $0.results.record(measurement) }
    say(measurement.verdictText)
    writeResults()
    put(CellOutput(measurement: measurement, line: line), line: place)
  }

  func put(_ picture: PictureContent, line: Int, place: Int?) {
    state.withLock { if $0.page.picture == nil { $0.page.picture = "\(picture.name).png" } }
    if !picture.isEmbedded {
      warn("the page would be over 5 MB with the figure \(picture.name): it refers to the file")
    }
    put(CellOutput(picture: picture, line: line), line: place)
  }

  private func draw(_ png: Data, inTerminal isInTerminal: Bool) {
    guard isInTerminal, terminal.hasTrueColour, let image = try? PNGImage(decoding: png) else { return }
    say(TerminalPicture(image, columns: min(terminal.width - 4, 72), rows: 24).text)
  }
}

/// A number with the decimals its own type shows: `Float(0.1)` gives 0.1.
private func decimal(_ value: any BinaryFloatingPoint) -> Double {
  if let value = value as? Float { return Double("\(value)") ?? Double(value) }
  return Double(value)
}
