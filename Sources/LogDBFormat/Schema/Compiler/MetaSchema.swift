//===--- MetaSchema.swift - the schema of schemas --------------------------===//
//
// Draft 2020-12's meta-schema, which schemas may refer to by its URI. It is published in eight parts that refer to one another with
// `$dynamicRef`; this is what they say together.
//===-----------------------------------------------------------------------===//

enum MetaSchema {
    static let uri = "https://json-schema.org/draft/2020-12/schema"

    static let text = #"""
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "https://json-schema.org/draft/2020-12/schema",
            "title": "Core and Validation specifications meta-schema",
            "type": ["object", "boolean"],
            "properties": {
                "$id": {"$ref": "#/$defs/uriReferenceString", "pattern": "^[^#]*#?$"},
                "$schema": {"$ref": "#/$defs/uriString"},
                "$ref": {"$ref": "#/$defs/uriReferenceString"},
                "$anchor": {"$ref": "#/$defs/anchorString"},
                "$dynamicRef": {"$ref": "#/$defs/uriReferenceString"},
                "$dynamicAnchor": {"$ref": "#/$defs/anchorString"},
                "$vocabulary": {
                    "type": "object", "propertyNames": {"$ref": "#/$defs/uriString"}, "additionalProperties": {"type": "boolean"}
                },
                "$comment": {"type": "string"},
                "$defs": {"$ref": "#/$defs/schemaMap"},
                "prefixItems": {"$ref": "#/$defs/schemaArray"},
                "items": {"$ref": "#"},
                "contains": {"$ref": "#"},
                "additionalProperties": {"$ref": "#"},
                "properties": {"$ref": "#/$defs/schemaMap"},
                "patternProperties": {"$ref": "#/$defs/schemaMap", "propertyNames": {"format": "regex"}},
                "dependentSchemas": {"$ref": "#/$defs/schemaMap"},
                "propertyNames": {"$ref": "#"},
                "if": {"$ref": "#"},
                "then": {"$ref": "#"},
                "else": {"$ref": "#"},
                "allOf": {"$ref": "#/$defs/schemaArray"},
                "anyOf": {"$ref": "#/$defs/schemaArray"},
                "oneOf": {"$ref": "#/$defs/schemaArray"},
                "not": {"$ref": "#"},
                "unevaluatedItems": {"$ref": "#"},
                "unevaluatedProperties": {"$ref": "#"},
                "type": {
                    "anyOf": [
                        {"$ref": "#/$defs/simpleTypes"},
                        {"type": "array", "items": {"$ref": "#/$defs/simpleTypes"}, "minItems": 1, "uniqueItems": true}
                    ]
                },
                "const": true,
                "enum": {"type": "array", "items": true},
                "multipleOf": {"type": "number", "exclusiveMinimum": 0},
                "maximum": {"type": "number"},
                "exclusiveMaximum": {"type": "number"},
                "minimum": {"type": "number"},
                "exclusiveMinimum": {"type": "number"},
                "maxLength": {"$ref": "#/$defs/nonNegativeInteger"},
                "minLength": {"$ref": "#/$defs/nonNegativeInteger"},
                "pattern": {"type": "string", "format": "regex"},
                "maxItems": {"$ref": "#/$defs/nonNegativeInteger"},
                "minItems": {"$ref": "#/$defs/nonNegativeInteger"},
                "uniqueItems": {"type": "boolean"},
                "maxContains": {"$ref": "#/$defs/nonNegativeInteger"},
                "minContains": {"$ref": "#/$defs/nonNegativeInteger"},
                "maxProperties": {"$ref": "#/$defs/nonNegativeInteger"},
                "minProperties": {"$ref": "#/$defs/nonNegativeInteger"},
                "required": {"$ref": "#/$defs/stringArray"},
                "dependentRequired": {"type": "object", "additionalProperties": {"$ref": "#/$defs/stringArray"}},
                "title": {"type": "string"},
                "description": {"type": "string"},
                "default": true,
                "deprecated": {"type": "boolean"},
                "readOnly": {"type": "boolean"},
                "writeOnly": {"type": "boolean"},
                "examples": {"type": "array", "items": true},
                "format": {"type": "string"},
                "contentEncoding": {"type": "string"},
                "contentMediaType": {"type": "string"},
                "contentSchema": {"$ref": "#"},
                "definitions": {"$ref": "#/$defs/schemaMap", "deprecated": true},
                "dependencies": {
                    "type": "object",
                    "additionalProperties": {"anyOf": [{"$ref": "#"}, {"$ref": "#/$defs/stringArray"}]},
                    "deprecated": true
                },
                "$recursiveAnchor": {"$ref": "#/$defs/anchorString", "deprecated": true},
                "$recursiveRef": {"$ref": "#/$defs/uriReferenceString", "deprecated": true}
            },
            "$defs": {
                "anchorString": {"type": "string", "pattern": "^[A-Za-z_][-A-Za-z0-9._]*$"},
                "uriString": {"type": "string", "format": "uri"},
                "uriReferenceString": {"type": "string", "format": "uri-reference"},
                "schemaMap": {"type": "object", "additionalProperties": {"$ref": "#"}},
                "schemaArray": {"type": "array", "minItems": 1, "items": {"$ref": "#"}},
                "nonNegativeInteger": {"type": "integer", "minimum": 0},
                "simpleTypes": {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]},
                "stringArray": {"type": "array", "items": {"type": "string"}, "uniqueItems": true}
            }
        }
        """#
}
