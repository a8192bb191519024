//===--- RedisConnection.swift - the Redis protocol, as much as is needed --===//
//
// Commands go out as arrays of bulk strings; several may be sent before their answers are read. RESP2: redis.io, "Redis serialization
// protocol specification".
//===-----------------------------------------------------------------------===//

import CPeers
import Foundation

enum RedisReply: Equatable {
    case status(String)
    case integer(Int)
    /// In the connection's buffer, until the next command.
    case bulk(Range<Int>)
    case null
    case array([RedisReply])
}

final class RedisConnection {
    private let descriptor: Int32
    private var outgoing: [UInt8] = []
    private var incoming = [UInt8](repeating: 0, count: 64 << 10)
    /// What has arrived, and what of it has been read.
    private var filled = 0
    private var place = 0

    init(_ path: String) throws {
        #if canImport(Glibc)
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #else
            descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { throw SystemFailure("socket") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        // SAFETY: the path with its zero is checked to fit, and connect reads no further than the structure.
        let result = unsafe withUnsafeMutableBytes(of: &address.sun_path) { target -> Bool in
            guard bytes.count < target.count else { return false }
            unsafe target.copyBytes(from: bytes)
            return true
        }
        guard result else { throw SystemFailure(message: "the socket's path is too long: \(path)") }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let connected = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, length) }
        }
        guard connected == 0 else {
            let failure = SystemFailure("connect")
            close(descriptor)
            throw failure
        }
    }

    deinit { close(descriptor) }

    // MARK: - Sending

    /// One command and its answer.
    func command(_ words: [String]) throws -> RedisReply {
        begin(words.count)
        for word in words { add(Array(word.utf8).span) }
        try flush()
        return try reply()
    }

    /// Begins a command of so many words, behind those that have not been sent yet.
    func begin(_ count: Int) {
        outgoing.append(UInt8(ascii: "*"))
        append(count)
    }

    func add(_ word: StaticString) {
        outgoing.append(UInt8(ascii: "$"))
        append(word.utf8CodeUnitCount)
        word.withUTF8Buffer { unsafe outgoing.append(contentsOf: $0) }
        outgoing.append(13)
        outgoing.append(10)
    }

    func add(_ word: Span<UInt8>) {
        outgoing.append(UInt8(ascii: "$"))
        append(word.count)
        unsafe word.withUnsafeBufferPointer { unsafe outgoing.append(contentsOf: $0) }
        outgoing.append(13)
        outgoing.append(10)
    }

    private func append(_ number: Int) {
        if number < 10 {
            outgoing.append(UInt8(ascii: "0") + UInt8(number))
        } else {
            outgoing.append(contentsOf: String(number).utf8)
        }
        outgoing.append(13)
        outgoing.append(10)
    }

    func flush() throws {
        var sent = 0
        while sent < outgoing.count {
            // SAFETY: write reads inside the array.
            let count = unsafe outgoing.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress! + sent, $0.count - sent) }
            guard count > 0 else { throw SystemFailure("write to redis-server") }
            sent += count
        }
        outgoing.removeAll(keepingCapacity: true)
        // What was answered before has been read: the buffer begins anew.
        if place == filled {
            place = 0
            filled = 0
        }
    }

    // MARK: - Answers

    func reply() throws -> RedisReply {
        let line = try line()
        let kind = incoming[line.lowerBound]
        let rest = (line.lowerBound + 1)..<line.upperBound
        switch kind {
        case UInt8(ascii: "+"): return .status(String(decoding: incoming[rest], as: UTF8.self))
        case UInt8(ascii: "-"): throw SystemFailure(message: "Redis: \(String(decoding: incoming[rest], as: UTF8.self))")
        case UInt8(ascii: ":"): return .integer(try number(rest))
        case UInt8(ascii: "$"):
            let count = try number(rest)
            if count < 0 { return .null }
            while filled - place < count + 2 { try receive() }
            defer { place += count + 2 }
            return .bulk(place..<(place + count))
        case UInt8(ascii: "*"):
            let count = try number(rest)
            return .array(try (0..<max(0, count)).map { _ in try reply() })
        default: throw SystemFailure(message: "Redis answered something else")
        }
    }

    func with<Result>(_ range: Range<Int>, _ body: (Span<UInt8>) -> Result) -> Result {
        let incoming = incoming
        return body(incoming.span.extracting(range))
    }

    func text(_ range: Range<Int>) -> String { with(range) { String(copying: $0) } }

    private func line() throws -> Range<Int> {
        var end = place
        while true {
            while end < filled, incoming[end] != 10 { end += 1 }
            if end < filled { break }
            try receive()
        }
        defer { place = end + 1 }
        return place..<(end - 1)
    }

    private func number(_ range: Range<Int>) throws -> Int {
        var value = 0
        var isNegative = false
        for index in range {
            if incoming[index] == UInt8(ascii: "-") {
                isNegative = true
            } else {
                value = value * 10 + Int(incoming[index] - UInt8(ascii: "0"))
            }
        }
        return isNegative ? -value : value
    }

    private func receive() throws {
        if filled == incoming.count { incoming.append(contentsOf: repeatElement(0, count: incoming.count)) }
        // SAFETY: read writes into the array behind what is filled.
        let count = unsafe incoming.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress! + filled, $0.count - filled) }
        guard count > 0 else { throw SystemFailure(message: "redis-server closed the connection") }
        filled += count
    }
}
