import Inference
import SafeTensors
import Synthesis
import Tensors
import TestSupport
import Testing

/// The tensors of a fixture by name.
struct Golden {
  let file: SafeTensorsFile

  init(_ name: String) throws {
    file = try SafeTensorsFile(path: Fixtures.path("forward/\(name).safetensors"))
  }

  var names: [String] { file.tensors.map(\.name.string) }

  subscript(name: String) -> FloatArray {
    get throws {
      let index = try #require(file.tensors.firstIndex { $0.name.string == name })
      return try FloatArray(file, index)
    }
  }
}

/// The model whose results the fixtures hold.
let tinyModel = SyntheticModel(preset: .sd15Tiny, seed: 1, dtype: .f16)

/// Whether no value is further from what is expected than `tolerance` standard deviations.
func expectClose(
  _ found: FloatArray, _ expected: FloatArray, _ tolerance: Double = 1e-4, _ name: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard found.values.count == expected.values.count else {
    Issue.record(
      "\(name) has shape \(found.shape), not \(expected.shape)", sourceLocation: sourceLocation)
    return
  }
  let difference = Difference(of: found.reshaped(expected.shape), from: expected)
  #expect(
    difference.inDeviations <= tolerance,
    "\(name) differs by \(difference.inDeviations) deviations at \(difference.position)",
    sourceLocation: sourceLocation)
}
