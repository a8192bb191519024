//===--- StringFormat.swift - what `format` may ask for --------------------===//
//
// JSON Schema, validation, 7.3: the formats by name, each with the standard that defines it. A format is an annotation unless asserting
// it is asked for. `idn-hostname` is not among them: it needs tables (RFC 5892) that Swift does not have.
//===-----------------------------------------------------------------------===//

enum StringFormat: String, Sendable, BitwiseCopyable {
    // RFC 3339; durations: its appendix A.
    case dateTime = "date-time"
    case date, time, duration
    // RFC 5321, 4.1.2; RFC 6531, whose domains are not looked at closely.
    case email
    case idnEmail = "idn-email"
    // RFC 1123, 2.1; RFC 2673, 3.2; RFC 4291, 2.2.
    case hostname, ipv4, ipv6
    // RFC 3986, RFC 3987, RFC 6570.
    case uri
    case uriReference = "uri-reference"
    case iri
    case iriReference = "iri-reference"
    case uriTemplate = "uri-template"
    // RFC 4122; RFC 6901; draft-bhutton-relative-json-pointer.
    case uuid
    case jsonPointer = "json-pointer"
    case relativeJSONPointer = "relative-json-pointer"
    // As `pattern` reads it.
    case regex

    /// Whether `text`, which is UTF-8, is of the format. Linear in its length.
    func accepts(_ text: Span<UInt8>) -> Bool {
        var reader = FormatReader(text)
        switch self {
        case .dateTime: return reader.dateTime() && reader.isAtEnd
        case .date: return reader.date() && reader.isAtEnd
        case .time: return reader.time() && reader.isAtEnd
        case .duration: return reader.duration() && reader.isAtEnd
        case .email: return reader.mailbox(international: false) && reader.isAtEnd
        case .idnEmail: return reader.mailbox(international: true) && reader.isAtEnd
        case .hostname: return reader.hostname(international: false) && reader.isAtEnd
        case .ipv4: return reader.ipv4() && reader.isAtEnd
        case .ipv6: return reader.ipv6() && reader.isAtEnd
        case .uri: return reader.uri(international: false) && reader.isAtEnd
        case .iri: return reader.uri(international: true) && reader.isAtEnd
        case .uriReference: return reader.uriReference(international: false) && reader.isAtEnd
        case .iriReference: return reader.uriReference(international: true) && reader.isAtEnd
        case .uriTemplate: return reader.uriTemplate() && reader.isAtEnd
        case .uuid: return reader.uuid() && reader.isAtEnd
        case .jsonPointer: return reader.jsonPointer() && reader.isAtEnd
        case .relativeJSONPointer: return reader.relativeJSONPointer() && reader.isAtEnd
        case .regex: return RegularExpression.isValid(JSONText.raw(text, 0..<text.count))
        }
    }
}

/// Walks a text from the front. What reads something answers false, and may stand anywhere, if it is not there.
struct FormatReader: ~Escapable {
    let text: Span<UInt8>
    var at = 0

    @_lifetime(copy text)
    init(_ text: Span<UInt8>) { self.text = text }

    var isAtEnd: Bool { at >= text.count }
    /// The next byte, 0 at the end. (A zero in the text is no part of any format.)
    var next: UInt8 { text.byte(at: at) }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard !isAtEnd, next == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    mutating func take(_ characters: Unicode.Scalar...) -> Bool {
        for character in characters where take(character) { return true }
        return false
    }

    /// Exactly `count` decimal digits.
    mutating func digits(_ count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard ASCII.isDigit(next) else { return nil }
            value = value * 10 + Int(next &- ASCII.zero)
            at += 1
        }
        return value
    }

    /// One digit or more.
    mutating func someDigits() -> Bool {
        let start = at
        while ASCII.isDigit(next) { at += 1 }
        return at > start
    }

    static func isHexadecimal(_ byte: UInt8) -> Bool { ASCII.isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 6 }
    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

    mutating func uuid() -> Bool {
        for (index, length) in [8, 4, 4, 4, 12].enumerated() {
            if index > 0, !take("-") { return false }
            for _ in 0..<length {
                guard Self.isHexadecimal(next) else { return false }
                at += 1
            }
        }
        return true
    }

    mutating func jsonPointer() -> Bool {
        guard isAtEnd || next == UInt8(ascii: "/") else { return false }
        while !isAtEnd {
            if next == UInt8(ascii: "~") {
                at += 1
                guard take("0", "1") else { return false }
            } else {
                at += 1
            }
        }
        return true
    }

    mutating func relativeJSONPointer() -> Bool {
        guard wholeNumber() else { return false }
        if take("+", "-") {
            guard wholeNumber() else { return false }
        }
        return take("#") || jsonPointer()
    }

    private mutating func wholeNumber() -> Bool { take("0") ? !ASCII.isDigit(next) : someDigits() }
}
