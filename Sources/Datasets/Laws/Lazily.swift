import Foundation

/// A value computed when it is first asked for, once, whatever thread asks.
final class Lazily<Value: Sendable>: @unchecked Sendable {
  /// Guards `known`.
  private let lock = NSLock()
  private var known: Value?
  private let compute: @Sendable () -> Value

  init(_ compute: @escaping @Sendable () -> Value) { self.compute = compute }

  var value: Value {
    lock.withLock {
      if let known { return known }
      let value = compute()
      known = value
      return value
    }
  }
}
