//===--- Operation.swift - one operation, on its way to the application ----===//

import LogDBFormat

/// Position in the one global order of operations. Starts at 1; never reused, never goes back.
public typealias SequenceNumber = UInt64

/// One operation as ``Database/replay(_:)`` and ``Database/select(_:_:)`` deliver it: a view into the engine's buffers, valid
/// only during the call. Copy out what you keep.
public struct Operation: ~Escapable {
    /// Position in the global order. The greatest one of a key wins.
    public let sequenceNumber: SequenceNumber
    /// When the operation was made, in milliseconds since 1970 UTC, by the writer's clock.
    public let milliseconds: Int64
    /// Name of the table.
    public let table: String
    /// Whether this deletes the key. ``document`` is empty then. ``Database/replay(_:)`` says so of documents that have expired, too.
    public let isDelete: Bool
    /// The document, UTF-8 JSON text, byte for byte as written.
    public let document: Span<UInt8>
    /// The document with its expiry, as it is stored.
    let stored: Span<UInt8>
    let encodedKey: Span<UInt8>
    let tableID: UInt64

    /// - Parameter hasExpired: whether the record is to be delivered as a delete, whatever it is.
    @_lifetime(copy record)
    init(_ record: Record, table: String, sequenceNumber: SequenceNumber, milliseconds: Int64, hasExpired: Bool = false) {
        self.sequenceNumber = sequenceNumber
        self.milliseconds = milliseconds
        self.table = table
        isDelete = record.isDelete || hasExpired
        stored = hasExpired ? Span() : record.document
        document = Expiry.json(of: stored)
        encodedKey = record.key
        tableID = record.table
    }

    /// When the document expires, in milliseconds since 1970 UTC; nil: never.
    public var expires: Int64? { Expiry.milliseconds(of: stored) }

    /// The key. Makes a `String` where it is one.
    public var key: Key {
        get throws(LogDBError) {
            do throws(FormatError) {
                return try Key(decoding: encodedKey)
            } catch {
                throw LogDBError(.corrupted, "\(error.reason), in operation \(sequenceNumber)")
            }
        }
    }
}
