//===--- FuzzInput.swift - the fuzzer's bytes, taken apart -----------------===//
//
// Each target takes a few numbers off the front (what the caller of a decoder knows: lengths, counts, places) and gives the
// rest to the decoder. Where the bytes end early a number is 0: every input means something, so no run is wasted.
//===-----------------------------------------------------------------------===//

import LogDBFormat

package struct FuzzInput: ~Escapable {
    private let bytes: Span<UInt8>
    private var position = 0

    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    package var isAtEnd: Bool { position == bytes.count }

    package mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    /// A little-endian number of `width` bytes.
    package mutating func number(_ width: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<width { value |= UInt64(byte()) << UInt64(8 * index) }
        return value
    }

    /// At most `count` of the bytes that are left.
    @_lifetime(copy self)
    package mutating func take(_ count: Int) -> Span<UInt8> {
        let end = position + min(count, bytes.count - position)
        defer { position = end }
        return bytes.extracting(position..<end)
    }

    /// All that is left.
    @_lifetime(copy self)
    package mutating func rest() -> Span<UInt8> { take(bytes.count) }
}

extension ByteBuffer {
    /// Changes the byte at `place` by `bits`.
    package mutating func flip(_ place: Int, _ bits: UInt8) {
        let start = min(place, count - 4)
        guard start >= 0 else { return }
        var reader = ByteReader(span.extracting(start..<(start + 4)))
        let word = (try? reader.u32()) ?? 0
        patch(u32: word ^ UInt32(bits) << UInt32(8 * (place - start)), at: start)
    }
}

/// Stops the program if a property does not hold: that is what the fuzzer looks for.
@inline(__always)
package func require(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds { fatalError("does not hold: \(what())") }
}

/// As `require`, for two runs of bytes that must be the same.
package func requireEqual(_ a: Span<UInt8>, _ b: Span<UInt8>, _ what: @autoclosure () -> String) {
    var differs = a.count != b.count
    for index in 0..<min(a.count, b.count) where a[index] != b[index] { differs = true }
    if differs { fatalError("not the same: \(what()): \(hexadecimal(a)) and \(hexadecimal(b))") }
}

private func hexadecimal(_ bytes: Span<UInt8>) -> String {
    var text = ""
    for index in 0..<min(bytes.count, 200) {
        text += String(bytes[index] >> 4, radix: 16) + String(bytes[index] & 15, radix: 16)
    }
    return text + (bytes.count > 200 ? "… (\(bytes.count) bytes)" : "")
}
