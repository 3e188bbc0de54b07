import Testing

/// A call that stops the program: the operation that the message names, other parts of it, and the line that it gives.
package struct Mistake: CustomTestStringConvertible, Sendable {
  package let testDescription: String
  package let parts: [String]
  package let line: Int
  package let body: @Sendable () -> Void

  package init(_ name: String, _ parts: String..., line: Int = #line, body: @escaping @Sendable () -> Void) {
    testDescription = name
    self.parts = parts
    self.line = line
    self.body = body
  }
}
