//===--- Damage.swift - what happens to files while nobody looks -----------===//
//
// Bit rot, other programs, restored backups. These change the medium and the cache alike, take no part in counting, and are meant for a disk
// nobody is using: an image, or one whose database is closed. On a disk with unsynced directory operations a crash may undo them.
//===-----------------------------------------------------------------------===//

import LogDBFile

extension SimulatedDisk {
    /// The names programs see, sorted.
    package var names: [String] { state.withLock { $0.volume.names.keys.sorted() } }

    package func exists(_ name: String) -> Bool { state.withLock { $0.volume.names[name] != nil } }

    package func size(of name: String) -> Int { inode(name).size }

    /// Returns the bytes programs see.
    package func read(_ name: String) -> [UInt8] {
        let inode = inode(name)
        return inode.current.bytes(0..<inode.size)
    }

    /// Puts a file there, safely, instead of one that may be there.
    package func write(_ name: String, _ bytes: [UInt8]) {
        state.withLock { $0.volume.place(name, Inode(durable: bytes)) }
    }

    package func delete(_ name: String) { state.withLock { $0.volume.erase(name) } }

    package func copy(_ source: String, to target: String) {
        let inode = inode(source)
        state.withLock { $0.volume.place(target, inode) }
    }

    package func swap(_ first: String, _ second: String) { state.withLock { $0.volume.swap(first, second) } }

    package func flipBit(_ bit: Int, at offset: Int, of name: String) {
        change(name) { $0.damage(offset) { $0 ^ (1 << UInt8(bit & 7)) } }
    }

    package func setByte(at offset: Int, of name: String, to value: UInt8) {
        change(name) { $0.damage(offset) { _ in value } }
    }

    /// Sets a range to zeros, as a lost sector reads.
    package func zero(_ range: Range<Int>, of name: String) {
        change(name) { inode in
            for offset in range { inode.damage(offset) { _ in 0 } }
        }
    }

    /// Cuts off the end, or adds zeros.
    package func truncate(_ name: String, to byteCount: Int) {
        change(name) { inode in
            inode.truncate(to: byteCount)
            inode.sync()
        }
    }

    private func inode(_ name: String) -> Inode {
        state.withLock { state in
            guard let number = state.volume.names[name], let inode = state.volume.inodes[number] else {
                preconditionFailure("no file \(name)")
            }
            return inode
        }
    }

    private func change(_ name: String, _ body: (inout Inode) -> Void) {
        state.withLock { state in
            guard let number = state.volume.names[name] else { preconditionFailure("no file \(name)") }
            body(&state.volume.inodes[number]!)
        }
    }
}
