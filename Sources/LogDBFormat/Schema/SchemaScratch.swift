//===--- SchemaScratch.swift - what validating keeps in memory -------------===//
//
// Stacks that grow with the nesting of a document, and are kept from one document to the next so that none has to be allocated again.
//===-----------------------------------------------------------------------===//

import Synchronization

/// A node that looks at a value which is being read.
struct SchemaEntry: BitwiseCopyable {
    var node: Int32
    /// The place in the rule's properties where the next name is expected.
    var hint: Int32 = 0
    /// Which names that matter have come: the first 64 bits, and where the others stand.
    var seen: UInt64 = 0
    var moreSeen: Int32 = -1
    /// Items that matched `contains`.
    var contained: UInt32 = 0
    /// If it fails the document does.
    var isAsserted: Bool
    var hasFailed = false
    var failure = SchemaFailure(node: 0, keyword: .type, start: 0, end: 0)
}

/// What an entry's result means to an entry of the container around it.
struct SchemaLink: BitwiseCopyable {
    enum Role: UInt8 {
        /// The value must be valid.
        case value
        /// Counted if it is.
        case contains
        /// The value must be valid, unless something else has evaluated it.
        case unevaluated
        /// No entry: the parent evaluates the value, whatever becomes of it.
        case evaluates
    }

    var parent: Int32
    var child: Int32
    var role: Role
}

/// A container that is being read, and that somebody looks at.
struct SchemaFrame: BitwiseCopyable {
    enum Kind: UInt8 { case document, object, array }

    var kind: Kind
    /// One entry without edges, whose rule is plain: all that there is to it is here.
    var isLight = false
    /// One entry, whose rule needs at most one node for each value inside.
    var isPlain = false
    /// Of a plain frame: whether its entry is asserted.
    var isAsserted = false
    /// It has one root, which matters to the one entry around it, and no links.
    var isSingle: Bool
    var hasEdges = false
    var isHashed = false
    var tracksEvaluation = false
    var countsNames = false
    /// Its entries.
    var first: Int32
    var end: Int32
    /// Of a plain frame: the rule.
    var rule: Int32 = -1
    var start: UInt32
    /// Members or items so far.
    var count: UInt32 = 0
}

/// Where the stacks stood when a frame that is not light began.
struct SchemaMarks: BitwiseCopyable {
    var links: Int
    var names: Int
    var records: Int
    var evaluators: Int
    var moreSeen: Int
}

/// A value that a node's `unevaluated…` does not allow, with those that may yet have evaluated it.
struct EvaluationRecord: BitwiseCopyable {
    var entry: Int32
    var evaluators: Int32
    var count: Int32
    var failure: SchemaFailure
}

/// A container whose hash is being made.
struct HashFrame: BitwiseCopyable {
    var running: UInt64 = 0
    var name: UInt64 = 0
    var isObject: Bool
    var start: UInt32
    /// In `sets`, where the items must be unique, and the entries that ask for it.
    var set: Int32 = -1
    var first: Int32 = 0
    var end: Int32 = 0
}

/// The items of an array that must all be different.
struct UniqueItems {
    private struct Item: BitwiseCopyable {
        var hash: UInt64
        var start: UInt32
        var end: UInt32
    }
    private static let linear = 16
    private var items: [Item] = []
    private var index: [UInt64: Int32] = [:]

    /// Adds an item; false if it equals one that is there.
    mutating func insert(_ bytes: Span<UInt8>, _ hash: UInt64, _ start: Int, _ end: Int) -> Bool {
        func equals(_ other: Item) -> Bool {
            JSONEquivalence.equal(bytes, Int(other.start)..<Int(other.end), bytes, start..<end)
        }
        let item = Item(hash: hash, start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end))
        if items.count < Self.linear {
            for other in items where other.hash == hash && equals(other) { return false }
        } else {
            if index.isEmpty { for place in items.indices { enter(place) } }
            var key = hash
            while let place = index[key] {
                if items[Int(place)].hash == hash, equals(items[Int(place)]) { return false }
                key &+= 1
            }
        }
        items.append(item)
        if items.count > Self.linear { enter(items.count - 1) }
        return true
    }

    private mutating func enter(_ place: Int) {
        var key = items[place].hash
        while index[key] != nil { key &+= 1 }
        index[key] = Int32(truncatingIfNeeded: place)
    }
}

/// The stacks of one validation at a time.
struct SchemaStacks: BitwiseCopyable {
    /// Entries that may be at work at once, values nested in values and all: some 70 MiB of them.
    static let maximumEntries = 1 << 20

    var frames = SchemaStack<SchemaFrame>()
    var marks = SchemaStack<SchemaMarks>()
    var entries = SchemaStack<SchemaEntry>()
    var links = SchemaStack<SchemaLink>()
    var moreSeen = SchemaStack<UInt64>()
    var names = SchemaStack<UInt64>()
    var records = SchemaStack<EvaluationRecord>()
    var evaluators = SchemaStack<Int32>()
    var hashes = SchemaStack<HashFrame>()
    /// Where in `entries` each node was last put.
    var places = SchemaStack<Int32>()

    fileprivate mutating func empty() {
        frames.truncate(to: 0)
        marks.truncate(to: 0)
        entries.truncate(to: 0)
        links.truncate(to: 0)
        moreSeen.truncate(to: 0)
        names.truncate(to: 0)
        records.truncate(to: 0)
        evaluators.truncate(to: 0)
        hashes.truncate(to: 0)
    }

    fileprivate mutating func deallocate() {
        frames.deallocate()
        marks.deallocate()
        entries.deallocate()
        links.deallocate()
        moreSeen.deallocate()
        names.deallocate()
        records.deallocate()
        evaluators.deallocate()
        hashes.deallocate()
        places.deallocate()
    }

    fileprivate var isLarge: Bool { max(entries.capacity, names.capacity, evaluators.capacity, records.capacity) > 4096 }
}

/// The owner of stacks, which are kept from one document to the next.
final class SchemaScratch: @unchecked Sendable {
    // SAFETY: in one thread's hands at a time: the pool gives each away once.
    // Asking at run time whether two have hold of it would cost as much as validating a small document.
    @exclusivity(unchecked) var stacks = SchemaStacks()

    deinit { unsafe stacks.deallocate() }

    /// Keeps one: threads that validate at the same time make their own.
    @safe
    final class Pool: Sendable {
        private let waiting = unsafe Atomic<Unmanaged<SchemaScratch>?>(nil)

        // SAFETY of both: whoever takes a reference out of the slot owns it, and so does the slot of what is put in.

        func take() -> SchemaScratch { unsafe waiting.exchange(nil, ordering: .acquiring)?.takeRetainedValue() ?? SchemaScratch() }

        func giveBack(_ scratch: SchemaScratch) {
            unsafe scratch.stacks.empty()
            // One strange document must not be paid for ever after.
            guard unsafe !scratch.stacks.isLarge else { return }
            let before = unsafe waiting.exchange(.passRetained(scratch), ordering: .acquiringAndReleasing)
            unsafe before?.release()
        }

        deinit { unsafe waiting.exchange(nil, ordering: .acquiring)?.release() }
    }
}
