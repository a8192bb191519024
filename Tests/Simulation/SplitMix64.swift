//===--- SplitMix64.swift - one seed reproduces a run ----------------------===//
//
// Sebastiano Vigna's splitmix64 (public domain): tiny, fast, and the same on every platform, which the system generator is not.
//===-----------------------------------------------------------------------===//

package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Returns a number in 0 ..< bound, which must be above 0. The bias below 2⁻³² does not matter here; being the same everywhere does.
    package mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0, "below(\(bound))")
        return Int(next() >> 1) % bound
    }

    /// Returns true `numerator` times in `denominator`.
    package mutating func chance(_ numerator: Int, in denominator: Int) -> Bool { below(denominator) < numerator }
}
