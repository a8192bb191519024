//===--- RedisEngine.swift - Redis with its append-only file ---------------===//
//
// A single operation is a command and its answer. A batch is MULTI, the commands and EXEC, sent at once. A reload is the start of the
// server, which reads its file, and fetching everything: the application wants its own dictionary.
//===-----------------------------------------------------------------------===//

import CPeers
import Foundation

final class RedisEngine: Engine {
    private let redis: RedisServer

    init(_ setting: Setting, folder: String) throws {
        redis = try RedisServer(folder: folder, synchronization: setting.variant, rewritesByItself: !setting.manualCompaction)
    }

    var server: Int32? { redis.process }

    func makeWriter() throws -> any Writer { RedisWriter(try redis.connect()) }

    func reload(into destination: Destination) throws {
        let connection = try redis.connect()
        var cursor = "0"
        repeat {
            guard case .array(let scanned) = try connection.command(["SCAN", cursor, "COUNT", "1000"]), scanned.count == 2,
                case .bulk(let next) = scanned[0], case .array(let names) = scanned[1]
            else { throw SystemFailure(message: "Redis answered something else to SCAN") }
            cursor = connection.text(next)
            var keys: [[UInt8]] = []
            for case .bulk(let name) in names { keys.append(connection.with(name) { [UInt8](copying: $0) }) }
            if keys.isEmpty { continue }
            connection.begin(keys.count + 1)
            connection.add("MGET")
            for key in keys { connection.add(key.span) }
            try connection.flush()
            guard case .array(let documents) = try connection.reply(), documents.count == keys.count else {
                throw SystemFailure(message: "Redis answered something else to MGET")
            }
            for (key, document) in zip(keys, documents) {
                guard case .bulk(let document) = document else { throw SystemFailure(message: "a key without a document") }
                connection.with(document) { destination.put(key.span, $0) }
            }
        } while cursor != "0"
    }

    func compact() throws {
        let connection = try redis.connect()
        guard case .status = try connection.command(["BGREWRITEAOF"]) else { throw SystemFailure(message: "Redis refused BGREWRITEAOF") }
        while true {
            guard case .bulk(let text) = try connection.command(["INFO", "persistence"]) else { continue }
            let lines = connection.text(text).split(whereSeparator: \.isNewline)
            let isDone = lines.contains("aof_rewrite_in_progress:0") && lines.contains("aof_rewrite_scheduled:0")
            if isDone {
                guard lines.contains("aof_last_bgrewrite_status:ok") else {
                    throw SystemFailure(message: "Redis failed to rewrite its file")
                }
                return
            }
            usleep(500)
        }
    }

    func close() throws { try redis.stop() }
}

private final class RedisWriter: Writer {
    private let connection: RedisConnection

    init(_ connection: RedisConnection) { self.connection = connection }

    func apply(_ slice: Slice, _ index: Int) throws {
        add(slice, index)
        try connection.flush()
        _ = try connection.reply()
    }

    func applyBatch(_ slice: Slice, _ range: Range<Int>) throws {
        connection.begin(1)
        connection.add("MULTI")
        for index in range { add(slice, index) }
        connection.begin(1)
        connection.add("EXEC")
        try connection.flush()
        for _ in 0..<(range.count + 1) { _ = try connection.reply() }
        guard case .array(let results) = try connection.reply(), results.count == range.count else {
            throw SystemFailure(message: "Redis did not carry out all of a batch")
        }
    }

    private func add(_ slice: Slice, _ index: Int) {
        if slice.isDelete[index] {
            connection.begin(2)
            connection.add("DEL")
            connection.add(slice.key(index))
        } else {
            connection.begin(3)
            connection.add("SET")
            connection.add(slice.key(index))
            connection.add(slice.document(index))
        }
    }
}
