//===--- WorkloadsOfSchemas.swift - rules that change while the power goes ---===//

import LogDB

extension Workload {
    /// Schemas set on new tables and on full ones, made wider at once and narrower after a look at every document; dropped with their table.
    static var schemas: Workload {
        var author = Author(seed: 51)
        let loose = #"{"type":"object","properties":{"n":{"type":"number"}}}"#
        let strict = #"{"type":"object","properties":{"n":{"type":"integer","minimum":0}},"required":["n","t"]}"#
        var steps: [Step] = [.setSchema("t", strict, .process), author.put("t", 1, 3000, .disk), author.put("u", 1, 9000, .process)]
        steps += [.setSchema("t", loose, .disk), author.put("t", 2, 12_000, .process), .setSchema("u", loose, .process)]
        steps += [.begin("x"), .change("x", Change(table: "u", key: 7, document: author.document(6000))), .commit("x", .process)]
        steps += [.setSchema("u", strict, .process), author.put("u", 1, 14_000, .disk), .seal, .reopen, .setSchema("t", strict, .process)]
        steps += [.setSchema("t", strict, .disk), author.put("t", 3, 15_000, .process), .compact(), author.put("t", 4, 8000, .disk)]
        steps += [.dropTable("u", .process), author.put("u", 2, 2000, .process), .setSchema("u", loose, .disk), .compact(), .reopen]
        return Workload("schemas", steps + [author.put("u", 3, 700, .process), .setSchema("t", loose, .process), .flush])
    }
}
