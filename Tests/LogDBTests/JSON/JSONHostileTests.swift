//===--- JSONHostileTests.swift - texts made to hurt -----------------------===//

import Foundation
import LogDB
import LogDBFormat
import Synchronization
import Testing

struct JSONHostileTests {
    private func repeated(_ text: String, _ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        for _ in 0..<count { result += text.utf8 }
        return result
    }

    @Test(arguments: ["[", "{\"a\":", "[{\"a\":", " [\n"]) func `millions of open brackets are refused at the thousand-and-first`(
        unit: String
    ) {
        let text = repeated(unit, 2_000_000)
        let error = JSONReaders.validatorError(text)
        #expect(error?.reason == .nestedTooDeep)
        #expect(JSONReaders.treeError(text) as? JSONError == error)
        #expect(JSONReaders.cursorError(text) == error)
        let perUnit = unit.utf8.filter { $0 == 0x5B || $0 == 0x7B }.count
        #expect((error?.offset ?? 0) / unit.utf8.count == 1_000 / perUnit)
    }

    @Test func `exactly a thousand containers may be nested, of every mixture`() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<50 {
            let objects = (0..<1_000).map { _ in Bool.random(using: &random) }
            let text = objects.map { $0 ? "{\"k\":" : "[" }.joined() + "1" + objects.reversed().map { $0 ? "}" : "]" }.joined()
            #expect(JSONReaders.validatorError(Array(text.utf8)) == nil)
            #expect(JSONReaders.cursorError(Array(text.utf8)) == nil)
            #expect(try JSON(parsing: text).description == text)
            #expect(JSONReaders.validatorError(Array("[\(text)]".utf8))?.reason == .nestedTooDeep)
            #expect(JSONReaders.cursorError(Array("[\(text)]".utf8))?.reason == .nestedTooDeep)
            // One bracket of the other kind anywhere is noticed.
            var wrong = Array(text.utf8)
            let place = wrong.count - 1 - Int.random(in: 0..<1_000, using: &random)
            wrong[place] = wrong[place] == UInt8(ascii: "}") ? UInt8(ascii: "]") : UInt8(ascii: "}")
            #expect(JSONReaders.validatorError(wrong)?.offset == place)
        }
    }

    // 512 KiB is what a secondary thread gets on macOS. Building, printing, comparing and releasing must all fit.
    @Test func `a value a thousand deep lives and dies on a thread with a stack of 512 KiB`() {
        let done = DispatchSemaphore(value: 0)
        let failures = Mutex<[String]>([])
        let thread = Thread {
            for (open, close, levels) in [("[", "]", 1_000), ("{\"k\":", "}", 1_000), ("[{\"k\":", "}]", 500)] {
                let text = String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels)
                guard let first = try? JSON(parsing: text), let second = try? JSON(parsing: text) else {
                    failures.withLock { $0.append("\(open): not parsed") }
                    continue
                }
                let inner = first[0].isNull ? first["k"] : first[0]
                let isRight =
                    first == second && first.hashValue == second.hashValue && first.description == text
                    && (try? DocumentEncoder().encode(["a": inner]))?.count == 5 + inner.serialized().count + 1
                if !isRight { failures.withLock { $0.append(open) } }
            }
            done.signal()
        }
        thread.stackSize = 512 << 10
        thread.start()
        done.wait()
        #expect(failures.withLock { $0 } == [])
    }

    @Test func `ten million digits are one number`() throws {
        let digits = repeated("7", 10_000_000)
        #expect(JSONReaders.validatorError(digits) == nil)
        #expect(JSONNumeral.int64(digits.span, 0..<digits.count) == nil)
        #expect(JSONNumeral.double(digits.span, 0..<digits.count) == nil)
        let zeros = Array("0.".utf8) + repeated("0", 1_000_000) + Array("1e1000001".utf8)
        #expect(JSONNumeral.int64(zeros.span, 0..<zeros.count) == 1)
        #expect(JSONNumeral.double(zeros.span, 0..<zeros.count) == 1)
        let exponent = Array("1e".utf8) + repeated("9", 1_000_000)
        #expect(JSONNumeral.int64(exponent.span, 0..<exponent.count) == nil)
        #expect(JSONNumeral.double(exponent.span, 0..<exponent.count) == nil)
    }

    @Test func `a hundred thousand members, all alike or all different, cost no square`() throws {
        let clock = ContinuousClock()
        let start = clock.now
        let alike = Array("{\"a\":0".utf8) + repeated(",\"a\":1", 100_000) + Array("}".utf8)
        #expect(try JSON(parsing: alike).object?.count == 1)
        #expect(try DocumentDecoder().decode([String: Int].self, from: alike) == ["a": 1])
        var different: [UInt8] = Array("{\"m\":0".utf8)
        for index in 0..<100_000 { different += ",\"member\(index)\":\(index)".utf8 }
        different += "}".utf8
        #expect(try JSON(parsing: different).object?.count == 100_001)
        #expect(try DocumentDecoder().decode([String: Int].self, from: different).count == 100_001)
        #expect(clock.now - start < .seconds(20))
    }

    @Test func `every prefix of a document is refused as cut off, or as the number or literal it ends in`() {
        let text = Array(#"{"a":[1.5e3,true,null,"xéy\n\u00e9\ud83d\ude00"],"b":{"c":-0,"d":false}}"#.utf8)
        #expect(JSONReaders.validatorError(text) == nil)
        for length in 0..<text.count {
            let prefix = Array(text[..<length])
            let error = JSONReaders.validatorError(prefix)
            #expect(error != nil)
            #expect(JSONReaders.treeError(prefix) as? JSONError == error)
            #expect(JSONReaders.cursorError(prefix) == error)
        }
    }
}
