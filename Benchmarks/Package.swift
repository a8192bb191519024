// swift-tools-version: 6.2
import PackageDescription

// A package of its own: nobody who uses LogDB resolves or links the peers it is compared with.
//
// SQLite is linked, since GRDB links it anyway. RocksDB, LevelDB, LMDB and Redis are looked for when the program runs (CPeers), so that
// one that is missing is left out of the tables and nothing fails to build. Asking here whether they are installed would not do:
// the answer would be kept with the compiled manifest, and nothing would notice an installation.
let package = Package(
    name: "LogDBBenchmarks",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "logdb-bench", targets: ["LogDBBench"])],
    dependencies: [
        .package(name: "LogDB", path: ".."),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .executableTarget(
            name: "LogDBBench",
            dependencies: [
                .product(name: "LogDB", package: "LogDB"), .product(name: "GRDB", package: "GRDB.swift"), "CSQLite", "CPeers",
            ],
            swiftSettings: [.strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]
        ),
        .target(name: "CPeers", exclude: ["log_structured.inc"], linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite3"])]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)
