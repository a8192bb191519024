//===--- Inputs.swift - what single puts are made of -----------------------===//
//
// A thousand documents of exactly 250 bytes of JSON and a thousand keys of 13, made beforehand, and the ways to hand them over. All
// contenders get the same ones in the same order.
//
//   * a key never gets the document that it has already. SQLite leaves a page alone when a row is overwritten with itself, and a commit
//     that changed nothing is not synced: the first version of this file made SQLite look faster than the disk.
//===-----------------------------------------------------------------------===//

import LogDB

struct Inputs: Sendable {
    static let count = 1000
    static let documentBytes = 250

    private let documents: [[UInt8]]
    private let keys: [Key]
    private let texts: [String]

    init() {
        let campaign = Campaign(steps: 20 * Self.count)
        var documents: [[UInt8]] = []
        for step in campaign.steps where !step.isDelete && step.document.count <= Self.documentBytes - 12 {
            // Filled up with a member of its own.
            var document = Array(campaign.text[step.document].dropLast())
            document += Array(#","note":""#.utf8)
            document += Array(repeating: UInt8(ascii: "n"), count: Self.documentBytes - 2 - document.count)
            document += Array(#""}"#.utf8)
            documents.append(document)
        }
        precondition(documents.count >= Self.count && documents.allSatisfy { $0.count == Self.documentBytes })
        self.documents = Array(documents.prefix(Self.count))
        texts = (0..<Self.count).map { "actor-0\(100_000 + $0 * 7919 % 100_000)" }
        keys = texts.map { .string($0) }
    }

    /// Another one each time that a key's turn comes.
    @inline(__always)
    private func document(_ number: Int) -> [UInt8] { documents[(number + number / Self.count) % Self.count] }

    @inline(__always)
    func put(_ number: Int, into database: Database, _ level: Persistence) throws {
        let document = document(number)
        try database.upsert(Campaign.table, keys[number % Self.count], json: document.span, persistence: level)
    }

    func put(_ number: Int, into database: Database, _ level: Persistence) async throws {
        try await database.upsert(Campaign.table, keys[number % Self.count], json: document(number), persistence: level)
    }

    func put(_ number: Int, into transaction: Transaction) throws {
        let document = document(number)
        try transaction.upsert(Campaign.table, keys[number % Self.count], json: document.span)
    }

    func put(_ number: Int, into batch: inout Batch) throws {
        let document = document(number)
        try batch.upsert(Campaign.table, keys[number % Self.count], json: document.span)
    }

    func put(document number: Int, under key: Key, into batch: inout Batch) throws {
        let document = documents[number % Self.count]
        try batch.upsert(Campaign.table, key, json: document.span)
    }

    func put(_ number: Int, into peer: SQLite) throws {
        let document = document(number)
        try peer.upsert(texts[number % Self.count], document.span)
    }

    /// 100 operations in one transaction.
    func putHundred(_ number: Int, inTransactionOf database: Database, _ level: Persistence) throws {
        let transaction = try database.begin()
        for index in 0..<100 { try put(number * 100 + index, into: transaction) }
        try transaction.commit(persistence: level)
    }

    /// 100 operations in one batch.
    func putHundred(_ number: Int, inBatchFor database: Database, _ level: Persistence) throws {
        var batch = Batch()
        for index in 0..<100 { try put(number * 100 + index, into: &batch) }
        try database.write(batch, persistence: level)
    }

    /// 100 operations in one transaction.
    func putHundred(_ number: Int, into peer: SQLite) throws {
        try peer.begin()
        for index in 0..<100 { try put(number * 100 + index, into: peer) }
        try peer.commit()
    }
}
