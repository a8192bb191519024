//===--- FuzzManifest.swift - edits, and the state they make ---------------===//
//
//      input    the payloads of frames of edits, each behind its length (u16)
//
//   * edits that decode are encoded again to the same bytes.
//   * whatever edits are applied: an error or a state that is in order, whose numbers leave room to count on.
//   * the edits that a state is written as, applied to nothing, make the same state; as bytes, too. So a fresh manifest means what
//     the old one did.
//===-----------------------------------------------------------------------===//

import FuzzSupport
import LogDBFormat

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer lends `count` bytes for the time of this call.
    unsafe fuzzManifest(UnsafeBufferPointer(start: start, count: count).span)
    return 0
}

private func fuzzManifest(_ bytes: Span<UInt8>) {
    var input = FuzzInput(bytes)
    var state = ManifestState()
    while !input.isAtEnd {
        let payload = input.take(Int(input.number(2)))
        do throws(FormatError) {
            let edits = try ManifestEdit.decode(payload)
            require(edits.count <= payload.count, "an edit takes at least a byte")
            requireEqual(encoded(edits).span, payload, "edits, encoded again")
            var next = state
            for edit in edits { try next.apply(edit) }
            check(next, after: state)
            state = next
        } catch { return }
    }
}

private func encoded(_ edits: [ManifestEdit]) -> ByteBuffer {
    var buffer = ByteBuffer()
    for edit in edits { edit.append(to: &buffer) }
    return buffer
}

private func check(_ state: ManifestState, after earlier: ManifestState) {
    require(zip(state.raw, state.raw.dropFirst()).allSatisfy { $0.number < $1.number }, "raw segments are in order")
    require(zip(state.sealed, state.sealed.dropFirst()).allSatisfy { $0.number < $1.number }, "sealed segments are in order")
    require(
        state.nextSegment >= earlier.nextSegment && state.nextTable >= earlier.nextTable && state.lastSequence >= earlier.lastSequence
            && state.endPosition >= earlier.endPosition, "no counter goes back")
    require(
        zip(state.base, state.base.dropFirst()).allSatisfy {
            $0.generation > $1.generation || $0.generation == $1.generation && $0.greatestKey < $1.leastKey
        }, "base segments are in order")
    require(Set(state.base.map(\.number)).count == state.base.count, "a base segment has a number of its own")
    require(state.compacted.lastSequence >= earlier.compacted.lastSequence, "what is compacted stays compacted")
    let numbers = state.raw.map(\.number) + state.sealed.map(\.number)
    require(numbers.allSatisfy { $0 < state.nextSegment }, "a number in use is not given out again")
    require(Set(numbers).count == numbers.count, "a segment is raw or sealed, not both")
    require(state.nextSegment <= 1 << 62 && state.lastSequence < 1 << 62 && state.endPosition < 1 << 62, "numbers leave room to count on")

    var again = ManifestState()
    do throws(FormatError) {
        let bytes = encoded(state.edits)
        for edit in try ManifestEdit.decode(bytes.span) { try again.apply(edit) }
    } catch { fatalError("a state cannot be written anew: \(error.reason)") }
    require(again == state, "a state, written anew, is \(again) instead of \(state)")
}
