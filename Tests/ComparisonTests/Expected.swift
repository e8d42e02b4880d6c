import Comparison
import JSON
import SafeTensors
import Synthesis
import Tensors
import TestSupport
import Testing

/// What NumPy and PyTorch found; see fixtures/diff/make.py.
enum Expected {
  static func json() throws -> JSONValue {
    try JSONValue(parsing: contents(of: Fixtures.path("diff/expected.json")))
  }

  static func models() throws -> (a: SafeTensorsFile, b: SafeTensorsFile) {
    (try open("a"), try open("b"))
  }

  private static func open(_ name: String) throws -> SafeTensorsFile {
    try SafeTensorsFile(InputFile(path: Fixtures.path("diff/\(name).safetensors")))
  }

  /// Whether two numbers agree but for the order of a sum.
  static func agree(_ a: Double?, _ b: Double?, within tolerance: Double = 1e-11) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    return abs(a - b) <= tolerance * max(abs(a), abs(b))
  }
}

/// A tiny synthetic model.
func tiny(_ seed: UInt64, _ dtype: DType = .f16) -> SyntheticModel {
  SyntheticModel(preset: .sd15Tiny, seed: seed, dtype: dtype)
}
