//===--- Map.swift - C++'s map, owned from Swift ---------------------------===//

import CPeers

@safe final class Map {
    // SAFETY: made in init, destroyed once, in deinit; one thread uses it.
    private let handle: OpaquePointer = unsafe machine_map_create()

    deinit { unsafe machine_map_destroy(handle) }

    @inline(__always)
    func put(_ key: Span<UInt8>, _ document: Span<UInt8>) {
        // SAFETY: the map copies the bytes.
        unsafe key.withUnsafeBufferPointer { key in
            unsafe document.withUnsafeBufferPointer { document in
                unsafe machine_map_put(handle, key.baseAddress!, key.count, document.baseAddress!, document.count)
            }
        }
    }

    @inline(__always)
    func remove(_ key: Span<UInt8>) {
        unsafe key.withUnsafeBufferPointer { unsafe machine_map_remove(handle, $0.baseAddress!, $0.count) }
    }

    var contents: Contents {
        var bytes: UInt64 = 0
        let digest = unsafe machine_map_digest(handle, &bytes)
        return Contents(count: unsafe machine_map_count(handle), bytes: Int(bytes), digest: digest)
    }
}
