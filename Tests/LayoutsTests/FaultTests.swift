import Checkpoint
import Glibc
import Layouts
import StableDiffusion
import Synchronization
import Synthesis
import Tensors
import TestSupport
import Testing

@Suite("Outputs that must not be written")
struct FaultTests {
  private let folder = TemporaryFolder()

  private func makeModel(_ layout: OutputLayout = .safetensors) throws -> String {
    let path = folder.path("model-\(layout)")
    let model = SyntheticModel(dimensions: .tiny, seed: 3, dtype: .f32)
    try ModelWriter(layout: layout).write(model, to: path, metadata: model.metadata)
    return path
  }

  private func convert(
    _ input: String, to output: String, as layout: OutputLayout = .safetensors,
    replacing: Bool = true, progress: @Sendable (Int) -> Void = { _ in }
  ) throws -> Fault? {
    let plan = ConversionPlan(of: try openModel(path: input), ConversionRequest(layout: layout))
    return fault { try plan.write(to: output, replacing: replacing, width: 2, progress: progress) }
  }

  @Test("An output that is the input, or a link to it, is refused even with --force")
  func outputIsInput() throws {
    let input = try makeModel()
    let before = contents(of: input)
    let (hard, soft) = (folder.path("hard"), folder.path("soft"))
    unsafe #expect(link(input, hard) == 0)
    unsafe #expect(symlink(input, soft) == 0)
    for output in [input, hard, soft, folder.path("./model-safetensors")] {
      let found = try #require(try convert(input, to: output))
      #expect(found.rule == .outputIsInput)
      #expect(found.sentence.hasPrefix("is the input '"))
    }
    let isUntouched = contents(of: input) == before
    #expect(isUntouched)
  }

  @Test("A folder that holds the input is not replaced")
  func outputHoldsInput() throws {
    let input = try makeModel(.diffusers)
    for part in [input, input + "/unet"] {
      let found = try #require(try convert(part, to: input, as: .diffusers))
      #expect(found.rule == .outputIsInput)
      #expect(found.sentence.hasPrefix("holds the input '"))
    }
    #expect(try openModel(path: input).tensors.count == 1131)
  }

  @Test("An existing output is kept without --force", arguments: OutputLayout.allCases)
  func exists(layout: OutputLayout) throws {
    let input = try makeModel()
    let output = folder.write([1, 2, 3], to: "taken")
    let found = try #require(try convert(input, to: output, as: layout, replacing: false))
    #expect(found.rule == .outputExists)
    #expect(contents(of: output) == [1, 2, 3])
  }

  @Test("A folder that is not there is named")
  func noFolder() throws {
    let found = try #require(
      try convert(makeModel(), to: folder.path("none/out.safetensors")))
    #expect(found.rule == .fileOperation)
    #expect(found.path == folder.path("none"))
  }

  @Test(
    "An input that changes or ends while it is read leaves nothing behind",
    arguments: OutputLayout.allCases, [true, false])
  func changes(layout: OutputLayout, truncates: Bool) throws {
    let input = try makeModel()
    let isDone = Atomic(false)
    let found = try #require(
      try convert(input, to: folder.path("out"), as: layout) { _ in
        guard isDone.exchange(true, ordering: .relaxed) == false else { return }
        if truncates {
          unsafe _ = truncate(input, 100)
        } else {
          unsafe _ = truncate(input, 1 << 28)
        }
      })
    #expect([.fileChanged, .fileTruncated].contains(found.rule))
    #expect(found.path == input)
    #expect(folderEntries(of: folder.path) == ["model-safetensors"])
  }

  @Test("Values that overflow leave nothing behind")
  func overflow() throws {
    let model = EditedModel([
      (try TensorInfo(name: "a", dtype: .f64, shape: [1]), [0, 0, 0, 0, 0, 0, 0xE0, 0x7F])
    ])
    var request = ConversionRequest(layout: .safetensors)
    request.types = TypeChoice(.f16)
    let output = TemporaryPath()
    let found = fault {
      try ConversionPlan(of: model, request).write(to: output.path, width: 1)
    }
    #expect(found?.rule == .overflow)
    #expect(output.neighbours.isEmpty)
  }
}
