//===--- RegularExpression.swift - does a text match? ----------------------===//
//
//      pattern ──RegexSyntax──▶ tree ──RegexProgram──▶ threads ──RegexAutomaton──▶ table
//
// Cost, which has a bound whatever pattern and text: with a table, one look a character; without, at most `maximumThreads` steps a
// character. A pattern that has neither a small table nor few threads is refused when it is compiled.
//===-----------------------------------------------------------------------===//

package struct RegularExpression: Sendable {
    /// Instructions that a pattern without a table may have.
    static let maximumThreads = 512

    private let program: RegexProgram
    private let automaton: RegexAutomaton?

    init(_ pattern: String, _ budget: inout RegexAutomaton.Budget) throws(RegexError) {
        program = try RegexProgram(try RegexSyntax(pattern))
        automaton = RegexAutomaton(program, &budget)
        guard automaton != nil || program.instructions.count <= Self.maximumThreads else {
            throw RegexError(
                offset: 0, reason: "it would cost too much at every character: its repetitions are too long for what stands around them")
        }
    }

    /// Whether the pattern matches anywhere in `text`, which is UTF-8.
    @inline(__always)
    func matches(_ text: Span<UInt8>) -> Bool {
        if let automaton { return automaton.matches(text, program.alphabet) }
        return program.matches(text)
    }

    /// Whether the pattern is one that could be matched; for the format `regex`.
    static func isValid(_ pattern: String) -> Bool { (try? RegexProgram(RegexSyntax(pattern))) != nil }
}
