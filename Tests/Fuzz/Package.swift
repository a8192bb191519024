// swift-tools-version: 6.2
import PackageDescription

// The decoders, built with libFuzzer around each. `.ci/fuzz` makes the links that it needs under Sources, builds and runs them.
//
// A package of its own, because the sanitizer gives every program of a build its `main`. The library's sources are here by symbolic
// links, not as a dependency: decoders are `package`, and that is for one package.

let settings: [SwiftSetting] = [.strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]

/// One decoder, one program: the fuzzer's `main`, and a function of ours that it calls.
func fuzzer(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .executableTarget(
        name: "Fuzz\(name)", dependencies: ["FuzzSupport"] + dependencies, path: "Targets/\(name)",
        swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])])
}

let package = Package(
    name: "Fuzz",
    platforms: [.macOS(.v15)],
    targets: [
        .target(name: "FuzzSupport", dependencies: ["LogDBFormat"], path: "Targets/Support", swiftSettings: settings),
        fuzzer("Frame", "LogDBFormat"),
        fuzzer("Record", "LogDBFormat"),
        fuzzer("Block", "LogDBFormat"),
        fuzzer("LZ4", "LogDBFormat"),
        fuzzer("Gzip", "LogDBFormat"),
        fuzzer("Index", "LogDBFormat"),
        fuzzer("Headers", "LogDBFormat"),
        fuzzer("Manifest", "LogDBFormat"),
        fuzzer("JSON", "LogDBFormat", "LogDB"),
        fuzzer("JSONFoundation", "LogDBFormat", "LogDB"),
        fuzzer("Database", "LogDBFormat", "LogDB", "LogDBSimulation"),
        // The library's own, see above.
        .target(name: "LogDBFile", dependencies: ["CLogDB"], swiftSettings: settings),
        .target(name: "LogDBFormat", dependencies: ["CLogDB", "CLZ4", "CZlib"], swiftSettings: settings),
        .target(name: "LogDB", dependencies: ["CLogDB", "LogDBFile", "LogDBFormat"], swiftSettings: settings),
        .target(name: "LogDBSimulation", dependencies: ["LogDBFile"], swiftSettings: settings),
        .target(name: "CLogDB"),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    ],
    swiftLanguageModes: [.v6]
)
