import Foundation

/// What a call put out, ready for the page and for Jupyter.
struct CellOutput: Sendable {
  /// What is shown once only: a later output with the same key takes its place.
  struct Key: Hashable, Sendable {
    var line: Int
    var kind: String
    var name: String

    /// The call alone, whatever the output's name.
    var call: Key { Key(line: line, kind: kind, name: "") }
  }

  var key: Key
  /// HTML for the page.
  var html: String
  /// An output object of nbformat 4.5.
  var jupyter: String
}

/// What a cell put out, in order.
struct CellOutputs: Sendable {
  /// Lines of text that follow each other are one output, whose middle is left out when there are many.
  private struct Text: Sendable {
    var head: [String] = []
    var tail: [String] = []
    var count = 0

    mutating func append(_ line: String) {
      count += 1
      if head.count < 20 { head.append(line) } else { tail.append(line) }
      if tail.count > 40 { tail.removeFirst(20) }
    }

    var lines: [String] {
      let missing = count - head.count - tail.count
      return head + (missing > 0 ? ["… \(missing) more lines …"] : []) + tail
    }
  }

  private enum Item: Sendable {
    case text(Text)
    case output(CellOutput)
  }

  /// A call that shows many things, in a loop, has the first and the latest of them shown, at most so many.
  private static func longestHistory(of kind: String) -> Int {
    switch kind {
    case "figure", "sound": 12
    case "progress": 6
    default: 40
    }
  }

  private var items: [Item] = []
  /// How many things a call has put out that are no longer shown.
  private var omitted: [CellOutput.Key: Int] = [:]

  var isEmpty: Bool { items.isEmpty }

  /// Bytes of the outputs on the page, texts apart.
  var size: Int {
    items.map { item in
      if case .output(let output) = item { return output.html.utf8.count }
      return 0
    }.reduce(0, +)
  }

  /// Adds lines of text.
  mutating func print(_ text: String) {
    var block = Text()
    if case .text(let last) = items.last {
      block = last
      items.removeLast()
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) { block.append(String(line)) }
    items.append(.text(block))
  }

  /// Adds an output, or puts it in the place of the one with its key.
  mutating func put(_ output: CellOutput) {
    func isSameCall(_ item: Item) -> Bool {
      guard case .output(let other) = item else { return false }
      return other.key.call == output.key.call
    }
    let same = items.indices.filter { isSameCall(items[$0]) }
    let place = same.first {
      if case .output(let other) = items[$0] { return other.key == output.key }
      return false
    }
    if let place {
      items[place] = .output(output)
    } else {
      if same.count >= Self.longestHistory(of: output.key.kind) {
        remove(at: same[1])
        omitted[output.key.call, default: 0] += 1
      }
      items.append(.output(output))
    }
  }

  /// Removes an item; texts that it stood between become one.
  private mutating func remove(at index: Int) {
    items.remove(at: index)
    guard index > 0, index < items.count, case .text(var first) = items[index - 1],
      case .text(let second) = items[index]
    else { return }
    for line in second.lines { first.append(line) }
    items[index - 1] = .text(first)
    items.remove(at: index)
  }

  /// The outputs for the page; figures of one call stand beside each other.
  var html: String {
    var result = ""
    var missing = omitted
    var row: [CellOutput] = []
    func closeRow() {
      guard !row.isEmpty else { return }
      let inner = row.map(\.html).joined(separator: "\n")
      let isRow = row.count > 1 && ["figure", "sound"].contains(row[0].key.kind)
      result += isRow ? "<div class=\"row\">\n\(inner)\n</div>\n" : inner + "\n"
      if let count = missing.removeValue(forKey: row[0].key.call) {
        result += "<p class=\"note\">… \(count) more …</p>\n"
      }
      row = []
    }
    for item in items {
      switch item {
      case .text(let text):
        closeRow()
        result += "<pre class=\"text\" tabindex=\"0\">\(escaped(text.lines.joined(separator: "\n")))</pre>\n"
      case .output(let output):
        if let last = row.last, last.key.call != output.key.call { closeRow() }
        row.append(output)
      }
    }
    closeRow()
    return result
  }

  /// The outputs as Jupyter has them.
  var jupyter: [String] {
    items.map { item in
      switch item {
      case .text(let text):
        let content = jsonString(text.lines.joined(separator: "\n") + "\n")
        return "{\"output_type\": \"stream\", \"name\": \"stdout\", \"text\": \(content)}"
      case .output(let output): return output.jupyter
      }
    }
  }
}

extension CellOutput {
  /// An output that shows the same thing in several media types.
  init(key: Key, html: String, media: [(type: String, json: String)]) {
    let data = media.map { "\"\($0.type)\": \($0.json)" }.joined(separator: ", ")
    self.init(
      key: key, html: html, jupyter: "{\"output_type\": \"display_data\", \"metadata\": {}, \"data\": {\(data)}}")
  }
}
