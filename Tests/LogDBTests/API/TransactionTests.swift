import Foundation
import LogDB
import Testing

@Suite struct TransactionTests {
    let folder = TemporaryFolder()

    @Test func `the closure form commits on return and rolls back on a throw`() throws {
        struct Stop: Error {}
        var db = try Database.open(at: folder())
        let answer = try db.transaction { tx in
            try tx.upsert("t", "a", ["v": 1])
            try tx.upsert("t", "b", ["v": 2])
            return 42
        }
        #expect(answer == 42)
        #expect(throws: Stop.self) {
            try db.transaction { tx in
                try tx.upsert("t", "a", ["v": 9])
                try tx.delete("t", "b")
                throw Stop()
            }
        }
        let expected = ["t": ["a": #"{"v":1}"#, "b": #"{"v":2}"#] as [Key: String]]
        #expect(try contents(db) == expected)
        try db.close()
        db = try Database.open(at: folder())
        #expect(try contents(db) == expected)
        try db.close()
    }

    @Test func `an operation has its place where it was made, not where it was committed`() throws {
        var db = try Database.open(at: folder())
        let tx = try db.begin()
        try tx.upsert("t", "k", ["by": "transaction"])
        try db.upsert("t", "k", ["by": "plain"])
        try tx.upsert("t", "later", ["by": "transaction"])
        try tx.commit()
        let expected = ["t": ["k": #"{"by":"plain"}"#, "later": #"{"by":"transaction"}"#] as [Key: String]]
        #expect(try contents(db) == expected)
        #expect(try db.get("t", "k")["by"] == "plain")
        try db.seal()
        #expect(try contents(db) == expected)
        #expect(try db.get("t", "k")["by"] == "plain")
        try db.close()
        db = try Database.open(at: folder())
        #expect(try contents(db) == expected)
        try db.close()
    }

    @Test func `inside one sees the committed and its own, outside nothing of it`() throws {
        let db = try Database.open(at: folder())
        try db.upsert("t", "a", ["v": 1])
        let tx = try db.begin()
        #expect(try tx.get("t", "a")["v"] == 1)
        try tx.upsert("t", "a", ["v": 2])
        try tx.upsert("t", "b", ["v": 3])
        #expect(try tx.get("t", "a")["v"] == 2)
        #expect(try db.get("t", "a")["v"] == 1)
        #expect(try db.document("t", "b") == nil)
        var inside: [Key] = []
        try tx.select("t") { inside.append(try $0.key) }
        #expect(inside == ["a", "b"])
        #expect(try contents(db) == ["t": ["a": #"{"v":1}"#]])
        try db.upsert("t", "c", ["v": 4])
        #expect(try tx.get("t", "c")["v"] == 4)
        try tx.delete("t", "c")
        #expect(try tx.get("t", "c") == .null)
        #expect(try db.get("t", "c")["v"] == 4)
        try tx.commit()
        #expect(try contents(db) == ["t": ["a": #"{"v":2}"#, "b": #"{"v":3}"#]])
        #expect(try db.document("t", "c") == nil)
        try db.close()
    }

    // The index of a raw segment once let a committed transaction's operation stand before the reader's own, newer one, or not, as the
    // order of a dictionary had it.
    @Test func `inside one its own write stands over those committed before, however many`() throws {
        let db = try Database.open(at: folder(), options: small())
        for round in 0..<20 {
            let done = try db.begin()
            try done.upsert("t", "k", ["v": JSON(round)])
            try db.upsert("t", "between", ["v": 0])
            try done.upsert("t", "k", ["v": JSON(round)])
            try done.commit()
            let tx = try db.begin()
            try tx.upsert("t", "k", ["v": "own"])
            #expect(try tx.get("t", "k")["v"] == "own")
            #expect(try db.get("t", "k")["v"].int == round)
            tx.rollback()
        }
        try db.close()
    }

    @Test func `several are open at once, each with a fate of its own`() throws {
        var db = try Database.open(at: folder(), options: small())
        let one = try db.begin()
        let two = try db.begin()
        let three = try db.begin()
        for index in 0..<400 {
            let key = Key.integer(Int64(index))
            try one.upsert("t", key, ["by": 1, "pad": "ppppppppppppppppppppppppppppppppppp"])
            try two.upsert("u", key, ["by": 2, "pad": "ppppppppppppppppppppppppppppppppppp"])
            try three.upsert("u", key, ["by": 3, "pad": "ppppppppppppppppppppppppppppppppppp"])
            try db.upsert("v", key, ["by": 0, "pad": "ppppppppppppppppppppppppppppppppppp"])
        }
        try one.commit()
        three.rollback()
        #expect(try contents(db)["t"]?.count == 400)
        #expect(try contents(db)["u"] == nil)
        try two.commit(persistence: .disk)
        func check(_ db: Database) throws {
            let all = try contents(db)
            #expect(all["t"]?.count == 400 && all["u"]?.count == 400 && all["v"]?.count == 400)
            #expect(try db.get("u", 7)["by"] == 2)
        }
        try check(db)
        try db.seal()
        try check(db)
        try db.close()
        db = try Database.open(at: folder())
        try check(db)
        #expect(try Database.verify(at: folder()).isSound)
        try db.close()
    }

    @Test func `one that is let go of, left open at close or over already changes nothing`() throws {
        var db = try Database.open(at: folder())
        do { try db.begin().upsert("t", "dropped", ["v": 1]) }
        let open = try db.begin()
        try open.upsert("t", "open", ["v": 1])
        let done = try db.begin()
        try done.upsert("t", "done", ["v": 1])
        try done.commit()
        let error = #expect(throws: LogDBError.self) { try done.upsert("t", "x", ["v": 1]) }
        #expect(error?.code == .transactionEnded)
        #expect(throws: LogDBError.self) { try done.commit() }
        done.rollback()
        let empty = try db.begin()
        try empty.commit()
        try db.close()
        let closed = #expect(throws: LogDBError.self) { try open.commit() }
        #expect(closed?.code == .closed)
        db = try Database.open(at: folder())
        #expect(try contents(db) == ["t": ["done": #"{"v":1}"#]])
        try db.close()
    }

    @Test func `an open one keeps its segments from being sealed, and past the limit it is rolled back`() throws {
        let db = try Database.open(
            at: folder(),
            options: Options {
                $0.segmentSizeBytes = 64 << 10
                $0.persistence = .process
                $0.maximumOpenTransactionBytes = 1 << 20
            })
        let tx = try db.begin()
        try tx.upsert("t", "forgotten", ["v": 1])
        let pad = JSON(String(repeating: "p", count: 1000))
        for index in 0..<500 { try db.upsert("t", .integer(Int64(index)), ["pad": pad]) }
        let pinned = try db.statistics()
        #expect(pinned.files.count { $0.kind == "raw" } > 6)
        #expect(pinned.openTransactions.count == 1)
        #expect(pinned.openTransactions.first?.operations == 1)
        for index in 0..<1000 { try db.upsert("t", .integer(Int64(index)), ["pad": pad]) }
        let error = #expect(throws: LogDBError.self) { try tx.upsert("t", "x", ["v": 1]) }
        #expect(error?.code == .transactionTooLarge)
        #expect(throws: LogDBError.self) { try tx.commit() }
        try db.seal()
        #expect(try db.statistics().files.count { $0.kind == "raw" } == 0)
        #expect(try db.document("t", "forgotten") == nil)
        #expect(try contents(db)["t"]?.count == 1000)
        try db.close()
    }

    @Test func `one of a hundred thousand operations goes through many segments`() throws {
        let db = try Database.open(at: folder(), options: small())
        try db.transaction { tx in
            for index in 0..<20_000 { try tx.upsert("t", .integer(Int64(index % 500)), json: #"{"n":\#(index),"pad":"pppppppppppppp"}"#) }
        }
        #expect(try db.get("t", 499)["n"] == 19_999)
        try db.seal()
        #expect(try contents(db)["t"]?.count == 500)
        try db.close()
        #expect(try Database.verify(at: folder()).isSound)
    }

    @Test func `tables are created for good by the first write, whatever becomes of the transaction`() throws {
        let db = try Database.open(at: folder())
        let tx = try db.begin()
        try tx.upsert("new", "k", ["v": 1])
        try db.upsert("new", "other", ["v": 2])
        tx.rollback()
        #expect(try db.tables == ["new"])
        #expect(try contents(db) == ["new": ["other": #"{"v":2}"#]])
        try db.close()
    }

    @Test func `a counter counts durably, keeps the other members and is shared by threads`() throws {
        var db = try Database.open(at: folder(), options: Options { $0.persistence = .process })
        try db.upsert("stats", "visits", ["page": "home", "count": 40])
        let counter = try db.counter("stats", "visits", field: "count")
        #expect(counter.value == 40)
        #expect(try counter.increment() == 41)
        #expect(try counter.increment(by: -1, persistence: .disk) == 40)
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            for _ in 0..<250 { _ = try? counter.increment() }
        }
        #expect(counter.value == 1040)
        let fresh = try db.counter("stats", "new", field: "n")
        #expect(try fresh.increment(by: 5) == 5)
        try db.close()
        db = try Database.open(at: folder())
        #expect(try db.get("stats", "visits")["count"] == 1040)
        #expect(try db.get("stats", "visits")["page"] == "home")
        #expect(try db.get("stats", "new")["n"] == 5)
        try db.upsert("stats", "big", ["n": JSON(Int64.max), "text": "x"])
        let full = try db.counter("stats", "big", field: "n")
        #expect(throws: LogDBError.self) { try full.increment() }
        #expect(full.value == .max)
        #expect(throws: LogDBError.self) { try db.counter("stats", "big", field: "text") }
        try db.close()
    }
}
