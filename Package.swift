// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors where nobody is watching: CI sets the variable, a user's newer compiler must not break the build.
let warnings: [SwiftSetting] = Context.environment["LOGDB_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

let settings: [SwiftSetting] =
    [
        .strictMemorySafety(),
        .enableExperimentalFeature("Lifetimes"),
    ] + warnings

let package = Package(
    name: "LogDB",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "LogDB", targets: ["LogDB"]),
        .executable(name: "logdb", targets: ["LogDBCommand"]),
        .executable(name: "autosaving-game", targets: ["AutosavingGame"]),
        .executable(name: "durable-counter", targets: ["DurableCounter"]),
        .executable(name: "write-back-cache", targets: ["WriteBackCache"]),
        .executable(name: "application-journal", targets: ["ApplicationJournal"]),
        .executable(name: "desktop-settings", targets: ["DesktopSettings"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        // What a disk is: knows no formats.
        .target(name: "LogDBFile", dependencies: ["CLogDB"], swiftSettings: settings),
        // What the bytes mean: knows no files.
        .target(name: "LogDBFormat", dependencies: ["CLogDB", "CLZ4", "CZlib"], swiftSettings: settings),
        // The engine and its face.
        .target(name: "LogDB", dependencies: ["CLogDB", "LogDBFile", "LogDBFormat"], swiftSettings: settings),
        .executableTarget(
            name: "LogDBCommand",
            dependencies: [
                "LogDB", "LogDBFile", "LogDBFormat",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        // Programs to copy from, and what kills them.
        .executableTarget(
            name: "AutosavingGame", dependencies: ["LogDB", "ExampleProof"], path: "Sources/Examples/AutosavingGame",
            swiftSettings: settings),
        .executableTarget(
            name: "DurableCounter", dependencies: ["LogDB", "ExampleProof"], path: "Sources/Examples/DurableCounter",
            swiftSettings: settings),
        .executableTarget(
            name: "WriteBackCache", dependencies: ["LogDB", "ExampleProof"], path: "Sources/Examples/WriteBackCache",
            swiftSettings: settings),
        .executableTarget(
            name: "ApplicationJournal", dependencies: ["LogDB", "ExampleProof"], path: "Sources/Examples/ApplicationJournal",
            swiftSettings: settings),
        .executableTarget(
            name: "DesktopSettings", dependencies: ["LogDB", "ExampleProof"], path: "Sources/Examples/DesktopSettings",
            swiftSettings: settings),
        .target(name: "ExampleProof", path: "Sources/Examples/Proof", swiftSettings: settings),
        .target(name: "CLogDB"),
        // The simulated disk, for tests only.
        .target(name: "LogDBSimulation", dependencies: ["LogDBFile"], path: "Tests/Simulation", swiftSettings: settings),
        .testTarget(name: "LogDBFileTests", dependencies: ["LogDBFile", "LogDBSimulation"], swiftSettings: settings),
        .testTarget(
            name: "LogDBTests", dependencies: ["CLogDB", "LogDB", "LogDBFile", "LogDBFormat", "LogDBSimulation"], swiftSettings: settings),
        // Run the built command as a user would.
        .testTarget(name: "LogDBCommandTests", dependencies: ["LogDBCommand"], swiftSettings: settings),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    ],
    swiftLanguageModes: [.v6]
)
