import Inference
import Prompts
import SafeTensors
import Synthesis
import Tensors
import TestSupport
import Testing

/// Embeddings against diffusers' `load_textual_inversion`; see fixtures/pictures/make.py.
@Suite("Textual inversion")
struct EmbeddingTests {
  private func expected(_ name: String) throws -> [Float] {
    let file = try SafeTensorsFile(
      InputFile(path: Fixtures.path("pictures/expected.safetensors")))
    let index = try #require(file.indexByName()[TensorName(name)])
    let bytes = try file.bytes(of: index)
    return stride(from: 0, to: bytes.count, by: 4).map { place in
      Float(
        bitPattern: (0..<4).reduce(0 as UInt32) { $0 | UInt32(bytes[place + $1]) << (8 * $1) })
    }
  }

  @Test(
    "a prompt that names an embedding is encoded as diffusers encodes it",
    arguments: [
      ("style.pt", "first-style", 3), ("style.safetensors", "other-style", 3),
      ("learned.safetensors", "<learned>", 1),
    ])
  func context(_ file: String, _ name: String, _ count: Int) throws {
    let embedding = try TextualInversion(
      path: Fixtures.path("pictures/" + file), name: name, width: 24)
    #expect(embedding.vectors.flatMap { $0 } == (try expected(count == 1 ? "single" : "vectors")))
    let prompt = try PromptEncoder(embeddings: [embedding]).tokens(of: "a red \(name), on grass")
    #expect(prompt.embeddings == [name] && prompt.used == 5 + count)
    let model = try TextModel(
      SyntheticModel(preset: .sd15Tiny, seed: 1, dtype: .f16),
      runtime: Runtime(precision: .reference, threads: 1))
    let context = try model(prompt.chunks.map(\.tokens), vectors: prompt.vectors)
    let wanted = try expected("context." + file)
    #expect(context.values.count == wanted.count)
    let largest = zip(context.values, wanted).map { abs($0 - $1) }.max()
    // The deviation of a normalised context is 1.
    #expect(try #require(largest) <= 1e-4)
  }
}
