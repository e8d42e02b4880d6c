// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableExperimentalFeature("Lifetimes"),
]

/// A library target that is also a product, so that other packages can depend on it.
func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

/// The tests of one library.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies,
    swiftSettings: swiftSettings)
}

let libraries = [
  "Tensors", "StrictJSON", "JSON", "SafeTensors", "Checkpoint", "StableDiffusion", "Vocabulary",
  "Layouts", "Synthesis", "Inspection", "LinearAlgebra", "LoRA", "LoRAEdit", "Merge", "Comparison",
  "Drawing", "Reporting", "Inference", "Sampling", "Prompts", "Pictures", "Generation",
]

let package = Package(
  name: "sdtool",
  products: [.executable(name: "sdtool", targets: ["sdtool"])]
    + libraries.map { .library(name: $0, targets: [$0]) },
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CJSON", providers: [.apt(["libjson-c-dev"])]),
    .target(name: "CKernels"),
    .target(name: "CForward"),
    .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dl")]),
    .target(name: "CLinearAlgebra", linkerSettings: [.linkedLibrary("dl")]),
    .target(name: "CRaster"),
    .target(name: "CVocabulary", exclude: ["merges.z"]),
    library("Tensors", ["CKernels"]),
    library("StrictJSON", []),
    library("LinearAlgebra", ["Tensors", "CLinearAlgebra"]),
    library("JSON", ["Tensors", "StrictJSON", "CJSON"]),
    library("SafeTensors", ["Tensors", "StrictJSON"]),
    library("Checkpoint", ["Tensors", "SafeTensors", "JSON", "CZlib"]),
    library("StableDiffusion", ["Tensors"]),
    library("Vocabulary", ["CVocabulary", "CZlib"]),
    library("Sampling", ["Tensors"]),
    .target(name: "CPictures"),
    library("Pictures", ["Tensors", "CPictures", "CZlib"]),
    library("Prompts", ["Tensors", "Checkpoint", "Vocabulary"]),
    library(
      "Layouts",
      ["Tensors", "SafeTensors", "Checkpoint", "StableDiffusion", "Vocabulary", "JSON"]),
    library("Synthesis", ["Tensors", "StableDiffusion"]),
    library(
      "Inspection",
      [
        "Tensors", "SafeTensors", "Checkpoint", "StableDiffusion", "JSON", "CZlib",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    library(
      "Merge",
      [
        "Tensors", "StableDiffusion", "SafeTensors", "Checkpoint", "JSON", "LoRA",
        .product(name: "Yams", package: "Yams"),
      ]),
    library("Inference", ["Tensors", "StableDiffusion", "CForward", "COneDNN"]),
    library(
      "Generation",
      ["Tensors", "StableDiffusion", "Sampling", "Prompts", "Pictures", "Inference", "JSON"]),
    library("LoRA", ["Tensors", "StableDiffusion", "Checkpoint", "JSON", "LinearAlgebra"]),
    library(
      "LoRAEdit",
      [
        "Tensors", "StableDiffusion", "SafeTensors", "Checkpoint", "JSON", "LoRA", "LinearAlgebra",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    library(
      "Comparison",
      [
        "CKernels", "Tensors", "StableDiffusion", "SafeTensors", "Checkpoint", "JSON", "Inspection",
        "Merge",
      ]),
    library("Drawing", ["Tensors", "StableDiffusion", "Inspection", "CRaster"]),
    library(
      "Reporting",
      [
        "Tensors", "Checkpoint", "StableDiffusion", "Inspection", "Merge", "Comparison", "Drawing",
        "JSON",
      ]),
    .executableTarget(
      name: "sdtool",
      dependencies: [
        "Tensors", "SafeTensors", "Checkpoint", "StableDiffusion", "Layouts", "Synthesis",
        "Inspection", "JSON", "Merge", "LoRA", "LoRAEdit", "LinearAlgebra", "Comparison", "Drawing",
        "Reporting", "Inference", "Vocabulary", "Sampling", "Prompts", "Pictures", "Generation",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: swiftSettings),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: swiftSettings),
    tests("Tensors", []),
    tests("StrictJSON", ["JSON"]),
    tests("LinearAlgebra", ["JSON", "Tensors"]),
    tests("JSON", []),
    tests(
      "SafeTensors",
      ["JSON", "StrictJSON", .product(name: "Crypto", package: "swift-crypto")]),
    tests("Checkpoint", ["JSON", .product(name: "Crypto", package: "swift-crypto")]),
    tests("StableDiffusion", []),
    tests("Vocabulary", ["JSON", .product(name: "Crypto", package: "swift-crypto")]),
    tests("Synthesis", ["StableDiffusion", "SafeTensors", "Checkpoint", "Tensors"]),
    tests(
      "Layouts",
      [
        "Tensors", "StableDiffusion", "SafeTensors", "Checkpoint", "Synthesis", "Inspection",
        "JSON",
      ]),
    tests("Inspection", ["Synthesis", "JSON"]),
    tests("Sampling", ["JSON", "Tensors"]),
    tests("Pictures", ["Tensors", "SafeTensors"]),
    tests(
      "Generation",
      [
        "Sampling", "Pictures", "Prompts", "Inference", "Tensors", "Synthesis", "SafeTensors",
        "Checkpoint",
      ]),
    tests("Prompts", ["JSON", "Tensors", "Vocabulary"]),
    tests("Inference", ["Tensors", "StableDiffusion", "SafeTensors", "Synthesis"]),
    tests(
      "LoRA",
      [
        "Tensors", "StableDiffusion", "SafeTensors", "Checkpoint", "JSON", "Synthesis",
      ]),
    tests("Merge", ["Tensors", "StableDiffusion", "SafeTensors", "JSON", "Synthesis"]),
    tests(
      "LoRAEdit",
      [
        "LoRA", "LinearAlgebra", "Tensors", "StableDiffusion", "SafeTensors", "Checkpoint", "JSON",
        "Synthesis", .product(name: "Crypto", package: "swift-crypto"),
      ]),
    tests(
      "Comparison", ["Tensors", "StableDiffusion", "SafeTensors", "Synthesis", "JSON", "Merge"]),
    tests("Drawing", ["Tensors", "StableDiffusion", "JSON"]),
    tests(
      "Reporting", ["Tensors", "StableDiffusion", "Synthesis", "Inspection", "Drawing", "JSON"]),
    .testTarget(
      name: "CommandTests", dependencies: ["sdtool", "Pictures", "TestSupport"],
      swiftSettings: swiftSettings),
    // Written as by another package: without our settings, public API only.
    .testTarget(
      name: "ExamplesTests",
      dependencies: ["TestSupport"] + libraries.map { .byName(name: $0) }),
  ],
  swiftLanguageModes: [.v6]
)
