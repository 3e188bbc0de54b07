/// A seedable, splittable source of random numbers: SplitMix64 (Steele, Lea & Flood, 2014).
///
/// The `n`th number is a function of seed, stream and `n` alone, so many can be drawn at once on several threads with the same result.
public struct Random: RandomNumberGenerator, Sendable, Equatable {
  /// The state: `seed` advances by the odd number `gamma` with each draw.
  public internal(set) var seed: UInt64
  /// The stream: different gammas give unrelated sequences.
  public let gamma: UInt64

  /// The stream that belongs to a seed.
  public init(seed: UInt64) {
    self.init(seed: Self.mix(seed), gamma: 0x9e37_79b9_7f4a_7c15)
  }

  /// A generator in a state that was read before, for continuing an interrupted run.
  public init(seed: UInt64, gamma: UInt64) {
    self.seed = seed
    self.gamma = gamma | 1
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    seed &+= gamma
    return Self.mix(seed)
  }

  /// A new generator, independent of what this one yields afterwards.
  public mutating func split() -> Random {
    let start = next()
    seed &+= gamma
    return Random(seed: start, gamma: Self.mixGamma(seed))
  }

  /// The 64-bit finaliser of SplitMix64 (Stafford's variant 13).
  @inline(always) static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// An odd gamma with enough bit changes to make a good stream.
  private static func mixGamma(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 33)) &* 0xff51_afd7_ed55_8ccd
    z = (z ^ (z >> 33)) &* 0xc4ce_b9fe_1a85_ec53
    z = (z ^ (z >> 33)) | 1
    return (z ^ (z >> 1)).nonzeroBitCount < 24 ? z ^ 0xaaaa_aaaa_aaaa_aaaa : z
  }
}
