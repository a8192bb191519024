//===--- RegexAutomaton.swift - a pattern as one table ---------------------===//
//
// The sets of threads that `RegexProgram` can get into, each a state, made ahead: then a character costs one look into a table, and
// nothing is allocated or shared while matching. Where a pattern has too many states there is no automaton, and threads walk instead.
//
//      next state = table[state × (classes + 1) + class of the character]        the last column is the end of the text
//===-----------------------------------------------------------------------===//

struct RegexAutomaton: Sendable {
    /// Matched, whatever follows; and can no more match, whatever follows.
    private static let matched = UInt16.max
    private static let hopeless = UInt16.max - 1

    private let table: [UInt16]
    private let width: Int

    /// What building automata may take, for all patterns of a schema together: entries of tables, and steps of work.
    struct Budget {
        var entries = 1 << 20
        var steps = 1 << 24
        /// For one pattern.
        static let entriesOfOne = 1 << 18
    }

    /// nil if the pattern has too many states for `budget`, which is charged for the attempt.
    init?(_ program: RegexProgram, _ budget: inout Budget) {
        struct State: Hashable {
            var threads: [Int32]
            var before: RegexProgram.Side
        }
        let classes = program.alphabet.count
        let width = classes + 1
        let limit = min(budget.entries, Budget.entriesOfOne) / width
        var numbers: [State: UInt16] = [:]
        var states: [State] = []
        var table: [UInt16] = []

        func number(of state: State) -> UInt16? {
            if let known = numbers[state] { return known }
            guard states.count < min(limit, Int(Self.hopeless)) else { return nil }
            let number = UInt16(states.count)
            numbers[state] = number
            states.append(state)
            return number
        }

        guard number(of: State(threads: [], before: .edge)) != nil else { return nil }
        // What can be reached depends on the kind of the next character only, not on the character: by `Side`.
        var reached = [RegexProgram.Threads](repeating: RegexProgram.Threads(program), count: 3)
        var matches = [false, false, false]
        var threads = RegexProgram.Threads(program)
        var current = 0
        while current < states.count {
            let state = states[current]
            for after in 0..<3 {
                let side = RegexProgram.Side(rawValue: UInt8(after)) ?? .edge
                matches[after] = program.follow(state.threads, before: state.before, after: side, into: &reached[after])
                budget.steps -= reached[after].list.count + 8
            }
            for characterClass in 0..<classes {
                let after = program.side(of: characterClass)
                if matches[Int(after.rawValue)] {
                    table.append(Self.matched)
                    continue
                }
                program.step(reached[Int(after.rawValue)], over: characterClass, into: &threads)
                budget.steps -= reached[Int(after.rawValue)].list.count + 8
                guard let next = number(of: State(threads: threads.list.sorted(), before: after)) else { return nil }
                table.append(next)
            }
            table.append(matches[Int(RegexProgram.Side.edge.rawValue)] ? Self.matched : Self.hopeless)
            guard budget.steps > 0 else { return nil }
            current += 1
        }
        budget.entries -= table.count
        // A state that only leads to itself and does not match at the end never will.
        let ends = (0..<states.count).map { state in
            let row = table[state * width..<(state + 1) * width]
            return row.last == Self.hopeless && row.dropLast().allSatisfy { $0 == UInt16(state) }
        }
        for index in table.indices where table[index] < Self.hopeless && ends[Int(table[index])] { table[index] = Self.hopeless }
        self.table = table
        self.width = width
    }

    func matches(_ text: Span<UInt8>, _ alphabet: borrowing RegexAlphabet) -> Bool {
        var state = 0
        var at = 0
        while at < text.count {
            let byte = text.byte(at: at)
            let characterClass: Int
            if byte < 0x80 {
                characterClass = Int(alphabet.ascii[Int(byte)])
                at &+= 1
            } else {
                characterClass = alphabet.classOf(JSONText.scalar(text, &at))
            }
            let next = table[state &+ characterClass]
            if next >= Self.hopeless { return next == Self.matched }
            state = Int(next) &* width
        }
        return table[state &+ width &- 1] == Self.matched
    }
}
