//===--- SchemaSink+Hashing.swift - hashes of containers, on the way -------===//
//
// Made only inside a container that is compared with constants or whose items must be unique, from what is read anyway.
//===-----------------------------------------------------------------------===//

extension SchemaSink {
    @inline(never)
    mutating func openHash(object: Bool, at start: Int) {
        scratch.hashes.append(HashFrame(isObject: object, start: UInt32(truncatingIfNeeded: start)))
        hashDepth += 1
    }

    /// The items of the array just opened must be unique, for those of the entries that say so.
    mutating func expectUniqueItems(_ first: Int, _ end: Int) {
        let last = scratch.hashes.count - 1
        scratch.hashes[last].set = Int32(truncatingIfNeeded: sets.count)
        scratch.hashes[last].first = Int32(truncatingIfNeeded: first)
        scratch.hashes[last].end = Int32(truncatingIfNeeded: end)
        sets.append(UniqueItems())
    }

    @inline(never)
    mutating func hashName(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, escaped: Bool) {
        scratch.hashes[scratch.hashes.count - 1].name = JSONHash.string(bytes, start, end, escaped: escaped)
    }

    /// Adds a value to the container around it.
    @inline(never)
    mutating func addHash(_ bytes: Span<UInt8>, _ hash: UInt64, _ start: Int, _ end: Int) {
        let last = scratch.hashes.count - 1
        let frame = scratch.hashes[last]
        if frame.isObject {
            JSONHash.addMember(name: frame.name, hash, to: &scratch.hashes[last].running)
            return
        }
        JSONHash.addElement(hash, to: &scratch.hashes[last].running)
        guard frame.set >= 0, !sets[Int(frame.set)].insert(bytes, hash, start, end) else { return }
        for index in Int(frame.first)..<Int(frame.end) {
            let node = scratch.entries[index].node
            let array = program.nodes[Int(node)].array
            guard array >= 0, program.arrays[Int(array)].isUnique else { continue }
            fail(index, SchemaFailure(node, .uniqueItems, start, end))
        }
    }

    @inline(never)
    mutating func closeHash(_ bytes: Span<UInt8>, _ end: Int) {
        guard let frame = scratch.hashes.popLast() else { return }
        hashDepth -= 1
        if frame.set >= 0 { sets.removeLast() }
        lastHash = JSONHash.finish(frame.running, isObject: frame.isObject)
        if hashDepth != 0 { addHash(bytes, lastHash, Int(frame.start), end) }
    }
}
