//===--- Setting.swift - an engine with its settings -----------------------===//
//
// Which engine, how configured, how durable: enough to open it in another process. The catalogue of those that are measured stands here;
// why each is set as it is stands in Benchmarks/README.md.
//===-----------------------------------------------------------------------===//

import CPeers

struct Setting: Codable, Hashable {
    enum Engine: String, Codable, CaseIterable {
        case logdb, sqlite, rocksdb, leveldb, lmdb, redis, grdb, bare
    }

    var engine: Engine
    /// Codec, journal mode, sync mode: what the engine makes of it.
    var variant = ""
    var durability: Durability
    /// Does not compact by itself while it is filled.
    var manualCompaction = false

    /// For buffers and caches, of whoever takes such an option: LogDB's default budget.
    static let memoryBudget = 64 << 20

    /// As the report calls it.
    var name: String {
        let title =
            switch engine {
            case .logdb: "LogDB"
            case .sqlite: "SQLite"
            case .rocksdb: "RocksDB"
            case .leveldb: "LevelDB"
            case .lmdb: "LMDB"
            case .redis: "Redis"
            case .grdb: "GRDB"
            case .bare: "bare log"
            }
        return variant.isEmpty ? title : "\(title) \(variant)"
    }
}

extension Setting {
    /// Durable when a call returns.
    static let disk = [
        Setting(engine: .logdb, durability: .disk),
        Setting(engine: .sqlite, variant: "FULL", durability: .disk),
        Setting(engine: .rocksdb, durability: .disk),
        Setting(engine: .leveldb, durability: .disk),
        Setting(engine: .lmdb, durability: .disk),
        Setting(engine: .redis, variant: "always", durability: .disk),
        Setting(engine: .bare, durability: .disk),
    ]

    /// Safe from the process being killed.
    static let process = [
        Setting(engine: .logdb, durability: .process),
        Setting(engine: .sqlite, variant: "OFF", durability: .process),
        Setting(engine: .sqlite, variant: "NORMAL", durability: .process),
        Setting(engine: .rocksdb, durability: .process),
        Setting(engine: .leveldb, durability: .process),
        Setting(engine: .lmdb, variant: "NOSYNC", durability: .process),
        Setting(engine: .lmdb, variant: "NOSYNC+WRITEMAP", durability: .process),
        Setting(engine: .redis, variant: "no", durability: .process),
        Setting(engine: .redis, variant: "everysec", durability: .process),
        Setting(engine: .bare, durability: .process),
    ]

    /// Those that keep a whole history and give it back.
    static let keepers = [
        Setting(engine: .logdb, durability: .process),
        Setting(engine: .logdb, variant: "zlib:6", durability: .process),
        Setting(engine: .sqlite, variant: "OFF", durability: .process),
        Setting(engine: .rocksdb, durability: .process),
        Setting(engine: .rocksdb, variant: "zstd", durability: .process),
        Setting(engine: .leveldb, durability: .process),
        Setting(engine: .lmdb, variant: "NOSYNC", durability: .process),
        Setting(engine: .lmdb, variant: "NOSYNC+WRITEMAP", durability: .process),
        Setting(engine: .redis, variant: "no", durability: .process),
        Setting(engine: .bare, durability: .process),
    ]

    /// Those that store Swift values.
    static let typed = [
        Setting(engine: .logdb, durability: .process),
        Setting(engine: .grdb, variant: "OFF", durability: .process),
        Setting(engine: .grdb, variant: "NORMAL", durability: .process),
    ]

    func open(_ folder: String) throws -> any LogDBBench.Engine {
        switch engine {
        case .logdb: try LogDBEngine(self, folder: folder)
        case .sqlite: try SQLiteEngine(self, folder: folder)
        case .rocksdb, .leveldb, .lmdb: try PeerEngine(self, folder: folder)
        case .redis: try RedisEngine(self, folder: folder)
        case .bare: try BareEngine(self, folder: folder)
        case .grdb: throw SystemFailure(message: "GRDB is measured with typed documents only")
        }
    }

    func openTyped(_ folder: String) throws -> any TypedEngine {
        switch engine {
        case .logdb: try LogDBTypedEngine(self, folder: folder)
        case .grdb: try GRDBEngine(self, folder: folder)
        default: throw SystemFailure(message: "\(name) stores no Swift values")
        }
    }

    /// Why it cannot be measured here; nil where it can.
    var unavailable: String? {
        switch engine {
        case .logdb, .sqlite, .grdb, .bare: nil
        case .rocksdb, .leveldb, .lmdb: PeerEngine.unavailable(engine)
        case .redis: RedisServer.unavailable
        }
    }

    /// Of the library or program that is measured.
    var version: String {
        switch engine {
        case .logdb: "this checkout"
        case .sqlite: SQLite.version
        case .grdb: "7.10, on SQLite \(SQLite.version)"
        case .rocksdb, .leveldb, .lmdb: PeerEngine.version(engine)
        case .redis: RedisServer.version
        case .bare: ""
        }
    }
}
