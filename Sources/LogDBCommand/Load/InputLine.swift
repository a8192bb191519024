//===--- InputLine.swift - what one line of input asks for -----------------===//
//
//      {"table":"actors","key":"goblin-7","value":{"hp":7}}      upsert
//      {"table":"actors","key":"goblin-7","value":null}          delete
//      {"id":7,"name":"goblin"}                                  upsert, with --table actors --key id
//
//      {"table":"sessions","key":"alice","value":{…},"expires":1790001800021}      a document that expires; null: never, whatever the table says
//
//      {"op":"begin"}   {"op":"commit"}   {"op":"rollback"}      a transaction, with "tx":"name" one of several
//      {"tx":"name","table":"actors","key":7,"value":{…}}        an operation of it
//
//      {"table":"actors","keys":"string","formats":true,"schema":{…}}      a table's schema; keys and formats may be left out
//      {"table":"actors","retention":{"keep":"versions","count":5}}        its retention
//      {"table":"sessions","timeToLive":1800000}                           its time to live; null: never
//      {"time":1790000000021,"table":"actors","key":7,"value":{…}}         an operation that was made then
//
//      {"history":1}                                                       a whole history follows, see HistoryLines.swift
//
// A line is given as offsets into its own bytes: nothing is copied before it is known where to.
//===-----------------------------------------------------------------------===//

import LogDB
import LogDBFormat

enum InputLine {
    /// The document stands at these offsets of the line.
    case upsert(table: String, key: Key, document: Range<Int>, timeToLive: TimeToLive? = nil)
    case delete(table: String, key: Key)
}

/// What a line is about: an operation, on its own or of a transaction; a transaction as a whole; or what is said of a table.
enum InputStep {
    case operation(InputLine, transaction: String?)
    /// nil is the transaction without a name.
    case begin(String?)
    case commit(String?)
    case rollback(String?)
    case schema(SchemaLine)
    /// An operation on its own that was made at a time, in milliseconds since 1970.
    case timed(InputLine, milliseconds: Int64)
    /// The retention stands at these offsets of the line.
    case retention(table: String, Range<Int>)
    case history(HistoryLine)
    /// nil: never.
    case timeToLive(Duration?, table: String)
}

/// The schema of a table, as `dump` prints it.
struct SchemaLine {
    var table: String
    /// nil: both kinds.
    var keys: KeyType?
    /// Whether `format` is a rule.
    var formats = false
    /// Where in the line the schema of documents stands; nil: any document.
    var documents: Range<Int>?
}

/// Why a line cannot be an ``InputLine``, and at which of its bytes.
struct LineError: Error {
    var offset: Int
    var reason: String

    init(_ reason: String, at offset: Int) {
        self.offset = offset
        self.reason = reason
    }

    init(_ error: JSONError, of whole: String = "the line") {
        offset = error.offset
        reason = error.reason == .notAnObject ? "\(whole) is not a JSON object" : error.reason.rawValue
    }

    /// The column that an editor shows: characters (Unicode scalars) from 1, not bytes.
    func column(in line: Span<UInt8>) -> Int {
        var column = 1
        for index in 0..<min(offset, line.count) where line[index] & 0xC0 != 0x80 { column += 1 }
        return column
    }
}

/// How the lines of a load are to be understood.
enum LineForm {
    /// Each line is an operation: table, key, value.
    case operations
    /// Each line is a document of one table; its key is the field at a path.
    case documents(table: String, keyPath: [String])
}
