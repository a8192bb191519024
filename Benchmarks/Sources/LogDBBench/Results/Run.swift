//===--- Run.swift - one run, as it is written down ------------------------===//

import Foundation

struct Run {
    var name: String
    var scale: String
    var operations: Int
    var rounds: Int
    var largest: Int
    var workloads: Set<Workload>
    var surroundings: Surroundings
    var figures: Figures
    var notes: [String]
    /// What LogDB's own measures printed.
    var own: [String]

    var goals: [Goal] { Goals(figures: figures, largest: largest).all }

    func write(to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/" + name
        try Data(Markdown(run: self).text.utf8).write(to: URL(fileURLWithPath: path + ".md"))
        try Data(Plot(figures: figures, title: "\(scale) run of \(surroundings.date)").svg.utf8).write(
            to: URL(fileURLWithPath: path + ".svg"))
        try json().write(to: URL(fileURLWithPath: path + ".json"))
    }

    private struct Document: Encodable {
        var scale: String
        var operations: Int
        var rounds: Int
        var surroundings: Surroundings
        var notes: [String]
        var goals: [JudgedGoal]
        var figures: [Figure]
        var own: [String]
    }

    private struct JudgedGoal: Encodable {
        var goal: Goal
        var verdict: Goal.Verdict
    }

    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        let judged = goals.filter { workloads.contains($0.workload) }.map { JudgedGoal(goal: $0, verdict: $0.verdict) }
        return try encoder.encode(
            Document(
                scale: scale, operations: operations, rounds: rounds, surroundings: surroundings, notes: notes, goals: judged,
                figures: figures.all, own: own))
    }
}
