// swift-tools-version: 6.2
import PackageDescription

// Built by Scripts/fuzz with -sanitize=fuzzer, which must not reach the main package's manifest:
// packages with unsafe flags cannot be depended on.
let package = Package(
  name: "sdtool-fuzz",
  dependencies: [.package(name: "sdtool", path: "..")],
  targets: [
    .systemLibrary(name: "CLibFuzzer"),
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "CLibFuzzer",
        .product(name: "Tensors", package: "sdtool"),
        .product(name: "JSON", package: "sdtool"),
        .product(name: "SafeTensors", package: "sdtool"),
        .product(name: "Checkpoint", package: "sdtool"),
        .product(name: "StableDiffusion", package: "sdtool"),
        .product(name: "Synthesis", package: "sdtool"),
        .product(name: "LoRA", package: "sdtool"),
        .product(name: "LoRAEdit", package: "sdtool"),
      ],
      swiftSettings: [
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("ExistentialAny"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
