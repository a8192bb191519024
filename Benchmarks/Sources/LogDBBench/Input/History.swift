//===--- History.swift - the operations, a function of seed and index ------===//
//
// Operation i of a history of N is an upsert, or in 5 of 100 a delete, of one of N/5 keys, chosen by Zipf's law. Everything about it comes
// from the seed, N and i alone: any process can make any part of it, and what a database must hold after the first n operations can
// be worked out without asking one.
//===-----------------------------------------------------------------------===//

import CPeers

struct History: Sendable {
    let count: Int
    let seed: UInt64
    let keyCount: Int
    private let zipf: Zipf

    init(count: Int, seed: UInt64 = 7) {
        self.count = count
        self.seed = seed
        keyCount = max(1, count / 5)
        zipf = Zipf(keyCount)
    }

    struct Operation {
        var key: Int
        var isDelete: Bool
        /// Which body the document has.
        var body: Int
    }

    func operation(_ index: Int) -> Operation {
        var random = SplitMix64(seed: seed &+ UInt64(index) &* 0xD129_0E8C_27E1_9B5D)
        // Popular keys are spread over the whole range: the factor is a prime, so no two ranks meet.
        let key = Int(UInt64(zipf.rank(random.unit())) &* 2_654_435_761 % UInt64(keyCount))
        let bits = random.next()
        let variant = Int(bits >> 32) % Actors.variants
        return Operation(key: key, isDelete: (bits & 0xFFFF_FFFF) % 20 == 0, body: (key % Bestiary.count) * Actors.variants + variant)
    }

    /// The time in the document of operation `index`: 13 digits.
    func updated(_ index: Int) -> Int { 1_790_000_000_000 + index }

    func actor(_ index: Int) -> Actor {
        let operation = operation(index)
        var actor = Actors.bodies.values[operation.body]
        actor.id = keyText(operation.key)
        actor.updated = updated(index)
        return actor
    }

    func keyText(_ key: Int) -> String {
        var bytes = [UInt8](repeating: 0, count: Actors.keyBytes)
        Self.write(key: key, to: &bytes, at: 0)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let keyHead = Array("actor-".utf8)
    private static let documentHead = Array(#"{"id":""#.utf8)
    private static let documentMiddle = Array(#"","updated":"#.utf8)

    static func write(key: Int, to bytes: inout [UInt8], at start: Int) {
        for (index, byte) in keyHead.enumerated() { bytes[start + index] = byte }
        write(key, digits: Actors.keyBytes - keyHead.count, to: &bytes, at: start + keyHead.count)
    }

    private static func write(_ number: Int, digits: Int, to bytes: inout [UInt8], at start: Int) {
        var rest = number
        for place in stride(from: start + digits - 1, through: start, by: -1) {
            bytes[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }

    /// The document of an operation.
    func write(_ operation: Operation, index: Int, to bytes: inout [UInt8], at start: Int) {
        var place = start
        for byte in Self.documentHead {
            bytes[place] = byte
            place += 1
        }
        Self.write(key: operation.key, to: &bytes, at: place)
        place += Actors.keyBytes
        for byte in Self.documentMiddle {
            bytes[place] = byte
            place += 1
        }
        Self.write(updated(index), digits: 13, to: &bytes, at: place)
        place += 13
        bytes[place] = UInt8(ascii: ",")
        precondition(place + 1 == start + Actors.headBytes)
        let body = operation.body * Actors.bodyBytes
        bytes.replaceSubrange((place + 1)..<(start + Actors.documentBytes), with: Actors.bodies.text[body..<(body + Actors.bodyBytes)])
    }
}

/// Part of a history, made beforehand: what it costs to make falls on nobody's clock.
struct Slice: Sendable {
    let count: Int
    /// The keys, as a Swift program has them and as a C program has them, back to back.
    let keys: [String]
    let keyBytes: [UInt8]
    /// The documents, back to back; that of a delete is not used.
    let documents: [UInt8]
    let isDelete: [Bool]

    init(_ history: History, _ range: Range<Int>) { self.init(history, Array(range)) }

    /// Operations with these indices, in this order.
    init(_ history: History, _ indices: [Int]) {
        var keys: [String] = []
        var isDelete: [Bool] = []
        var keyBytes = [UInt8](repeating: 0, count: indices.count * Actors.keyBytes)
        var documents = [UInt8](repeating: 0, count: indices.count * Actors.documentBytes)
        keys.reserveCapacity(indices.count)
        isDelete.reserveCapacity(indices.count)
        for (place, index) in indices.enumerated() {
            let operation = history.operation(index)
            let start = place * Actors.keyBytes
            History.write(key: operation.key, to: &keyBytes, at: start)
            keys.append(String(decoding: keyBytes[start..<(start + Actors.keyBytes)], as: UTF8.self))
            history.write(operation, index: index, to: &documents, at: place * Actors.documentBytes)
            isDelete.append(operation.isDelete)
        }
        count = keys.count
        self.keys = keys
        self.keyBytes = keyBytes
        self.documents = documents
        self.isDelete = isDelete
    }

    @_lifetime(borrow self)
    func key(_ index: Int) -> Span<UInt8> {
        keyBytes.span.extracting((index * Actors.keyBytes)..<((index + 1) * Actors.keyBytes))
    }

    @_lifetime(borrow self)
    func document(_ index: Int) -> Span<UInt8> {
        documents.span.extracting((index * Actors.documentBytes)..<((index + 1) * Actors.documentBytes))
    }
}

/// What a database holds: told apart by count and by a sum of hashes, which does not depend on the order.
struct Contents: Codable, Equatable {
    var count = 0
    /// Of keys and documents.
    var bytes = 0
    var digest: UInt64 = 0

    mutating func add(_ key: Span<UInt8>, _ document: Span<UInt8>) {
        count += 1
        bytes += key.count + document.count
        digest &+= digestOf(key, document)
    }
}

func digestOf(_ key: Span<UInt8>, _ document: Span<UInt8>) -> UInt64 {
    // SAFETY: the function reads as many bytes as it is told, inside the spans.
    unsafe key.withUnsafeBufferPointer { key in
        unsafe document.withUnsafeBufferPointer { document in
            unsafe machine_digest(key.baseAddress!, key.count, document.baseAddress!, document.count)
        }
    }
}

extension History {
    /// The last operation on each key among the first `operations`, where that is an upsert.
    func liveOperations(after operations: Int) -> [Int] {
        var last = [Int32](repeating: -1, count: keyCount)
        for index in 0..<operations {
            let operation = operation(index)
            last[operation.key] = operation.isDelete ? -1 : Int32(index)
        }
        return last.lazy.filter { $0 >= 0 }.map { Int($0) }
    }

    /// What must be there after the first `operations`.
    func contents(after operations: Int) -> Contents {
        var contents = Contents()
        var key = [UInt8](repeating: 0, count: Actors.keyBytes)
        var document = [UInt8](repeating: 0, count: Actors.documentBytes)
        for index in liveOperations(after: operations) {
            let operation = operation(index)
            Self.write(key: operation.key, to: &key, at: 0)
            write(operation, index: index, to: &document, at: 0)
            contents.add(key.span, document.span)
        }
        return contents
    }

    /// The same for typed documents.
    func typedContents(after operations: Int) -> Contents {
        var contents = Contents()
        for index in liveOperations(after: operations) { contents.add(actor(index)) }
        return contents
    }
}

extension Contents {
    /// All members of a typed document go into the sum.
    mutating func add(_ actor: Actor) {
        let position = "\(actor.position.x) \(actor.position.y) \(actor.position.place)"
        let rest = "\(actor.inventory.gold) \(actor.inventory.potions) \(actor.conditions.joined(separator: ",")) \(actor.note)"
        let text = Array("\(actor.updated) \(actor.name) \(actor.hp) \(actor.level) \(position) \(rest)".utf8)
        add(Array(actor.id.utf8).span, text.span)
    }
}
