// swift-tools-version: 6.2
import PackageDescription

/// Every lesson, in the order of the course; a lesson's folder is `Lessons/<name>`.
let allLessons = [
  "Lesson01-Likelihood",
  "Lesson01-Autodiff",
  "Lesson02-MADE",
  "Lesson02-PixelCNN",
  "Lesson02-WaveNet",
  "Lesson02-GPT",
  "Lesson03-NICE",
  "Lesson03-RealNVP",
  "Lesson03-MAF",
  "Lesson03-IAF",
  "Lesson04-VariationalBound",
  "Lesson04-WakeSleep",
  "Lesson04-VAE",
  "Lesson04-IWAE",
  "Lesson04-VQVAE",
  "Lesson05-GAN",
  "Lesson05-WGAN",
  "Lesson05-MomentMatching",
  "Lesson05-EnergyBased",
  "Lesson06-SimCLR",
  "Lesson06-MoCo",
  "Lesson06-Word2Vec",
]

/// Those with exercises: their folders hold a `Recorded.json`.
let lessonsWithExercises = allLessons

/// `LESSONS=Lesson04-VAE swift test` builds and tests the named lessons alone, `TESTS=Tensors,Figures swift test` the named
/// libraries without any lesson.
let lessons = allLessons.filter { lesson in
  guard let wanted = Context.environment["LESSONS"] else { return Context.environment["TESTS"] == nil }
  return wanted.split(separator: ",").contains { $0 == lesson }
}

// The libraries are optimised in debug builds too, so that a plain `swift run` is fast.
let optimised: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .unsafeFlags(["-O", "-wmo", "-num-threads", "2", "-disable-batch-mode", "-enforce-exclusivity=unchecked"]),
]

// `-march=native` gives fused multiply-add as an instruction; without it `addingProduct` is a call
// into the C library, hence the define beside the flag. Arm64 has it in its baseline.
// Not where PORTABLE is set, for a build that other processors will run.
#if arch(x86_64) && os(Linux)
  let native: [SwiftSetting] =
    Context.environment["PORTABLE"] != nil
    ? [] : [.unsafeFlags(["-Xcc", "-march=native"]), .define("FUSED_MULTIPLY_ADD")]
#elseif arch(arm64)
  let native: [SwiftSetting] = [.define("FUSED_MULTIPLY_ADD")]
#else
  let native: [SwiftSetting] = []
#endif

/// Those that calculate with vectors themselves.
let librariesWithKernels = ["Vectors", "Tensors", "Convolutions", "NeuralNetworks"]

// A function in `main.swift` may use a variable above it without annotations.
let asNotebook: [SwiftSetting] = [.swiftLanguageMode(.v6), .defaultIsolation(MainActor.self)]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(
    name: name, dependencies: dependencies,
    swiftSettings: optimised + (librariesWithKernels.contains(name) ? native : []))
}

var courseLibraries: [Target.Dependency] = ["Exercises"]
// BEGIN AUTHORS
courseLibraries += ["Grading", "Publishing", "CConfinement"]
// END AUTHORS

func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(name: name + "Tests", dependencies: [.target(name: name)] + dependencies)
}

let package = Package(
  name: "deep-unsupervised-learning",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),

    library("Vectors"),
    library("Tensors", ["Vectors", "COpenBLAS"]),
    library("LinearAlgebra", ["Tensors", "COpenBLAS"]),
    library("GradientChecking", ["Tensors"]),
    library("Convolutions", ["Tensors"]),
    library("NeuralNetworks", ["Tensors", "Convolutions"]),
    library("Distributions", ["Tensors", "LinearAlgebra"]),
    library("Datasets", ["Tensors", "CPNG"]),
    library("Figures", ["Tensors", "CPNG"]),
    library("Notebook", ["Figures", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    library("Exercises", ["Tensors"]),
    library(
      "LessonKit",
      [
        "Tensors", "LinearAlgebra", "GradientChecking", "Convolutions", "NeuralNetworks", "Distributions", "Datasets",
        "Figures", "Notebook", "Exercises",
      ]),

    .executableTarget(
      name: "course",
      dependencies: courseLibraries + [.product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: optimised),

    .executableTarget(name: "classifiers", dependencies: ["LessonKit"], swiftSettings: asNotebook),

    // BEGIN AUTHORS
    .target(name: "CConfinement"),
    library("Grading", ["Exercises", "CConfinement", "CPNG"]),
    library("Publishing", ["Exercises", "Grading"]),
    tests(of: "Grading", ["course"]),
    tests(of: "Publishing", ["Exercises"] + lessons.map { .target(name: $0) }),

    .executableTarget(
      name: "benchmark",
      dependencies: [
        "Convolutions", "NeuralNetworks", "Distributions", "LinearAlgebra",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      exclude: ["pytorch"], swiftSettings: optimised),
    // END AUTHORS

    .target(name: "TestSupport", dependencies: ["Tensors", "GradientChecking"], path: "Tests/TestSupport"),
    tests(of: "Tensors", ["TestSupport", "LinearAlgebra", "GradientChecking"]),
    tests(of: "Convolutions", ["TestSupport", "GradientChecking"]),
    tests(of: "NeuralNetworks", ["TestSupport", "GradientChecking", "LinearAlgebra"]),
    tests(of: "Distributions", ["GradientChecking"]),
    tests(of: "Datasets"),
    tests(of: "Figures", ["CPNG"]),
    tests(
      of: "Notebook",
      ["Figures", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    tests(of: "Exercises"),
    .testTarget(
      name: "CourseTests", dependencies: ["course", "Exercises", "LessonKit"] + lessons.map { .target(name: $0) }),
    .testTarget(
      name: "LessonTests", dependencies: ["LessonKit"] + lessons.map { .target(name: $0) },
      sources: [
        "FlowBattery.swift", "ImageClassifierTests.swift", "LessonCommandTests.swift", "LessonRunner.swift",
        "LinearProbeTests.swift", "SampleJudgeTests.swift",
        "ReadmeTests.swift", "Solved.swift",
      ] + lessons.map { "\($0)Tests.swift" }),
  ]
    + lessons.map {
      .executableTarget(
        name: $0, dependencies: ["LessonKit"], path: "Lessons/\($0)",
        exclude: ["Pictures"] + (lessonsWithExercises.contains($0) ? ["Recorded.json"] : []),
        swiftSettings: asNotebook)
    }
)

// With LESSONS the tests are those of the lessons named; the course's own ask Lesson04-VAE.
if let libraries = Context.environment["TESTS"] {
  let kept = libraries.split(separator: ",").map { "\($0)Tests" }
  package.targets.removeAll { $0.type == .test && !kept.contains($0.name) }
} else if Context.environment["LESSONS"] != nil {
  let kept = ["LessonTests"] + (lessons.contains("Lesson04-VAE") ? ["CourseTests"] : [])
  package.targets.removeAll { $0.type == .test && !kept.contains($0.name) }
}
