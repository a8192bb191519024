//===--- UnicodeProperties.swift - what \p{…} means ------------------------===//
//
// Names as in ECMA-262, tables 66 to 68: categories by their short and long names, with or without `General_Category=` or `gc=`, and
// binary properties. The answers are those of Swift's Unicode tables. Scripts are not among them, so `Script=` is refused.
//
// A set is found by asking for every scalar, once in a process: some ten milliseconds, and then it is remembered.
//===-----------------------------------------------------------------------===//

import Synchronization

enum UnicodeProperties {
    /// The set of the property with this name, the text between the braces; nil if there is no such name here.
    static func set(_ name: String) -> ScalarSet? {
        if name == "Any" { return .any }
        if name == "ASCII" { return ScalarSet(0...0x7F) }
        let parts = name.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard parts[0] == "General_Category" || parts[0] == "gc" else { return nil }
            return category(String(parts[1]))
        }
        return category(name) ?? binary(name)
    }

    // MARK: - Categories

    private static let categoryNames: [Unicode.GeneralCategory: (String, String)] = [
        .uppercaseLetter: ("Lu", "Uppercase_Letter"), .lowercaseLetter: ("Ll", "Lowercase_Letter"),
        .titlecaseLetter: ("Lt", "Titlecase_Letter"), .modifierLetter: ("Lm", "Modifier_Letter"), .otherLetter: ("Lo", "Other_Letter"),
        .nonspacingMark: ("Mn", "Nonspacing_Mark"), .spacingMark: ("Mc", "Spacing_Mark"), .enclosingMark: ("Me", "Enclosing_Mark"),
        .decimalNumber: ("Nd", "Decimal_Number"), .letterNumber: ("Nl", "Letter_Number"), .otherNumber: ("No", "Other_Number"),
        .connectorPunctuation: ("Pc", "Connector_Punctuation"), .dashPunctuation: ("Pd", "Dash_Punctuation"),
        .openPunctuation: ("Ps", "Open_Punctuation"), .closePunctuation: ("Pe", "Close_Punctuation"),
        .initialPunctuation: ("Pi", "Initial_Punctuation"), .finalPunctuation: ("Pf", "Final_Punctuation"),
        .otherPunctuation: ("Po", "Other_Punctuation"), .mathSymbol: ("Sm", "Math_Symbol"), .currencySymbol: ("Sc", "Currency_Symbol"),
        .modifierSymbol: ("Sk", "Modifier_Symbol"), .otherSymbol: ("So", "Other_Symbol"), .spaceSeparator: ("Zs", "Space_Separator"),
        .lineSeparator: ("Zl", "Line_Separator"), .paragraphSeparator: ("Zp", "Paragraph_Separator"), .control: ("Cc", "Control"),
        .format: ("Cf", "Format"), .surrogate: ("Cs", "Surrogate"), .privateUse: ("Co", "Private_Use"), .unassigned: ("Cn", "Unassigned"),
    ]

    /// Groups of categories, by the first letter of their short names, and other names of single ones.
    private static let groupNames = [
        "L": "L", "Letter": "L", "M": "M", "Mark": "M", "Combining_Mark": "M", "N": "N", "Number": "N", "P": "P", "Punctuation": "P",
        "punct": "P", "S": "S", "Symbol": "S", "Z": "Z", "Separator": "Z", "C": "C", "Other": "C",
    ]
    private static let otherNames = ["digit": "Nd", "cntrl": "Cc"]

    private static func category(_ name: String) -> ScalarSet? {
        if name == "LC" || name == "Cased_Letter" { return union { ["Lu", "Ll", "Lt"].contains($0) } }
        if let letter = groupNames[name] { return union { $0.hasPrefix(letter) } }
        let name = otherNames[name] ?? name
        guard let found = categoryNames.values.first(where: { $0.0 == name || $0.1 == name }) else { return nil }
        return categories[found.0]
    }

    private static func union(_ belongs: (String) -> Bool) -> ScalarSet {
        ScalarSet(categories.filter { belongs($0.key) }.flatMap(\.value.ranges))
    }

    /// All categories by their short names, from one walk over all scalars. Surrogates are no scalars and so in none, but for `Cs`.
    private static let categories: [String: ScalarSet] = {
        var ranges: [String: [ClosedRange<UInt32>]] = ["Cs": [0xD800...0xDFFF], "Cn": []]
        forEachRun {
            $0.properties.generalCategory
        } _: { range, category in
            if let name = categoryNames[category]?.0 { ranges[name, default: []].append(range) }
        }
        return ranges.mapValues(ScalarSet.init)
    }()

    // MARK: - Binary properties

    private static let binaryProperties: [(names: [String], test: @Sendable (Unicode.Scalar.Properties) -> Bool)] = [
        (["Assigned"], { $0.generalCategory != .unassigned }), (["Alphabetic", "Alpha"], { $0.isAlphabetic }),
        (["ASCII_Hex_Digit", "AHex"], { $0.isASCIIHexDigit }), (["Bidi_Control", "Bidi_C"], { $0.isBidiControl }),
        (["Bidi_Mirrored", "Bidi_M"], { $0.isBidiMirrored }), (["Case_Ignorable", "CI"], { $0.isCaseIgnorable }),
        (["Cased"], { $0.isCased }), (["Dash"], { $0.isDash }),
        (["Default_Ignorable_Code_Point", "DI"], { $0.isDefaultIgnorableCodePoint }),
        (["Deprecated", "Dep"], { $0.isDeprecated }), (["Diacritic", "Dia"], { $0.isDiacritic }), (["Emoji"], { $0.isEmoji }),
        (["Emoji_Modifier", "EMod"], { $0.isEmojiModifier }), (["Emoji_Modifier_Base", "EBase"], { $0.isEmojiModifierBase }),
        (["Emoji_Presentation", "EPres"], { $0.isEmojiPresentation }), (["Extender", "Ext"], { $0.isExtender }),
        (["Grapheme_Base", "Gr_Base"], { $0.isGraphemeBase }), (["Grapheme_Extend", "Gr_Ext"], { $0.isGraphemeExtend }),
        (["Hex_Digit", "Hex"], { $0.isHexDigit }), (["ID_Continue", "IDC"], { $0.isIDContinue }), (["ID_Start", "IDS"], { $0.isIDStart }),
        (["Ideographic", "Ideo"], { $0.isIdeographic }), (["Join_Control", "Join_C"], { $0.isJoinControl }),
        (["Lowercase", "Lower"], { $0.isLowercase }), (["Math"], { $0.isMath }),
        (["Noncharacter_Code_Point", "NChar"], { $0.isNoncharacterCodePoint }), (["Pattern_Syntax", "Pat_Syn"], { $0.isPatternSyntax }),
        (["Pattern_White_Space", "Pat_WS"], { $0.isPatternWhitespace }), (["Quotation_Mark", "QMark"], { $0.isQuotationMark }),
        (["Radical"], { $0.isRadical }), (["Sentence_Terminal", "STerm"], { $0.isSentenceTerminal }),
        (["Soft_Dotted", "SD"], { $0.isSoftDotted }), (["Unified_Ideograph", "UIdeo"], { $0.isUnifiedIdeograph }),
        (["Uppercase", "Upper"], { $0.isUppercase }), (["Variation_Selector", "VS"], { $0.isVariationSelector }),
        (["White_Space", "space"], { $0.isWhitespace }), (["XID_Continue", "XIDC"], { $0.isXIDContinue }),
        (["XID_Start", "XIDS"], { $0.isXIDStart }),
    ]

    /// Those that were asked for, by their first names.
    private static let known = Mutex<[String: ScalarSet]>([:])

    private static func binary(_ name: String) -> ScalarSet? {
        guard let property = binaryProperties.first(where: { $0.names.contains(name) }) else { return nil }
        if let set = known.withLock({ $0[property.names[0]] }) { return set }
        var ranges: [ClosedRange<UInt32>] = []
        forEachRun {
            property.test($0.properties)
        } _: { range, holds in
            if holds { ranges.append(range) }
        }
        let set = ScalarSet(ranges)
        known.withLock { $0[property.names[0]] = set }
        return set
    }

    /// Walks all scalars in runs of one answer. Runs may be longer than they seem: the gap of the surrogates ends one.
    private static func forEachRun<Answer: Equatable>(
        _ answer: (Unicode.Scalar) -> Answer, _ body: (ClosedRange<UInt32>, Answer) -> Void
    ) {
        for part in [UInt32(0)...0xD7FF, 0xE000...ScalarSet.maximum] {
            var start = part.lowerBound
            var current: Answer?
            for value in part {
                guard let scalar = Unicode.Scalar(value) else { continue }
                let next = answer(scalar)
                if let current, current != next {
                    body(start...value - 1, current)
                    start = value
                }
                current = next
            }
            if let current { body(start...part.upperBound, current) }
        }
    }
}
