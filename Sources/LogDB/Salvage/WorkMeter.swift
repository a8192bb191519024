//===--- WorkMeter.swift - an end to searching ------------------------------===//
//
// Looking for what holds behind a damaged place tries every place that looks like a beginning. Honest bytes hardly ever look like one without being
// one; bytes that somebody made up may at every step, and each try may read as far as the file goes. So tries that fail are paid for by the
// byte, from an account in proportion to the file: a search is linear in it, whatever it says. When the account is empty the rest of the
// file is given up, and reported.
//===-----------------------------------------------------------------------===//

struct WorkMeter {
    private var left: UInt64

    init(fileSize: UInt64) { left = 64 << 20 &+ fileSize &* 16 }

    var isExhausted: Bool { left == 0 }

    /// Pays for a try that failed.
    mutating func pay(_ bytes: Int) { left -= min(left, UInt64(bytes) + 64) }
}
