//===--- FuzzLZ4.swift - a block as an LZ4 frame ---------------------------===//
//
// Input and properties: CodecProperties.swift.
//===-----------------------------------------------------------------------===//

import FuzzSupport
import LogDBFormat

nonisolated(unsafe) private var properties = CodecProperties(.lz4, [.lz4, .lz4HC(level: 3), .lz4HC(level: 9)])

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer lends `count` bytes for the time of this call, and calls from one thread.
    unsafe properties.check(UnsafeBufferPointer(start: start, count: count).span)
    return 0
}
