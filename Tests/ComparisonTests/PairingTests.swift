import Comparison
import Foundation
import SafeTensors
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

@Suite("Pairing of tensors")
struct PairingTests {
  /// A model whose tensors are called as in a diffusers folder.
  private struct Renamed: TensorSource {
    let model: SyntheticModel
    let tensors: [TensorInfo]
    var path: String { "renamed" }
    var container: Container { .diffusersFolder }
    var metadata: [MetadataEntry] { [] }
    var findings: [Fault] { [] }
    var files: [InputFile] { [] }

    init(_ model: SyntheticModel) {
      self.model = model
      let schema = Schema.sd15
      tensors = model.tensors.map { tensor in
        guard let parameter = schema[tensor.name] else { return tensor }
        let named = tensor.renamed(TensorName(parameter.folderName))
        guard parameter.isMatrixInDiffusers else { return named }
        return named.reshaped(Array(named.shape.prefix(2))) ?? named
      }
    }

    func extent(of index: Int) -> FileExtent? { nil }

    func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
      try model.read(index, at: offset, into: &buffer)
    }
  }

  @Test("A single file and a diffusers folder of the same weights are identical")
  func layouts() throws {
    let difference = try ModelDifference.compare(tiny(5), Renamed(tiny(5)), width: 2)
    #expect(difference.isIdentical)
    #expect(difference.tensors.count { $0.changesShape } == 8)
    #expect(difference.tensors.count { $0.isRenamed } == 1130)
    let changed = try ModelDifference.compare(tiny(5), Renamed(tiny(6)), width: 2)
    let same = try ModelDifference.compare(tiny(5), tiny(6), width: 2)
    #expect(changed.tensors.map(\.measures) == same.tensors.map(\.measures))
  }

  @Test("A LoRA against a checkpoint is one sentence, and so are parts without a common tensor")
  func kinds() throws {
    let lora = SyntheticModel(preset: .loraTiny, seed: 1)
    let fault = #expect(throws: Fault.self) {
      try ModelDifference.compare(tiny(1), lora, width: 1)
    }
    #expect(fault?.rule == .differentKinds)
    #expect(fault?.hint == "merge the LoRA into its base model first, and compare the result")
    let (a, _) = try Expected.models()
    #expect(throws: Fault.self) { try ModelDifference.compare(tiny(1), a, width: 1) }
  }

  @Test("Tensors of other widths are told from those that are missing")
  func widths() throws {
    var dimensions = Dimensions.sd15
    dimensions = tinyDimensions
    let wide = SyntheticModel(dimensions: dimensions, seed: 1)
    dimensions[.unetInput] = 9
    let inpainting = SyntheticModel(dimensions: dimensions, seed: 1)
    let difference = try ModelDifference.compare(wide, inpainting, width: 2)
    #expect(difference.total[.misshapen] == 1)
    let tensor = difference.tensors.first { $0.status == .misshapen }
    #expect(tensor?.place == .in00 && tensor?.measures == nil)
    #expect(tensor?.exceeds(1e9) == true)
  }

  private var tinyDimensions: Dimensions { SynthesisPreset.sd15Tiny.dimensions }

  @Test("A file that changes while it is read is noticed")
  func changing() throws {
    let folder = TemporaryFolder()
    let bytes = contents(of: Fixtures.path("diff/a.safetensors"))
    let path = folder.write(bytes, to: "a.safetensors")
    let a = try SafeTensorsFile(InputFile(path: path))
    let (_, b) = try Expected.models()
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_000_000)], ofItemAtPath: path)
    for body in [
      { _ = try ModelDifference.compare(a, b, width: 2) },
      { _ = try Ancestry.of([a, b], width: 2) },
      { _ = try MergeExplanation.explain(a, from: [b, b], width: 2) },
      { _ = try a.histograms(of: [0], width: 1) },
    ] {
      let fault = #expect(throws: Fault.self, performing: body)
      #expect(fault?.rule == .fileChanged)
    }
  }
}
