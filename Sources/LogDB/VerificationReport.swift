//===--- VerificationReport.swift - what verifying found -------------------===//

/// What ``Database/verify(at:)`` found.
public struct VerificationReport: Sendable {
    /// Each place that is damaged, by file and offset.
    public var damages: [LogDBError] = []
    /// Remarks that are no damage: a torn tail that the next opening will cut, a file that the next opening will remove.
    public var remarks: [String] = []
    public var files = 0
    public var bytes: UInt64 = 0
    public var operations: UInt64 = 0

    public var isSound: Bool { damages.isEmpty }

    public init() {}
}
