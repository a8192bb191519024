//===--- Schemas.swift - what a schema costs -------------------------------===//
//
// The autosaves, held to a schema that says what each member is. Validating and proving that the text is JSON is one pass, so beside it stands the
// schema that allows everything, which proves just that; and beside a write to a table with a schema the same write without: encoding,
// checksum and the write itself, to which validating should add less than they take.
//===-----------------------------------------------------------------------===//

import LogDB

extension Bench {
    private static let actorSchema = """
        {
            "type": "object",
            "properties": {
                "id": {"type": "integer", "minimum": 0},
                "name": {"type": "string", "minLength": 1, "maxLength": 64},
                "kind": {"type": "string", "maxLength": 64},
                "size": {"enum": ["Tiny", "Small", "Medium", "Large", "Huge", "Gargantuan"]},
                "hp": {"type": "integer", "minimum": 0},
                "hpMax": {"type": "integer", "minimum": 1},
                "level": {"type": "integer", "minimum": 1},
                "xp": {"type": "integer", "minimum": 0},
                "position": {
                    "type": "object",
                    "properties": {"x": {"type": "number"}, "y": {"type": "number"}, "place": {"type": "string"}},
                    "required": ["x", "y", "place"], "additionalProperties": false
                },
                "conditions": {
                    "type": "array", "maxItems": 7,
                    "items": {"enum": ["blinded", "charmed", "frightened", "grappled", "poisoned", "prone", "stunned"]}
                },
                "inventory": {
                    "type": "object",
                    "properties": {"gold": {"type": "integer", "minimum": 0}, "potions": {"type": "integer", "minimum": 0}},
                    "required": ["gold", "potions"]
                },
                "alive": {"type": "boolean"},
                "updated": {"type": "integer"}
            },
            "required": ["id", "name", "hp", "position"],
            "additionalProperties": false
        }
        """

    func measureSchemas() throws {
        let documents = campaign.steps.prefix(calls(150_000, quick: 20_000)).filter { !$0.isDelete }
        let bytes = documents.reduce(0) { $0 + $1.document.count }
        report.title("holding \(documents.count) documents, \(bytes / 1_000_000) MB, to a schema that names every member")
        let (strict, open) = (try Schema(json: Self.actorSchema), try Schema(json: "{}"))
        // The same documents again and again would be compacted meanwhile.
        let options = Options { $0.compaction = .manual }
        let held = try Database.open(at: fresh("schema"), options: options)
        let free = try Database.open(at: fresh("no-schema"), options: options)
        try held.setSchema(Campaign.table, keys: .string, documents: strict)
        let passes = try racePasses(
            [
                Contender("schema") { _ in
                    for step in documents { try strict.validate(self.campaign.text.span.extracting(step.document)) }
                },
                Contender("JSON") { _ in
                    for step in documents { try open.validate(self.campaign.text.span.extracting(step.document)) }
                },
                Contender("write, schema") { _ in try self.write(documents, to: held) },
                Contender("write") { _ in try self.write(documents, to: free) },
            ], passes: calls(7, quick: 3))
        try held.close()
        try free.close()
        let rates = passes.map { Double(bytes) / $0 * 1e9 }
        report.add(
            Line(
                what: "validation by a schema", value: rates[0], unit: .bytesPerSecond, beside: ("JSON alone", rates[1]),
                limit: .atLeast(300e6)))
        report.add(Line(what: "writing, with the schema", value: rates[2], unit: .bytesPerSecond, beside: ("without", rates[3])))
        let added = max(0, passes[2] - passes[3]) / Double(documents.count)
        report.add(
            Line(
                what: "what the schema adds to a write", value: added, unit: .nanoseconds,
                beside: ("all of the write without", passes[3] / Double(documents.count))))
    }

    private func write(_ steps: [Campaign.Step], to database: Database) throws {
        for start in stride(from: 0, to: steps.count, by: 1000) {
            var batch = Batch()
            for step in steps[start..<min(start + 1000, steps.count)] {
                try batch.upsert(Campaign.table, campaign.keys[step.actor], json: campaign.text.span.extracting(step.document))
            }
            try database.write(batch, persistence: .process)
        }
    }
}
