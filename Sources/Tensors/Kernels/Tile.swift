import COpenBLAS

/// A block of sums that stays in registers: `count` rows of one or two vectors.
///
/// Tiles are built from smaller ones, since an array, even of fixed size, lives in memory: 40 instead of 105 GFLOP/s.
@usableFromInline package protocol Tile {
  associatedtype Row: TileRow
  static var count: Int { get }
  init(loading pointer: Pointer, stride: Int)
  /// Adds x[row·step]·factor to each row.
  mutating func add(_ x: Pointer, _ step: Int, times factor: Row)
  /// Stores each row, values below `floor` replaced by it where there is one.
  func store(to pointer: Pointer, stride: Int, floor: Vector?)
}

/// A tile of one row; also what rows are multiplied by.
@usableFromInline package protocol TileRow: Tile where Row == Self {
  /// Floats loaded, and results stored.
  static var width: Int { get }
  static var results: Int { get }
  init(repeating value: Float)
}

extension TileRow {
  @inlinable package static var count: Int { 1 }
  @inlinable package static var results: Int { width }
}

/// One value times thirty-two factors.
@usableFromInline package struct WideRow: TileRow {
  @usableFromInline package typealias Row = Self
  @inlinable package static var width: Int { 32 }
  @usableFromInline var (a, b): (Vector, Vector)

  @inlinable @inline(always) package init(repeating value: Float) {
    (a, b) = (Vector(repeating: value), Vector(repeating: value))
  }
  @inlinable @inline(always) package init(loading pointer: Pointer, stride: Int) {
    (a, b) = (Vector(loading: pointer), Vector(loading: pointer + 16))
  }
  @inlinable @inline(always) package mutating func add(_ x: Pointer, _ step: Int, times factor: Self) {
    let value = Vector(repeating: x[0])
    a = fma(value, factor.a, a)
    b = fma(value, factor.b, b)
  }
  @inlinable @inline(always) package func store(to pointer: Pointer, stride: Int, floor: Vector?) {
    (floor.map { larger(a, $0) } ?? a).store(to: pointer)
    (floor.map { larger(b, $0) } ?? b).store(to: pointer + 16)
  }
}

/// What the rows of one vector differ in.
@usableFromInline package protocol RowKind {
  static var results: Int { get }
  static func load(_ x: Pointer) -> Vector
}

@usableFromInline package struct NarrowRow<Kind: RowKind>: TileRow {
  @usableFromInline package typealias Row = Self
  @inlinable package static var width: Int { 16 }
  @inlinable package static var results: Int { Kind.results }
  @usableFromInline var a: Vector

  @inlinable @inline(always) package init(repeating value: Float) { a = Vector(repeating: value) }
  @inlinable @inline(always) package init(loading pointer: Pointer, stride: Int) { a = Vector(loading: pointer) }
  @inlinable @inline(always) package mutating func add(_ x: Pointer, _ step: Int, times factor: Self) {
    a = fma(Kind.load(x), factor.a, a)
  }
  @inlinable @inline(always) package func store(to pointer: Pointer, stride: Int, floor: Vector?) {
    let sums = Kind.results == 16 ? a : Vector(repeating: a.lanesSum)
    let value = floor.map { larger(sums, $0) } ?? sums
    if Kind.results == 16 { value.store(to: pointer) } else { pointer[0] = value[0] }
  }
}

/// One value times sixteen factors.
@usableFromInline package enum SpreadValue: RowKind {
  @inlinable package static var results: Int { 16 }
  @inlinable @inline(always) package static func load(_ x: Pointer) -> Vector { Vector(repeating: x[0]) }
}

/// Sixteen values times a factor each.
@usableFromInline package enum ChannelLanes: RowKind {
  @inlinable package static var results: Int { 16 }
  @inlinable @inline(always) package static func load(_ x: Pointer) -> Vector { Vector(loading: x) }
}

/// Sixteen values times a factor each, all of them summed at the end.
@usableFromInline package enum LaneSum: RowKind {
  @inlinable package static var results: Int { 1 }
  @inlinable @inline(always) package static func load(_ x: Pointer) -> Vector { Vector(loading: x) }
}

/// The rows of one tile, then those of another.
@usableFromInline package struct Stack<A: Tile, B: Tile>: Tile where A.Row == B.Row {
  @usableFromInline package typealias Row = A.Row
  @inlinable package static var count: Int { A.count + B.count }
  @usableFromInline var a: A
  @usableFromInline var b: B

  @inlinable @inline(always) package init(loading pointer: Pointer, stride: Int) {
    a = A(loading: pointer, stride: stride)
    b = B(loading: pointer + A.count &* stride, stride: stride)
  }
  @inlinable @inline(always) package mutating func add(_ x: Pointer, _ step: Int, times factor: Row) {
    a.add(x, step, times: factor)
    b.add(x + A.count &* step, step, times: factor)
  }
  @inlinable @inline(always) package func store(to pointer: Pointer, stride: Int, floor: Vector?) {
    a.store(to: pointer, stride: stride, floor: floor)
    b.store(to: pointer + A.count &* stride, stride: stride, floor: floor)
  }
}

/// The largest tiles, by the registers: AVX-512 has 32 of a whole vector; AVX2 and NEON have half as many floats.
package enum TileLimit {
  private static let isLarge: Bool = {
    #if arch(x86_64)
      let cores = ["SkylakeX", "Cooperlake", "SapphireRapids"]
      return openblas_get_corename().map { cores.contains(String(cString: $0)) } ?? false
    #else
      return false
    #endif
  }()
  package static let width = isLarge ? 32 : 16

  /// A run of `count` rows cut into tiles of nearly one size.
  package static func parts(_ count: Int, width: Int) -> Int {
    let rows = width == 32 ? 14 : isLarge ? 8 : 6
    return (count + rows - 1) / rows
  }

  /// Whether a line of `count` results leaves tiles of four rows or fewer.
  package static func isNarrow(_ count: Int) -> Bool { !isLarge && count / parts(count, width: 16) <= 4 }
}

/// A run of rows cut into tiles: the first `longer` of `size + 1` rows, then `shorter` of `size`.
package struct Tiling {
  @usableFromInline let size, longer, shorter: Int

  package init(_ count: Int, parts: Int) {
    (size, longer) = count.quotientAndRemainder(dividingBy: max(1, parts))
    shorter = size > 0 ? parts - longer : 0
  }

  /// Calls `body` with the first row of neighbouring tiles, their number and the rows of each.
  @inlinable @inline(always) package func visit(_ body: (_ first: Int, _ tiles: Int, _ rows: Int) -> Void) {
    if longer > 0 { body(0, longer, size + 1) }
    if shorter > 0 { body(longer * (size + 1), shorter, size) }
  }
}

/// How channels meet.
@usableFromInline package enum TileChannels {
  /// Each target channel sums over all source channels, vectors holding target channels.
  case mixed
  /// The same with few target channels, vectors holding source channels.
  case mixedIntoFew
  /// Each channel keeps to itself.
  case separate
}

/// A loop over a tile of any size.
@usableFromInline package protocol TileLoop {
  func run<T: Tile>(_ tile: T.Type)
}

extension TileLoop {
  /// Runs the loop with a tile of `count` rows of the kind that suits the channels.
  @inlinable @inline(always) package func run(_ channels: TileChannels, width: Int, count: Int) {
    switch channels {
    case .mixed where width == 32: runWide(count: count)
    case .mixed: run(count: count, of: NarrowRow<SpreadValue>.self)
    case .mixedIntoFew: run(count: count, of: NarrowRow<LaneSum>.self)
    case .separate: run(count: count, of: NarrowRow<ChannelLanes>.self)
    }
  }

  @inlinable func runWide(count: Int) {
    typealias Four = Stack<Stack<WideRow, WideRow>, Stack<WideRow, WideRow>>
    typealias Seven = Stack<Four, Stack<Stack<WideRow, WideRow>, WideRow>>
    switch count {
    case 9: run(Stack<Seven, Stack<WideRow, WideRow>>.self)
    case 10: run(Stack<Seven, Stack<Stack<WideRow, WideRow>, WideRow>>.self)
    case 11: run(Stack<Seven, Four>.self)
    case 12: run(Stack<Seven, Stack<Four, WideRow>>.self)
    case 13: run(Stack<Seven, Stack<Four, Stack<WideRow, WideRow>>>.self)
    case 14: run(Stack<Seven, Seven>.self)
    default: run(count: count, of: WideRow.self)
    }
  }

  @inlinable func run<Row: TileRow>(count: Int, of row: Row.Type) {
    typealias Two = Stack<Row, Row>
    typealias Four = Stack<Two, Two>
    switch count {
    case 1: run(Row.self)
    case 2: run(Two.self)
    case 3: run(Stack<Two, Row>.self)
    case 4: run(Four.self)
    case 5: run(Stack<Four, Row>.self)
    case 6: run(Stack<Four, Two>.self)
    case 7: run(Stack<Four, Stack<Two, Row>>.self)
    default: run(Stack<Four, Four>.self)
    }
  }
}
