//===--- RegexProgram.swift - a pattern as threads that walk in step -------===//
//
// Thompson's construction (1968), run as Pike does: a set of threads, each at an instruction, takes the text one character at a time. A
// text of n characters costs at most n × instructions, whatever the pattern: nothing is ever tried twice.
//
//   * the search is not anchored: before every character a new thread begins.
//   * assertions look at the characters on both sides, so threads are kept *before* they follow assertions and jumps, and follow them
//     when the next character is known. `RegexAutomaton` builds its states from the same step.
//   * counted repetitions are written out, which the limit on instructions bounds.
//===-----------------------------------------------------------------------===//

struct RegexProgram: Sendable {
    enum Instruction: Sendable {
        /// Takes a character of a set, and goes on at the next instruction.
        case take(set: Int)
        case split(Int, Int)
        case jump(Int)
        case start
        case end
        case wordBoundary(Bool)
        case match
    }

    /// What stands before or behind a place in the text, as far as assertions care.
    enum Side: UInt8, Sendable { case edge, word, other }

    /// Instructions that a pattern may have.
    static let maximumInstructions = 8_192

    private(set) var instructions: [Instruction] = []
    let alphabet: RegexAlphabet
    let hasWordBoundaries: Bool
    /// Whether a class holds characters of words.
    private let isWord: [Bool]

    init(_ syntax: RegexSyntax) throws(RegexError) {
        var builder = Builder()
        try builder.emit(syntax.root)
        try builder.append(.match)
        instructions = builder.instructions
        hasWordBoundaries = builder.hasWordBoundaries
        // The set of word characters comes last, so that no class straddles it.
        let sets = hasWordBoundaries ? syntax.sets + [.word] : syntax.sets
        guard let alphabet = RegexAlphabet(sets) else { throw RegexError(offset: 0, reason: "it has too many sets of characters") }
        self.alphabet = alphabet
        let word = hasWordBoundaries ? sets.count - 1 : nil
        isWord = (0..<alphabet.count).map { characterClass in word.map { alphabet.holds(characterClass, in: $0) } ?? false }
    }

    @inline(__always)
    func side(of characterClass: Int) -> Side { isWord[characterClass] ? .word : .other }

    /// Threads at a place in the text, each instruction at most once. (Briggs and Torczon, sparse sets, 1993.)
    struct Threads {
        private(set) var list: [Int32] = []
        private var places: [Int32]

        init(_ program: borrowing RegexProgram) { places = [Int32](repeating: 0, count: program.instructions.count) }

        @inline(__always)
        mutating func insert(_ instruction: Int) -> Bool {
            let place = Int(places[instruction])
            if place < list.count, Int(list[place]) == instruction { return false }
            places[instruction] = Int32(truncatingIfNeeded: list.count)
            list.append(Int32(truncatingIfNeeded: instruction))
            return true
        }

        mutating func removeAll() { list.removeAll(keepingCapacity: true) }
    }

    /// Follows jumps and assertions from `threads` and from the beginning; what is reached goes to `reached`.
    ///
    /// - Returns: whether the pattern has matched.
    func follow(_ threads: [Int32], before: Side, after: Side, into reached: inout Threads) -> Bool {
        reached.removeAll()
        for thread in threads { _ = reached.insert(Int(thread)) }
        _ = reached.insert(0)
        var next = 0
        while next < reached.list.count {
            let at = Int(reached.list[next])
            next += 1
            switch instructions[at] {
            case .take: break
            case .split(let first, let second):
                _ = reached.insert(first)
                _ = reached.insert(second)
            case .jump(let target): _ = reached.insert(target)
            case .start: if before == .edge { _ = reached.insert(at + 1) }
            case .end: if after == .edge { _ = reached.insert(at + 1) }
            case .wordBoundary(let wanted): if ((before == .word) != (after == .word)) == wanted { _ = reached.insert(at + 1) }
            case .match: return true
            }
        }
        return false
    }

    /// Moves the threads that take a character of `characterClass` behind it.
    func step(_ reached: Threads, over characterClass: Int, into threads: inout Threads) {
        threads.removeAll()
        for thread in reached.list {
            guard case .take(let set) = instructions[Int(thread)], alphabet.holds(characterClass, in: set) else { continue }
            _ = threads.insert(Int(thread) + 1)
        }
    }

    /// Whether the pattern matches anywhere in `text`, which is UTF-8.
    func matches(_ text: Span<UInt8>) -> Bool {
        var threads = Threads(self)
        var reached = Threads(self)
        // The beginning of a text is before an edge; the thread that begins there is begun by `follow`.
        var before = Side.edge
        var at = 0
        while at < text.count {
            let characterClass = alphabet.classOf(JSONText.scalar(text, &at))
            let after = side(of: characterClass)
            if follow(threads.list, before: before, after: after, into: &reached) { return true }
            step(reached, over: characterClass, into: &threads)
            before = after
        }
        return follow(threads.list, before: before, after: .edge, into: &reached)
    }
}

extension RegexProgram {
    private struct Builder {
        var instructions: [Instruction] = []
        var hasWordBoundaries = false

        mutating func append(_ instruction: Instruction) throws(RegexError) {
            guard instructions.count < RegexProgram.maximumInstructions else {
                throw RegexError(
                    offset: 0, reason: "written out, its repetitions take more than \(RegexProgram.maximumInstructions) steps")
            }
            instructions.append(instruction)
        }

        /// Emits a node; its depth is bounded by that of the groups.
        mutating func emit(_ node: RegexNode) throws(RegexError) {
            switch node {
            case .empty: break
            case .set(let number): try append(.take(set: number))
            case .sequence(let terms): for term in terms { try emit(term) }
            case .choice(let branches): try emit(branches)
            case .repeated(let node, let minimum, let maximum): try emit(node, minimum, maximum)
            case .start: try append(.start)
            case .end: try append(.end)
            case .wordBoundary(let wanted):
                hasWordBoundaries = true
                try append(.wordBoundary(wanted))
            }
        }

        //      split 1, 2 · 1: first branch, jump end · 2: split 3, 4 · …
        private mutating func emit(_ branches: [RegexNode]) throws(RegexError) {
            var jumps: [Int] = []
            for (index, branch) in branches.enumerated() {
                guard index < branches.count - 1 else {
                    try emit(branch)
                    break
                }
                let split = instructions.count
                try append(.split(split + 1, 0))
                try emit(branch)
                jumps.append(instructions.count)
                try append(.jump(0))
                instructions[split] = .split(split + 1, instructions.count)
            }
            for jump in jumps { instructions[jump] = .jump(instructions.count) }
        }

        //      x{2,4}    x x split(x split(x))        each optional one inside the one before it: a thread that is out is out
        //      x{2,}     x x loop
        private mutating func emit(_ node: RegexNode, _ minimum: Int, _ maximum: Int?) throws(RegexError) {
            for _ in 0..<minimum {
                let before = instructions.count
                try emit(node)
                if instructions.count == before { return }  // What takes nothing may as well be there once.
            }
            guard let maximum else {
                let split = instructions.count
                try append(.split(split + 1, 0))
                try emit(node)
                try append(.jump(split))
                instructions[split] = .split(split + 1, instructions.count)
                return
            }
            var splits: [Int] = []
            for _ in minimum..<maximum {
                let split = instructions.count
                try append(.split(split + 1, 0))
                try emit(node)
                splits.append(split)
            }
            for split in splits { instructions[split] = .split(split + 1, instructions.count) }
        }
    }
}
