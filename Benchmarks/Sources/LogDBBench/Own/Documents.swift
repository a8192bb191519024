//===--- Documents.swift - what proving a document costs -------------------===//
//
// The validator is no part of the public interface, so it is timed at the front door: one large document of many, whose last brace is
// missing, is read to its end and then refused, and nothing else is done with it. Beside it copying the same bytes, and Foundation.
//===-----------------------------------------------------------------------===//

import Foundation
import LogDB

extension Bench {
    func measureJSON() throws {
        var text = Array(#"{"all":["#.utf8)
        for step in campaign.steps where !step.isDelete && text.count < 32 << 20 {
            text += campaign.text[step.document]
            text.append(UInt8(ascii: ","))
        }
        text.removeLast()
        text.append(UInt8(ascii: "]"))
        report.title("proving that \(text.count / 1_000_000) MB of documents are JSON, to the end")
        let whole = Data(text + [UInt8(ascii: "}")])
        let database = try Database.open(at: fresh("json"))
        var copy = [UInt8](repeating: 0, count: text.count)
        let passes = try racePasses(
            [
                Contender("validate") { _ in
                    do throws(LogDBError) { try database.upsert("t", 1, json: text.span) } catch {
                        guard error.code == .invalidDocument, error.offset == UInt64(text.count) else { throw error }
                        return
                    }
                    throw SystemFailure(message: "half a document was accepted")
                },
                Contender("copy") { _ in
                    // SAFETY: both arrays have `text.count` bytes.
                    unsafe copy.withUnsafeMutableBytes { unsafe $0.copyBytes(from: text) }
                },
                Contender("Foundation") { _ in
                    guard try JSONSerialization.jsonObject(with: whole) is [String: Any] else {
                        throw SystemFailure(message: "Foundation read something else")
                    }
                },
            ], passes: calls(9, quick: 3))
        try database.close()
        let rates = passes.map { Double(text.count) / $0 * 1e9 }
        report.add(Line(what: "validation", value: rates[0], unit: .bytesPerSecond, beside: ("copying", rates[1]), limit: .atLeast(300e6)))
        report.add(Line(what: "validation", value: rates[0], unit: .bytesPerSecond, beside: ("JSONSerialization, which builds", rates[2])))
    }
}
