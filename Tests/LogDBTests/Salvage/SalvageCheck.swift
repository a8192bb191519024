//===--- SalvageCheck.swift - what must hold of every salvage ----------------===//
//
//   1. Nothing is invented: every document of the new database was written, in that table, under that key, and counted.
//   2. Nothing is lost in silence: what could be read before the damage is there, or a finding names its number.
//   3. The newest wins: no document stands before a later operation on its key that is not lost.
//   4. Where the report finds nothing lost, the new database is exactly the old one.
//   5. The old folder is as it was; the new database is sound.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFile
import LogDBSimulation

struct Salvaged {
    var report: SalvageReport
    var disk: SimulatedDisk
    var contents: Contents
}

extension SalvageSpecimen {
    /// Damages a copy, salvages it and checks the result. Throws a `Violation`.
    @discardableResult
    func salvage(_ what: String, isOneAccident: Bool = true, _ damage: (SimulatedDisk) -> Void = { _ in }) throws -> Salvaged? {
        let image = disk.afterCrash(.optimistic)
        damage(image)
        let fingerprint = image.fingerprint
        let operations = image.operationCount
        let target = SimulatedDisk()
        let report: SalvageReport
        do {
            report = try Database.salvage(
                image.directory(), path: "old", into: target.directory(), newPath: "new", options: SalvageSpecimen.options(.lz4))
        } catch let error as LogDBError {
            guard target.names.isEmpty else { throw Violation("\(name), \(what): after \(error) there are \(target.names)") }
            if [.unsupportedFormat, .notFound].contains(error.code) { return nil }
            throw Violation("\(name), \(what): \(error)")
        }
        guard image.fingerprint == fingerprint, image.operationCount == operations else {
            throw Violation("\(name), \(what): the old database was changed")
        }
        guard image.openHandles.isEmpty, image.heldLocks.isEmpty, target.openHandles.isEmpty, target.heldLocks.isEmpty else {
            throw Violation("\(name), \(what): left open: \(image.openHandles), \(image.heldLocks), \(target.openHandles)")
        }
        do {
            let contents = try read(target)
            try checkDocuments(report, contents)
            if isOneAccident { try checkLosses(report, contents) }
            return Salvaged(report: report, disk: target, contents: contents)
        } catch {
            let findings = report.findings.map { "  \($0)" } + report.remarks.map { "  remark: \($0)" }
            throw Violation("\(name), \(what): \(error)\n\(findings.joined(separator: "\n"))")
        }
    }

    private func read(_ disk: SimulatedDisk) throws -> Contents {
        let verified = try Database.verify(disk.directory(), path: "new")
        guard verified.isSound, verified.remarks.isEmpty else {
            throw Violation("the new database does not verify: \(verified.damages) \(verified.remarks)")
        }
        var options = SalvageSpecimen.options(.lz4)
        options.access = .readOnly
        let db = try Database.open(disk.directory(), path: "new", options: options)
        defer { try? db.close() }
        guard db.recovery.wasClosed else { throw Violation("the new database was not closed") }
        return try Check.contents(of: db)
    }

    /// Whether the table called `name` in the new database can be the one with this id.
    private func isTable(_ name: String, _ id: Int) -> Bool {
        name == names[id - 1] || name == "salvaged-table-\(id)"
    }

    private func checkDocuments(_ report: SalvageReport, _ contents: Contents) throws {
        var known: [[UInt8]: WrittenChange] = [:]
        for one in written { if let document = one.change.document { known[document] = one } }
        for seen in contents.operations {
            guard let document = seen.change.document else { continue }
            guard let one = known[document], isTable(seen.change.table, one.table), one.change.key == seen.change.key else {
                throw Violation("an invented document in \(seen.change.table)/\(seen.change.key)")
            }
        }
        let counted = report.tables.reduce(0) { $0 + $1.upserts + $1.deletes }
        guard counted == UInt64(contents.operations.count) else {
            throw Violation("the report counts \(counted) operations, \(contents.operations.count) are there")
        }
    }

    private func checkLosses(_ report: SalvageReport, _ contents: Contents) throws {
        if report.isComplete {
            guard contents.tables == tables else { throw Violation("tables are \(contents.tables), not \(tables)") }
            guard contents.live.map(\.change) == live.map(\.change) else {
                throw Violation("nothing is lost, but \(contents.live.count) documents are not the \(live.count) there were")
            }
            // What was compacted lies by key where it was read, and by number, as far as that is known, where it was written to: of each key it is the same.
            func byKey(_ seen: [Seen]) -> [String: [Change]] {
                Dictionary(grouping: seen.map(\.change)) { "\($0.table)/\($0.key)" }
            }
            guard mayRepeat || byKey(contents.operations) == byKey(readable) else {
                throw Violation("nothing is lost, but \(contents.operations.count) operations are not the \(readable.count) there were")
            }
            return
        }
        let losses = report.findings.filter { $0.severity != .harmless }
        func mayBeLost(_ sequence: UInt64) -> Bool {
            losses.contains { finding in
                // Without numbers a finding excuses nothing, unless it cannot name any.
                guard let first = finding.firstSequenceNumber else { return finding.severity == .lost }
                return first <= sequence && sequence <= finding.lastSequenceNumber ?? .max
            }
        }
        var present: Set<[UInt8]> = []
        for seen in contents.operations { if let document = seen.change.document { present.insert(document) } }
        let bySequence = Dictionary(written.map { ($0.sequence, $0) }, uniquingKeysWith: { first, _ in first })
        var newest: [String: WrittenChange] = [:]
        for seen in readable where !mayBeLost(seen.sequence) {
            let one = bySequence[seen.sequence]!
            if let document = seen.change.document, !present.contains(document) {
                throw Violation("operation \(seen.sequence) on \(address(one)) is missing, and no finding says so")
            }
            if newest[address(one)]?.sequence ?? 0 < seen.sequence { newest[address(one)] = one }
        }
        var known: [[UInt8]: WrittenChange] = [:]
        for one in written { if let document = one.change.document { known[document] = one } }
        var live: Set<String> = []
        for seen in contents.live {
            let one = known[seen.change.document!]!
            live.insert(address(one))
            if let newer = newest[address(one)], newer.sequence > one.sequence {
                throw Violation("\(address(one)) is what operation \(one.sequence) wrote, although operation \(newer.sequence) is not lost")
            }
        }
        for (address, newer) in newest where newer.change.document != nil && !live.contains(address) {
            // Only a later delete may have taken it away.
            guard written.contains(where: { self.address($0) == address && $0.sequence > newer.sequence && $0.change.document == nil })
            else { throw Violation("\(address) is not there, although operation \(newer.sequence) is not lost") }
        }
    }

    private func address(_ one: WrittenChange) -> String { "\(one.table)/\(one.change.key)/\(one.change.key.isInteger)" }
}

extension Key {
    fileprivate var isInteger: Bool { if case .integer = self { true } else { false } }
}
