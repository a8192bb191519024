//===--- Formatting.swift - numbers for people -----------------------------===//

extension BinaryInteger {
    /// 1234567 as `1,234,567`.
    var grouped: String {
        var text = ""
        let digits = String(magnitude)
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return self < 0 ? "-\(text)" : text
    }

    /// Bytes as `812 B`, `64.0 KiB` or `31.5 MiB`.
    var asBytes: String {
        var value = Double(self)
        guard value >= 1024 else { return "\(self) B" }
        for unit in ["KiB", "MiB", "GiB"] {
            value /= 1024
            if value < 1024 || unit == "GiB" { return "\(value.rounded(to: 1)) \(unit)" }
        }
        return "\(self) B"
    }
}

extension Double {
    /// The number with `places` decimals, 0 … 3.
    func rounded(to places: Int) -> String {
        let scale = [1.0, 10, 100, 1000][places]
        let units = Int64((magnitude * scale).rounded())
        let whole = units / Int64(scale)
        let sign = self < 0 && units != 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(whole)" }
        let fraction = String(units % Int64(scale))
        return "\(sign)\(whole).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
    }
}

extension String {
    func padded(to width: Int) -> String { count >= width ? self : self + String(repeating: " ", count: width - count) }
    func leftPadded(to width: Int) -> String { count >= width ? self : String(repeating: " ", count: width - count) + self }
}

/// `1 operation`, `2 operations`, `1,000 operations`.
func counted(_ number: some BinaryInteger, _ noun: String) -> String {
    "\(number.grouped) \(noun)\(number == 1 ? "" : "s")"
}

/// Appends columns under their titles, all but the first flush right.
func appendTable(_ titles: [String], _ rows: [[String]], to bytes: inout [UInt8]) {
    guard !rows.isEmpty else { return }
    let widths = titles.indices.map { column in ([titles] + rows).map { $0[column].count }.max() ?? 0 }
    bytes.append("\n")
    for row in [titles] + rows {
        let cells = zip(row, widths).enumerated().map { index, cell in
            index == 0 ? cell.0.padded(to: cell.1) : cell.0.leftPadded(to: cell.1)
        }
        bytes.append(cells.joined(separator: "  ") + "\n")
    }
}
