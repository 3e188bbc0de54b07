/// Eight rows of sixteen columns of a product, held in registers.
private struct TileColumn {
  var (r0, r1, r2, r3, r4, r5, r6, r7): (Vector, Vector, Vector, Vector, Vector, Vector, Vector, Vector)

  @inline(always) init() {
    let zero = Vector(repeating: 0)
    (r0, r1, r2, r3, r4, r5, r6, r7) = (zero, zero, zero, zero, zero, zero, zero, zero)
  }

  @inline(always) init(loading c: Pointer, stride: Int) {
    (r0, r1) = (Vector(loading: c), Vector(loading: c + stride))
    (r2, r3) = (Vector(loading: c + 2 * stride), Vector(loading: c + 3 * stride))
    (r4, r5) = (Vector(loading: c + 4 * stride), Vector(loading: c + 5 * stride))
    (r6, r7) = (Vector(loading: c + 6 * stride), Vector(loading: c + 7 * stride))
  }

  /// Adds the outer product of eight values of A and sixteen of B.
  @inline(always) mutating func add(_ a: Pointer, _ b: Vector) {
    r0 = fma(Vector(repeating: a[0]), b, r0)
    r1 = fma(Vector(repeating: a[1]), b, r1)
    r2 = fma(Vector(repeating: a[2]), b, r2)
    r3 = fma(Vector(repeating: a[3]), b, r3)
    r4 = fma(Vector(repeating: a[4]), b, r4)
    r5 = fma(Vector(repeating: a[5]), b, r5)
    r6 = fma(Vector(repeating: a[6]), b, r6)
    r7 = fma(Vector(repeating: a[7]), b, r7)
  }

  @inline(always) func store(to c: Pointer, stride: Int) {
    r0.store(to: c)
    r1.store(to: c + stride)
    r2.store(to: c + 2 * stride)
    r3.store(to: c + 3 * stride)
    r4.store(to: c + 4 * stride)
    r5.store(to: c + 5 * stride)
    r6.store(to: c + 6 * stride)
    r7.store(to: c + 7 * stride)
  }
}

/// `c[8, 32]` = (or +=) `a[depth, 8]ᵀ · b[depth, 32]`, both packed.
@inline(never)
func multiplyTile32(_ a: Pointer, _ b: Pointer, depth: Int, into c: Pointer, stride: Int, accumulating: Bool) {
  var left = accumulating ? TileColumn(loading: c, stride: stride) : TileColumn()
  var right = accumulating ? TileColumn(loading: c + 16, stride: stride) : TileColumn()
  var (a, b) = (a, b)
  for _ in 0..<depth {
    let (first, second) = (Vector(loading: b), Vector(loading: b + 16))
    left.add(a, first)
    right.add(a, second)
    a += 8
    b += 32
  }
  left.store(to: c, stride: stride)
  right.store(to: c + 16, stride: stride)
}

/// `c[8, 16]` = (or +=) `a[depth, 8]ᵀ · b[depth, 32]`, of which the first sixteen columns are used.
@inline(never)
func multiplyTile16(_ a: Pointer, _ b: Pointer, depth: Int, into c: Pointer, stride: Int, accumulating: Bool) {
  var column = accumulating ? TileColumn(loading: c, stride: stride) : TileColumn()
  var (a, b) = (a, b)
  for _ in 0..<depth {
    column.add(a, Vector(loading: b))
    a += 8
    b += 32
  }
  column.store(to: c, stride: stride)
}
