//===--- SchemaKeyword.swift - the words of a schema -----------------------===//
//
// JSON Schema, draft 2020-12. What is not here is refused when a schema is compiled, with a hint where people are likely to come from
// an older draft.
//===-----------------------------------------------------------------------===//

enum SchemaKeyword: String, Sendable, BitwiseCopyable {
    // Identity and reference.
    case schema = "$schema"
    case id = "$id"
    case anchor = "$anchor"
    case ref = "$ref"
    case defs = "$defs"
    case comment = "$comment"

    // Any value.
    case type, `enum`, const, allOf, anyOf, oneOf, not, `if`, then, `else`

    // Numbers.
    case minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf

    // Strings.
    case minLength, maxLength, pattern, format

    // Objects.
    case properties, patternProperties, additionalProperties, propertyNames, required, minProperties, maxProperties
    case dependentRequired, dependentSchemas, unevaluatedProperties

    // Arrays.
    case items, prefixItems, contains, minContains, maxContains, minItems, maxItems, uniqueItems, unevaluatedItems

    // What says something and asserts nothing.
    case title, description, `default`, examples, deprecated, readOnly, writeOnly, contentEncoding, contentMediaType, contentSchema

    /// Why a word that is none of these is refused.
    static func refusal(of word: String) -> String {
        let hint: String =
            switch word {
            case "definitions": ": draft 2020-12 calls it $defs"
            case "dependencies": ": draft 2020-12 has dependentRequired and dependentSchemas"
            case "additionalItems": ": draft 2020-12 has prefixItems, and items for the others"
            case "id": ": draft 2020-12 calls it $id"
            case "$recursiveRef", "$recursiveAnchor": ": it belongs to draft 2019-09"
            case "$dynamicRef", "$dynamicAnchor", "$vocabulary": ": what a schema means must not depend on who refers to it"
            case "nullable": ": write \"type\": [\"…\", \"null\"]"
            default: ""
            }
        return "the keyword is not supported\(hint)"
    }
}
