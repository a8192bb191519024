//===--- Opening.swift - a database for as long as a verb needs it ---------===//

import LogDB

/// Opens the database at `path`, hands it to `body` and closes it, whatever happens.
func withDatabase<Result>(_ path: String, _ options: Options, _ body: (Database) throws -> Result) throws -> Result {
    let database = try Database.open(at: path, options: options)
    let result: Result
    do {
        result = try body(database)
    } catch {
        // The first failure is the one to report.
        try? database.close()
        throw error
    }
    try database.close()
    return result
}

extension Options {
    /// To look: beside a writer, changing nothing.
    static var toRead: Options { Options { $0.access = .readOnly } }

    /// To change what is there; creates nothing.
    static var toChange: Options { Options { $0.createIfMissing = false } }
}
