import Checkpoint
import Generation
import SafeTensors
import Sampling
import Synthesis
import Tensors
import TestSupport
import Testing

@Suite("What a model was trained to predict")
struct TrainingTargetTests {
  private let folder = TemporaryFolder()

  /// A safetensors file of one-valued tensors.
  private func file(_ names: [String], metadata: String = "", to name: String) -> String {
    var header = metadata.isEmpty ? "" : "\"__metadata__\":{\(metadata)},"
    header += names.enumerated().map { index, name in
      "\"\(name)\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[\(4 * index),\(4 * index + 4)]}"
    }.joined(separator: ",")
    let text = Array("{\(header)}".utf8)
    let count = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return folder.write(
      count + text + [UInt8](repeating: 0, count: 4 * names.count), to: name)
  }

  private func target(_ path: String) throws -> TrainingTarget {
    TrainingTarget(of: try openModel(path: path))
  }

  @Test("nothing is said of most models")
  func nothing() throws {
    let target = try target(file(["a"], to: "a.safetensors"))
    #expect(target.prediction == nil && target.hasZeroTerminalSNR == nil && target.evidence == nil)
  }

  @Test("metadata and marks are read")
  func marks() throws {
    let spec = try target(
      file(["a"], metadata: "\"modelspec.prediction_type\":\"v\"", to: "spec.safetensors"))
    #expect(spec.prediction == .velocity && spec.evidence == "its metadata")
    let marked = try target(file(["a", "v_pred", "ztsnr"], to: "marked.safetensors"))
    #expect(marked.prediction == .velocity && marked.hasZeroTerminalSNR == true)
  }

  @Test("a configuration beside the file is read")
  func configuration() throws {
    let path = file(["a"], to: "b.safetensors")
    _ = folder.write(
      Array("model:\n  params:\n    parameterization: \"v\"\n    beta: 1\n".utf8), to: "b.yaml")
    #expect(try target(path).prediction == .velocity)
  }
}
