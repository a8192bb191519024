//===--- PeerEngine.swift - RocksDB, LevelDB and LMDB ----------------------===//

import CPeers

@safe final class PeerEngine: Engine {
    // SAFETY: the calls are in static tables; the handle is made in init and closed once, in close.
    fileprivate let calls: UnsafePointer<peer_calls>
    fileprivate let handle: OpaquePointer

    init(_ setting: Setting, folder: String) throws {
        let calls = unsafe try Self.load(setting.engine)
        let options = peer_setting(
            durable: setting.durability == .disk,
            compression: setting.variant == "zstd" ? peer_compression_zstd : peer_compression_lz4,
            manual_compaction: setting.manualCompaction, write_map: setting.variant.hasSuffix("WRITEMAP"),
            memory_budget: Setting.memoryBudget)
        unsafe self.calls = unsafe calls
        unsafe handle = try unsafe Self.check { error in unsafe calls.pointee.open(folder, options, error) }
    }

    private static func load(_ engine: Setting.Engine) throws -> UnsafePointer<peer_calls> {
        let calls = unsafe table(engine)
        if let reason = unsafe calls.pointee.load() { throw SystemFailure(message: "\(engine): \(unsafe String(cString: reason))") }
        return unsafe calls
    }

    private static func table(_ engine: Setting.Engine) -> UnsafePointer<peer_calls> {
        switch engine {
        case .rocksdb: unsafe rocksdb_calls()
        case .leveldb: unsafe leveldb_calls()
        case .lmdb: unsafe lmdb_calls()
        default: preconditionFailure("\(engine) is no peer with a C interface")
        }
    }

    static func unavailable(_ engine: Setting.Engine) -> String? {
        guard let reason = unsafe table(engine).pointee.load() else { return nil }
        return unsafe String(cString: reason)
    }

    static func version(_ engine: Setting.Engine) -> String {
        guard unavailable(engine) == nil else { return "" }
        return unsafe String(cString: table(engine).pointee.version())
    }

    func makeWriter() -> any Writer { PeerWriter(self) }

    func reload(into destination: Destination) throws {
        let cursor = try unsafe Self.check { error in unsafe calls.pointee.cursor_open(handle, error) }
        defer { unsafe calls.pointee.cursor_close(cursor) }
        var key = unsafe peer_bytes()
        var document = unsafe peer_bytes()
        while true {
            let found = try unsafe Self.call { error in unsafe calls.pointee.cursor_next(cursor, &key, &document, error) }
            if found == 0 { return }
            // SAFETY: the bytes are the cursor's and stand until it is moved; the destination copies them.
            unsafe destination.put(
                Span(_unsafeStart: key.start!, count: key.count), Span(_unsafeStart: document.start!, count: document.count))
        }
    }

    func compact() throws { _ = try unsafe Self.call { error in unsafe calls.pointee.compact(handle, error) } }

    func close() throws { _ = try unsafe Self.call { error in unsafe calls.pointee.close(handle, error) } }

    // MARK: - Failures

    fileprivate static func call(_ body: (UnsafeMutablePointer<CChar>) -> Int32) throws -> Int32 {
        let result = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PEER_ERROR_LENGTH)) { error in
            let result = unsafe body(error.baseAddress!)
            return unsafe result < 0 ? Result<Int32, SystemFailure>.failure(failure(error.baseAddress!)) : .success(result)
        }
        return try result.get()
    }

    private static func check(_ body: (UnsafeMutablePointer<CChar>) -> OpaquePointer?) throws -> OpaquePointer {
        let result = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PEER_ERROR_LENGTH)) { error in
            guard let handle = unsafe body(error.baseAddress!) else {
                return unsafe Result<OpaquePointer, SystemFailure>.failure(failure(error.baseAddress!))
            }
            return unsafe .success(handle)
        }
        return unsafe try result.get()
    }

    private static func failure(_ text: UnsafeMutablePointer<CChar>) -> SystemFailure {
        SystemFailure(message: unsafe String(cString: text))
    }
}

private final class PeerWriter: Writer {
    private let engine: PeerEngine

    init(_ engine: PeerEngine) { self.engine = engine }

    func apply(_ slice: Slice, _ index: Int) throws {
        let calls = unsafe engine.calls
        let handle = unsafe engine.handle
        _ = try unsafe PeerEngine.call { error in
            unsafe with(slice, index) { key, document in
                unsafe slice.isDelete[index]
                    ? calls.pointee.remove(handle, key, error) : calls.pointee.put(handle, key, document, error)
            }
        }
    }

    func applyBatch(_ slice: Slice, _ range: Range<Int>) throws {
        let calls = unsafe engine.calls
        let handle = unsafe engine.handle
        _ = try unsafe PeerEngine.call { error in
            var result = unsafe calls.pointee.batch_begin(handle, error)
            for index in range where result == 0 {
                result = unsafe with(slice, index) { key, document in
                    unsafe slice.isDelete[index]
                        ? calls.pointee.batch_remove(handle, key, error) : calls.pointee.batch_put(handle, key, document, error)
                }
            }
            return unsafe result == 0 ? calls.pointee.batch_commit(handle, error) : result
        }
    }

    @inline(__always)
    private func with<Result>(_ slice: Slice, _ index: Int, _ body: (peer_bytes, peer_bytes) -> Result) -> Result {
        // SAFETY: the bytes stand while the closures run, and the engines copy them.
        unsafe slice.key(index).withUnsafeBufferPointer { key in
            unsafe slice.document(index).withUnsafeBufferPointer { document in
                unsafe body(
                    peer_bytes(start: key.baseAddress, count: key.count), peer_bytes(start: document.baseAddress, count: document.count))
            }
        }
    }
}
