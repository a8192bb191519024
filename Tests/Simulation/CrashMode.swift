//===--- CrashMode.swift - what a power cut leaves -------------------------===//

/// What an image after a power cut keeps of that which was not synced.
package enum CrashMode: Sendable, Hashable {
    /// Nothing.
    case pessimistic
    /// Everything.
    case optimistic
    /// Any subset the disk's model allows, chosen by the seed: of sectors, sizes and directory operations, and the sector written
    /// last may be torn at any byte.
    case random(seed: UInt64)
}

/// Which order a file system keeps between the directory operations it has not synced.
package enum DiskModel: Sendable, CaseIterable {
    /// A journal: some first part of the unsynced directory operations is there, the rest is not. Syncing a newly created file makes its
    /// name durable too, and with it everything journaled before.
    case ext4Like
    /// What POSIX says and no more: each unsynced directory operation is there or not, for itself. Only a directory sync settles it.
    case strictPOSIX
}

/// What becomes of a file's dirty sectors when its sync fails.
package enum FailedSync: Sendable, CaseIterable {
    /// They stay dirty: the next sync writes them. The friendly case.
    case keepsDirty
    /// They are marked clean without having been written: reads still show them, the next sync succeeds, a power cut loses them. This is
    /// what Linux does ("fsyncgate", 2018), and why a sync must not be retried.
    case dropsDirty
}
