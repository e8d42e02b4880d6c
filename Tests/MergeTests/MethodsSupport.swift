import Foundation
import Glibc
import JSON
import Merge
import SafeTensors
import Tensors
import TestSupport

/// What `fixtures/merge/make.py` wrote.
struct MergeFixture {
  struct Case { let name: String, shape: [Int], models: [Character: [Float]] }
  struct Run { let key: String, method: String, models: [Character], settings: JSONValue }

  let cases: [Case]
  let runs: [Run]
  let expected: [String: [Float]]
  let json: JSONValue

  init() throws {
    json = try JSONValue(parsing: contents(of: Fixtures.path("merge/expected.json")))
    let inputs = try SafeTensorsFile(path: Fixtures.path("merge/inputs.safetensors"))
    var cases: [String: ([Int], [Character: [Float]])] = [:]
    for (index, info) in inputs.tensors.enumerated() {
      let name = info.name.string.dropLast(2)
      let values = try floats(inputs.bytes(of: index))
      cases[String(name), default: (info.shape, [:])].1[info.name.string.last ?? "?"] = values
    }
    self.cases = cases.sorted { $0.key < $1.key }.map {
      Case(name: $0.key, shape: $0.value.0, models: $0.value.1)
    }
    runs = (json["runs"]?.array ?? []).map { run in
      Run(
        key: run["key"]?.string ?? "", method: run["method"]?.string ?? "",
        models: Array(run["models"]?.string ?? ""), settings: run["settings"] ?? .null)
    }
    let file = try SafeTensorsFile(path: Fixtures.path("merge/expected.safetensors"))
    var expected: [String: [Float]] = [:]
    for (index, info) in file.tensors.enumerated() {
      expected[info.name.string] = try floats(file.bytes(of: index))
    }
    self.expected = expected
  }
}

/// Little-endian float32 values.
func floats(_ bytes: [UInt8]) -> [Float] {
  stride(from: 0, to: bytes.count, by: 4).map { i in
    Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[i + $1]) << (8 * UInt32($1)) })
  }
}

/// The settings of a run in `expected.json`, on top of the method's defaults.
func settings(_ json: JSONValue, for method: any MergeMethod) -> MergeSettings {
  var settings = MergeSettings(defaultsOf: method)
  if let value = json["alpha"]?.double { settings.alpha = value }
  if let value = json["beta"]?.double { settings.beta = value }
  if let value = json["gamma"]?.double { settings.gamma = value }
  if let value = json["density"]?.double { settings.density = value }
  if let value = json["epsilon"]?.double { settings.epsilon = value }
  if let value = json["weights"]?.array { settings.weights = value.compactMap(\.double) }
  if let value = json["seed"]?.string { settings.seed = UInt64(value) ?? 0 }
  return settings
}

extension MergeMethod {
  /// The result for one tensor, or for a chunk of it.
  func result(
    _ operands: Operands, _ tensor: MergedTensor, _ settings: MergeSettings
  ) -> [Float] {
    var output = [Float](repeating: .nan, count: operands.elementCount)
    var span = output.mutableSpan
    merge(operands, tensor: tensor, settings: settings, into: &span)
    return output
  }

  /// The result for one tensor of the given shape in every model.
  func result(
    _ models: [[Float]], shape: [Int]? = nil, name: TensorName = "weight",
    _ settings: MergeSettings? = nil
  ) -> [Float] {
    let tensor = MergedTensor(name: name, shape: shape ?? [models[0].count])
    return result(
      Operands(copying: models), tensor, settings ?? MergeSettings(defaultsOf: self))
  }

  /// The number of models used in tests.
  var sampleCount: Int { inputs.names.count + (inputs.isOpen ? 1 : 0) }
}

/// A reproducible sequence of numbers.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  /// `count` numbers between −1 and 1.
  static func values(_ count: Int, seed: UInt64) -> [Float] {
    var random = SplitMix(state: seed)
    return (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
  }
}

/// Every method that computes something by its name, as an argument of parameterised tests.
let methodNames = MergeMethods.all.map(\.name).filter { $0 != "copy" }

/// The C library, to compare with.
enum Library {
  static func pow(_ x: Double, _ y: Double) -> Double { Glibc.pow(x, y) }
  static func exp2(_ x: Double) -> Double { Glibc.exp2(x) }
  static func sin(_ x: Double) -> Double { Glibc.sin(x) }
  static func cos(_ x: Double) -> Double { Glibc.cos(x) }
  static func acos(_ x: Double) -> Double { Glibc.acos(x) }
}

/// The programs in `Scripts`.
enum Script {
  /// Runs one of them and returns its exit code.
  static func run(_ name: String, _ arguments: String...) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Fixtures.root + "/Scripts/" + name)
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
