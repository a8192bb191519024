//===--- Addresses.swift - hosts, networks, mailboxes ----------------------===//

extension FormatReader {
    /// Labels of letters, digits and inner hyphens, 1 to 63 bytes each, 253 in all (RFC 1123, 2.1; RFC 1035, 2.3.4).
    mutating func hostname(international: Bool) -> Bool {
        let start = at
        repeat {
            let label = at
            while Self.isLetter(next) || ASCII.isDigit(next) || next == ASCII.minus || (international && next >= 0x80) { at += 1 }
            guard at > label, at - label <= (international ? 252 : 63), text.byte(at: label) != ASCII.minus,
                text.byte(at: at - 1) != ASCII.minus
            else { return false }
        } while take(".")
        return at - start <= (international ? 1012 : 253)
    }

    /// Four numbers up to 255, none with a leading zero.
    mutating func ipv4() -> Bool {
        for index in 0..<4 {
            if index > 0, !take(".") { return false }
            let start = at
            var value = 0
            while ASCII.isDigit(next), at - start < 4 {
                value = value * 10 + Int(next &- ASCII.zero)
                at += 1
            }
            guard at > start, value <= 255, at - start == 1 || text.byte(at: start) != ASCII.zero else { return false }
        }
        return true
    }

    /// Eight groups of one to four hexadecimal digits; `::` once for one group of zeros or more; the last two perhaps as IPv4.
    mutating func ipv6() -> Bool {
        var groups = 0
        var isShortened = false
        if take(":") {
            guard take(":") else { return false }
            isShortened = true
        }
        while Self.isHexadecimal(next) {
            let start = at
            while Self.isHexadecimal(next) { at += 1 }
            if next == ASCII.point {
                at = start
                return ipv4() && (isShortened ? groups + 2 < 8 : groups + 2 == 8)
            }
            guard at - start <= 4 else { return false }
            groups += 1
            guard groups <= 8 else { return false }
            guard take(":") else { break }
            if take(":") {
                guard !isShortened else { return false }
                isShortened = true
            } else if !Self.isHexadecimal(next) {
                return false
            }
        }
        return isShortened ? groups < 8 : groups == 8
    }

    /// RFC 5321, 4.1.2: a local part of atoms between dots, or in quotes, and a domain or an address in brackets.
    mutating func mailbox(international: Bool) -> Bool {
        let start = at
        guard next == ASCII.quote ? quotedString(international) : dottedAtoms(international) else { return false }
        guard at - start <= (international ? 256 : 64), take("@") else { return false }
        guard take("[") else { return hostname(international: international) }
        let tag: [UInt8] = Array("ipv6:".utf8)
        var isTagged = true
        for index in tag.indices where text.byte(at: at + index) | 0x20 != tag[index] | 0x20 { isTagged = false }
        if isTagged { at += tag.count }
        return (isTagged ? ipv6() : ipv4()) && take("]")
    }

    private mutating func dottedAtoms(_ international: Bool) -> Bool {
        repeat {
            let start = at
            while Self.isAtomText(next) || (international && next >= 0x80) { at += 1 }
            guard at > start else { return false }
        } while take(".")
        return true
    }

    private mutating func quotedString(_ international: Bool) -> Bool {
        at += 1
        while !take("\"") {
            if take("\\") {
                guard (0x20...0x7E).contains(next) else { return false }
            } else {
                guard (0x20...0x7E).contains(next) || (international && next >= 0x80) else { return false }
            }
            at += 1
        }
        return true
    }

    /// RFC 5322, 3.2.3.
    private static func isAtomText(_ byte: UInt8) -> Bool {
        isLetter(byte) || ASCII.isDigit(byte) || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
    }
}
