// swift-tools-version: 6.2
import PackageDescription

// A package of its own: nobody who uses LogDB resolves or links the peers it is compared with.
let package = Package(
    name: "LogDBBenchmarks",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "logdb-bench", targets: ["LogDBBench"])],
    dependencies: [.package(name: "LogDB", path: "..")],
    targets: [
        .executableTarget(
            name: "LogDBBench",
            dependencies: [.product(name: "LogDB", package: "LogDB"), "CSQLite"],
            swiftSettings: [.strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]
        ),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite3"])]),
    ],
    swiftLanguageModes: [.v6]
)
