//===--- KeyIndexTests.swift - which block holds a key, and which keys stand for all ----===//

import LogDBFormat
import Testing

@Suite struct KeyIndexTests {
    private func key(_ number: Int) -> [UInt8] { [2] + Array("key \(number)".utf8) }

    private func hash(_ number: Int) -> UInt64 { KeyCoding.hash(table: 1, key: key(number).span) }

    /// As it comes back from the bytes of a segment's index.
    private func reread(_ census: inout KeyCensus, blockCount: Int) throws -> SegmentFooter {
        var footer = SegmentFooter()
        footer.blocks = (0..<blockCount).map {
            BlockEntry(
                offset: 104 + 100 * UInt64($0), storedLength: 100, rawLength: 1000, recordCount: 1, checksum: 0, firstSequence: 1,
                firstMilliseconds: 0, holdsCatalog: false)
        }
        footer.keyIndex = census.index(blockCount: blockCount)
        footer.sample = census.sample()
        var bytes = ByteBuffer()
        let end = 104 + 100 * UInt64(blockCount)
        _ = footer.append(to: &bytes, at: end, identity: 7, order: .log, in: .lz4)
        let body = bytes.span.extracting(8..<(bytes.count - SegmentTrailer.envelopeLength(in: .lz4)))
        let again = try SegmentFooter(decoding: body, firstBlock: 104, end: end, order: .log, container: .lz4)
        #expect(again == footer)
        return again
    }

    // All keys once shared three slots, because a shift binds tighter than a product: no segment of two keys or more got an index, and a
    // `get` asked every block.
    @Test(arguments: [(0, 1), (1, 1), (2, 1), (3, 2), (10, 3), (1000, 33), (60_000, 700)])
    func `every key is found in the block of its newest operation, and others nearly never`(_ keys: Int, _ blocks: Int) throws {
        var census = KeyCensus()
        for round in 0..<2 {
            for number in 0..<keys where round == 0 || number % 3 == 0 {
                let bytes = key(number)
                let block = (number * 7 + round) % blocks
                census.add(Record(table: 1, key: bytes.span, isDelete: false, document: bytes.span), block: block)
            }
        }
        let index = try #require(try reread(&census, blockCount: blocks).keyIndex)
        for number in 0..<keys {
            let block = (number * 7 + (number % 3 == 0 ? 1 : 0)) % blocks
            guard index.block(of: hash(number), count: blocks) == block else {
                Issue.record("key \(number) is not said to be in block \(block)")
                return
            }
        }
        let strangers = 20_000
        let named = (0..<strangers).count { index.block(of: hash(-1 - $0), count: blocks) != nil }
        #expect(named < strangers / 100, "\(named) of \(strangers)")
        #expect(index.byteCount <= keys * 5 * (8 + 10) / 32 + 128)
    }

    @Test func `two keys with one hash leave a segment without an index`() throws {
        // The first byte of the key undone by the table, which is hashed before it.
        let inverse: UInt64 = {
            var inverse: UInt64 = 1
            for _ in 0..<6 { inverse = inverse &* (2 &- 0x9E37_79B9_7F4A_7C15 &* inverse) }
            return inverse
        }()
        let basis: UInt64 = 0xCBF2_9CE4_8422_2325
        for table in UInt64(1)... {
            let other = (basis ^ (basis ^ table &* 0x9E37_79B9_7F4A_7C15 ^ 1 ^ 2)) &* inverse
            guard other < 1 << 62 else { continue }
            let (a, b): ([UInt8], [UInt8]) = ([1] + Array("12345678".utf8), [2] + Array("12345678".utf8))
            #expect(KeyCoding.hash(table: table, key: a.span) == KeyCoding.hash(table: other, key: b.span))
            var census = KeyCensus()
            census.add(Record(table: table, key: a.span, isDelete: true, document: Span()), block: 0)
            #expect(census.index(blockCount: 2) != nil)
            census.add(Record(table: other, key: b.span, isDelete: true, document: Span()), block: 1)
            #expect(census.count == 2)
            #expect(try reread(&census, blockCount: 2).keyIndex == nil)
            return
        }
    }

    @Test func `the sample is the keys with the smallest hashes, each with its newest bytes`() throws {
        for keys in [0, 5, KeySample.size, KeySample.size + 1, 3000] {
            var census = KeyCensus()
            var expected: [UInt64: UInt64] = [:]
            for round in 0..<2 {
                for number in 0..<keys where round == 0 || number % 3 == 0 {
                    let bytes = key(number)
                    let isDelete = round == 1 && number % 2 == 0
                    census.add(Record(table: 1, key: bytes.span, isDelete: isDelete, document: isDelete ? Span() : bytes.span), block: 0)
                    expected[hash(number)] = isDelete ? 0 : UInt64(2 * bytes.count)
                }
            }
            let sample = try reread(&census, blockCount: 1).sample
            #expect(sample.entries.map(\.hash) == Array(expected.keys.sorted().prefix(KeySample.size)))
            #expect(sample.entries.allSatisfy { $0.bytes == expected[$0.hash] && $0.table == 1 })
            #expect((sample.bound == .max) == (keys <= KeySample.size))
        }
    }
}
