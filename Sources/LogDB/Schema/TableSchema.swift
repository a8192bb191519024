//===--- TableSchema.swift - what a table asks of what is written to it -----===//

import LogDBFormat

/// The kind of key that a table takes.
public enum KeyType: String, Sendable, CaseIterable {
    case string
    case integer

    func admits(_ key: Key) -> Bool {
        switch (self, key) {
        case (.string, .string), (.integer, .integer): true
        default: false
        }
    }
}

/// One version of what a table asks of its keys and documents. ``Database/setSchema(_:keys:documents:persistence:)`` makes the next one.
public struct SchemaVersion: Sendable {
    /// 1, 2, 3 … for each table.
    public let number: Int
    /// When it was set, in milliseconds since 1970 UTC, by the writer's clock.
    public let milliseconds: Int64
    /// The kind of key; nil: both.
    public let keys: KeyType?
    /// The schema of documents as JSON text, byte for byte as it was given, without white space around it; nil: any document.
    public let text: [UInt8]?
    /// Whether `format` is a rule of it.
    public let assertsFormats: Bool

    /// Whether anything may be written.
    public var isWideOpen: Bool { keys == nil && text == nil }

    /// The schema of documents, compiled.
    ///
    /// - Throws: `.unsupportedFormat` if this version of LogDB does not know all that the schema uses.
    public func documents() throws(LogDBError) -> Schema? {
        guard let text else { return nil }
        do throws(LogDBError) { return try Schema(json: text, assertsFormats: assertsFormats) } catch {
            throw LogDBError(.unsupportedFormat, "version \(number) of the schema cannot be used: \(error.message)")
        }
    }
}

/// What ``Database/setSchema(_:keys:documents:persistence:)`` did.
public struct SchemaChange: Sendable, Equatable {
    /// The version that is in force now.
    public let version: Int
    /// Whether it is a new one; false if the table asked for just this already.
    public let isNew: Bool
    /// Live documents that were checked before the change. 0 where it was certain without that none can break the new rules.
    public let documentsChecked: UInt64
}

/// A live document that breaks a rule.
public struct SchemaProblem: Sendable, Equatable {
    public let key: Key
    /// The value and the rule, as in a `.schemaViolation`; or what is wrong with the key.
    public let reason: String
}

/// What ``Database/checkSchema(_:keys:documents:limit:)`` found.
public struct SchemaReport: Sendable, Equatable {
    public var documents: UInt64 = 0
    /// How many documents break a rule.
    public var broken: UInt64 = 0
    /// The first of them, in key order.
    public var problems: [SchemaProblem] = []
}
