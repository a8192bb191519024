//===--- Markdown.swift - the tables ---------------------------------------===//

struct Markdown {
    let run: Run

    /// Metrics that are columns behind the main one, where a workload has them.
    private static let columns = [
        Metric.typical, "p99", "p99.9", Metric.worst, "over 1 ms", "over 10 ms", Metric.written, Metric.peakMemory,
    ]

    var text: String {
        var parts = [head, goals]
        for workload in Workload.allCases where workload != .own {
            if !run.figures.of(workload).isEmpty { parts.append(section(workload)) }
        }
        if !run.own.isEmpty { parts.append("## \(Workload.own.title)\n\n```\n" + run.own.joined(separator: "\n") + "\n```") }
        return parts.joined(separator: "\n\n") + "\n"
    }

    private var head: String {
        let around = run.surroundings
        let versions = around.versions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        let load = { (value: Double) in Unit.share.format(value) }
        var lines = ["# Benchmarks: \(run.scale) run of \(around.date)", ""]
        if around.loadAtStart > 1 || around.loadAtMost > 2.5 {
            lines += [
                "**Preliminary.** Others were at work on this machine meanwhile: read the ratios, and do not trust those near 1.", "",
            ]
        }
        lines += [
            "![plot](\(run.name).svg)", "",
            "- \(run.operations.grouped) operations over \((run.operations / 5).grouped) keys, documents of \(Actors.documentBytes) bytes, "
                + "keys of \(Actors.keyBytes), Zipf \(Zipf.theta), 5 % deletes; \(run.rounds) interleaved rounds, medians (least … greatest).",
            "- \(around.processor), \(around.processors) processors, \(around.memoryBytes >> 30) GiB, \(around.system), "
                + "\(around.fileSystem). Load average at the start \(load(around.loadAtStart)), \(load(around.loadAtMost)) at most.",
            "- \(versions).", "- Cold: \(around.coldBy).",
            "- The ratio is LogDB's advantage: above 1 it is better. Under \(tieRatio) either way is a tie.",
            "- Every database was read back by another process and compared with the generator.",
        ]
        lines += run.notes.map { "- \($0)" }
        return lines.joined(separator: "\n")
    }

    private var goals: String {
        let goals = run.goals.filter { run.workloads.contains($0.workload) }
        guard !goals.isEmpty else { return "" }
        var lines = ["## Goals", "", "| workload | LogDB | measured | to reach | |", "|---|---|---|---|---|"]
        for goal in goals {
            let verdict = goal.verdict == .reached ? "reached" : goal.verdict == .missed ? "**missed**" : goal.verdict.rawValue
            let note = goal.note.map { " (\($0))" } ?? ""
            lines.append("| \(goal.workload.rawValue) | \(goal.text)\(note) | \(goal.valueText) | \(goal.boundText) | \(verdict) |")
        }
        return lines.joined(separator: "\n")
    }

    private func section(_ workload: Workload) -> String {
        var parts = ["## \(workload.title)"]
        switch workload {
        case .limits: parts.append(wide(workload, ["median", "rate"], sorted: false))
        case .reload, .compaction, .startup, .typed, .growth:
            let metrics = run.figures.metrics(workload).filter { !["p90", "p99.99"].contains($0) }
            parts.append(wide(workload, metrics, sorted: workload != .growth))
        default: parts.append(tall(workload))
        }
        return parts.joined(separator: "\n\n")
    }

    /// One main figure with its spread and ratio, then the others.
    private func tall(_ workload: Workload) -> String {
        let figures = run.figures
        let columns = Self.columns.filter { figures.metrics(workload).contains($0) }
        var lines = [
            "| | operations a second | | " + columns.joined(separator: " | ") + " |",
            "|---|---|---|" + columns.map { _ in "---|" }.joined(),
        ]
        for subject in sortedSubjects(workload, workload.mainMetric) {
            guard let figure = figures.figure(workload, subject, workload.mainMetric) else { continue }
            let cells = columns.map { name in figures.figure(workload, subject, name).map { $0.unit.format($0.value) } ?? "" }
            lines.append("| \(bold(subject)) | \(spread(figure)) | \(ratio(figure)) | \(cells.joined(separator: " | ")) |")
        }
        return lines.joined(separator: "\n")
    }

    /// All figures, a column each.
    private func wide(_ workload: Workload, _ metrics: [String], sorted: Bool) -> String {
        let figures = run.figures
        var lines = ["| | " + metrics.joined(separator: " | ") + " |", "|---|" + metrics.map { _ in "---|" }.joined()]
        let subjects = sorted ? sortedSubjects(workload, workload.mainMetric) : figures.subjects(workload)
        for subject in subjects {
            let cells = metrics.map { name in
                guard let figure = figures.figure(workload, subject, name) else { return "" }
                let isTime = figure.unit == .nanoseconds && name != Metric.worst && !name.hasPrefix("p9")
                return isTime || figure.unit.moreIsBetter ? spread(figure) : figure.unit.format(figure.value)
            }
            lines.append("| \(bold(subject)) | \(cells.joined(separator: " | ")) |")
        }
        return lines.joined(separator: "\n")
    }

    private func bold(_ subject: String) -> String { subject.hasPrefix("LogDB") ? "**\(subject)**" : subject }

    /// Best first.
    private func sortedSubjects(_ workload: Workload, _ metric: String) -> [String] {
        let figures = run.figures
        return figures.subjects(workload).sorted { a, b in
            guard let a = figures.figure(workload, a, metric) else { return false }
            guard let b = figures.figure(workload, b, metric) else { return true }
            return a.unit.moreIsBetter ? a.value > b.value : a.value < b.value
        }
    }

    private func spread(_ figure: Figure) -> String {
        let unit = figure.unit
        guard figure.values.count > 1 else { return unit.format(figure.median) }
        return "\(unit.format(figure.median)) (\(unit.format(figure.least)) … \(unit.format(figure.greatest)))"
    }

    private func ratio(_ figure: Figure) -> String {
        guard figure.subject != "LogDB", let ours = run.figures.value(figure.workload, "LogDB", figure.metric) else { return "" }
        let ratio = figure.unit.moreIsBetter ? ours / figure.value : figure.value / ours
        let verdict = ratio >= tieRatio ? "" : ratio <= 1 / tieRatio ? " behind" : " tie"
        return "\(Unit.share.format(ratio))×\(verdict)"
    }
}
