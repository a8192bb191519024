//===--- FuzzGzip.swift - a block as a gzip member -------------------------===//
//
// Input and properties: CodecProperties.swift.
//===-----------------------------------------------------------------------===//

import FuzzSupport
import LogDBFormat

nonisolated(unsafe) private var properties = CodecProperties(.gzip, [.none, .zlib(level: 1), .zlib(level: 6)])

@c(LLVMFuzzerTestOneInput)
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer lends `count` bytes for the time of this call, and calls from one thread.
    unsafe properties.check(UnsafeBufferPointer(start: start, count: count).span)
    return 0
}
