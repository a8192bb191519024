//===--- PastBatch.swift - operations that were made before -----------------===//
//
// On their way into a new log, with the times that they had: those of one time in a row are one frame. Operations on the catalog are among them, as they
// stand there, so tables keep their ids, and savepoints their places.
//
// A batch is not atomic, for it is several frames; who writes it is making a database that is nobody's yet (HistoryWriter, SalvageWriter).
//===-----------------------------------------------------------------------===//

import LogDBFormat

struct PastBatch {
    struct Item {
        var table: UInt64
        var isDelete: Bool
        /// Encoded key, then document, in `bytes`.
        var key: Range<Int>
        var document: Range<Int>
        var milliseconds: Int64
    }

    private(set) var items: [Item] = []
    private(set) var bytes: [UInt8] = []

    var count: Int { items.count }
    var isEmpty: Bool { items.isEmpty }

    /// Adds an operation as it stands in a log. What is said of the catalog must make sense.
    mutating func append(_ record: borrowing Record, milliseconds: Int64) throws(FormatError) {
        if record.table == 0 {
            var proof = Catalog()
            try proof.apply(key: record.key, isDelete: record.isDelete, document: record.document, sequence: 1, milliseconds)
        }
        let start = bytes.count
        unsafe record.key.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        let middle = bytes.count
        unsafe record.document.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        items.append(
            Item(
                table: record.table, isDelete: record.isDelete, key: start..<middle, document: middle..<bytes.count,
                milliseconds: milliseconds))
    }

    mutating func removeAll() {
        items.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: bytes.count < 4 << 20)
    }
}

extension Log {
    /// Appends a batch that is not empty. Schemas are not asked: what is superseded may have kept to an older one.
    func append(_ past: PastBatch) throws(LogDBError) -> Appended {
        try monitor.enter { lock throws(LogDBError) in
            try lock.state.checkWritable()
            let perItem = Record.encodedBound(keyLength: 0, documentLength: 0) + FrameHeader.length + 8
            try makeRoom(for: past.bytes.count + past.count * perItem, onlyDeletes: false, lock)
            let appended = try lock.state.append(past)
            for item in past.items where item.table == 0 { noteRules(item, past, lock.state.catalog) }
            return appended
        }
    }

    /// Who writes later in this session keeps to the schemas that have been set.
    private func noteRules(_ item: PastBatch.Item, _ past: PastBatch, _ catalog: borrowing Catalog) {
        guard case .integer(let number)? = try? KeyCoding.decode(past.bytes.span.extracting(item.key)), number > 0 else { return }
        if let name = catalog.names[UInt64(number)] { schemas.set(WriteRules(current: catalog.definitions[UInt64(number)]), of: name) }
    }
}

extension LogState {
    fileprivate mutating func append(_ past: PastBatch) throws(LogDBError) -> Log.Appended {
        let first = nextSequence
        let start = tail.buffer.count
        var index = 0
        while index < past.items.count {
            let milliseconds = past.items[index].milliseconds
            let sequence = nextSequence
            beginFrame()
            while index < past.items.count, past.items[index].milliseconds == milliseconds {
                let item = past.items[index]
                Record(
                    table: item.table, key: past.bytes.span.extracting(item.key), isDelete: item.isDelete,
                    document: past.bytes.span.extracting(item.document)
                ).append(to: &tail.buffer)
                nextSequence += 1
                index += 1
            }
            finishFrame(.operations, sequence: sequence, milliseconds: milliseconds)
        }
        do throws(LogDBError) { try drain() } catch {
            undo(to: start, sequence: first)
            throw error
        }
        for (index, item) in past.items.enumerated() where item.table == 0 {
            do throws(FormatError) {
                try catalog.apply(
                    key: past.bytes.span.extracting(item.key), isDelete: item.isDelete, document: past.bytes.span.extracting(item.document),
                    sequence: first + UInt64(index), item.milliseconds)
            } catch { preconditionFailure("it was proven when it was added") }
        }
        forgetLastTable()
        return Log.Appended(sequence: first, position: position)
    }
}
