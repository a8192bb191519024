//===--- Identifiers.swift - URIs, IRIs and URI templates ------------------===//
//
//      scheme ":" ["//" authority] path ["?" query] ["#" fragment]            RFC 3986; with other letters RFC 3987
//      literals and {operator variable:3,variable*}                          RFC 6570
//===-----------------------------------------------------------------------===//

extension FormatReader {
    mutating func uri(international: Bool) -> Bool {
        scheme() && take(":") && rest(international, noColonInFirstSegment: false)
    }

    mutating func uriReference(international: Bool) -> Bool {
        let start = at
        if scheme(), take(":") { return rest(international, noColonInFirstSegment: false) }
        at = start
        return rest(international, noColonInFirstSegment: true)
    }

    private mutating func scheme() -> Bool {
        guard Self.isLetter(next) else { return false }
        while Self.isLetter(next) || ASCII.isDigit(next) || "+-.".utf8.contains(next) { at += 1 }
        return true
    }

    private mutating func rest(_ international: Bool, noColonInFirstSegment: Bool) -> Bool {
        if next == UInt8(ascii: "/"), text.byte(at: at + 1) == UInt8(ascii: "/") {
            at += 2
            guard authority(international) else { return false }
            guard isAtEnd || "/?#".utf8.contains(next) else { return false }
        } else if noColonInFirstSegment {
            characters(international, besides: "@")
            if next == UInt8(ascii: ":") { return false }
        }
        characters(international, besides: ":@/")
        if take("?") { characters(international, besides: ":@/?", isQuery: true) }
        if take("#") { characters(international, besides: ":@/?") }
        return isAtEnd
    }

    private mutating func authority(_ international: Bool) -> Bool {
        // What stands before an @, if there is one.
        let start = at
        characters(international, besides: ":")
        if !take("@") { at = start }
        if take("[") {
            guard next | 0x20 == UInt8(ascii: "v") ? futureAddress() : ipv6() else { return false }
            guard take("]") else { return false }
        } else {
            characters(international, besides: "")
        }
        if take(":") { while ASCII.isDigit(next) { at += 1 } }
        return true
    }

    private mutating func futureAddress() -> Bool {
        at += 1
        let start = at
        while Self.isHexadecimal(next) { at += 1 }
        guard at > start, take(".") else { return false }
        let address = at
        while Self.isPlain(next) || next == UInt8(ascii: ":") { at += 1 }
        return at > address
    }

    /// Unreserved characters, percent-encoded ones, sub-delimiters, and `others`, as many as there are.
    private mutating func characters(_ international: Bool, besides others: String, isQuery: Bool = false) {
        while true {
            if Self.isPlain(next) || (!isAtEnd && others.utf8.contains(next)) {
                at += 1
            } else if next == UInt8(ascii: "%"), Self.isHexadecimal(text.byte(at: at + 1)), Self.isHexadecimal(text.byte(at: at + 2)) {
                at += 3
            } else if international, next >= 0x80 {
                var behind = at
                let value = JSONText.scalar(text, &behind)
                guard Self.isInternational(value) || (isQuery && Self.isPrivate(value)) else { return }
                at = behind
            } else {
                return
            }
        }
    }

    /// Unreserved characters and sub-delimiters.
    private static func isPlain(_ byte: UInt8) -> Bool {
        isLetter(byte) || ASCII.isDigit(byte) || "-._~!$&'()*+,;=".utf8.contains(byte)
    }

    /// `ucschar` of RFC 3987.
    private static func isInternational(_ value: UInt32) -> Bool {
        switch value {
        case 0xA0...0xD7FF, 0xF900...0xFDCF, 0xFDF0...0xFFEF: true
        case 0x10000...0xEFFFD: value & 0xFFFF <= 0xFFFD && (value >> 16 != 0xE || value & 0xFFFF >= 0x1000)
        default: false
        }
    }

    private static func isPrivate(_ value: UInt32) -> Bool {
        (0xE000...0xF8FF).contains(value) || (value >= 0xF0000 && value & 0xFFFF <= 0xFFFD)
    }

    // MARK: - Templates

    mutating func uriTemplate() -> Bool {
        while !isAtEnd {
            if take("{") {
                guard templateExpression() else { return false }
            } else if next == UInt8(ascii: "%") {
                guard Self.isHexadecimal(text.byte(at: at + 1)), Self.isHexadecimal(text.byte(at: at + 2)) else { return false }
                at += 3
            } else if next < 0x80 {
                guard next > 0x20, next != 0x7F, !"\"'<>\\^`{|}".utf8.contains(next) else { return false }
                at += 1
            } else {
                let value = JSONText.scalar(text, &at)
                guard Self.isInternational(value) || Self.isPrivate(value) else { return false }
            }
        }
        return true
    }

    private mutating func templateExpression() -> Bool {
        if !isAtEnd, "+#./;?&=,!@|".utf8.contains(next) { at += 1 }
        repeat {
            repeat {
                let start = at
                while Self.isLetter(next) || ASCII.isDigit(next) || next == UInt8(ascii: "_") || isPercentEncoded {
                    at += next == UInt8(ascii: "%") ? 3 : 1
                }
                guard at > start else { return false }
            } while take(".")
            if take(":") {
                let start = at
                guard someDigits(), at - start <= 4, text.byte(at: start) != ASCII.zero else { return false }
            } else {
                _ = take("*")
            }
        } while take(",")
        return take("}")
    }

    private var isPercentEncoded: Bool {
        next == UInt8(ascii: "%") && Self.isHexadecimal(text.byte(at: at + 1)) && Self.isHexadecimal(text.byte(at: at + 2))
    }
}
