/// A step of a recorded computation.
final class Node: @unchecked Sendable {
}
