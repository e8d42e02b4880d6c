import Crypto
import LoRA
import LoRAEdit
import SafeTensors
import Tensors
import TestSupport
import Testing

@Suite("LoRA files that are written")
struct OutputTests {
  private let folder = TemporaryFolder()

  private func hexadecimal(_ digest: SHA256.Digest) -> String {
    digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  @Test("hashes are those of the bytes that are written, after the change of type")
  func hashes() throws {
    let sum = try LoRASum([LoRASum.Term(try fixture("lora.safetensors"), 0.7)])
    let output = try sum.made(.exact, dtype: .bf16, width: 1).output
    let path = folder.path("a.safetensors")
    try output.write(to: path)
    let bytes = contents(of: path)
    let offset = try SafeTensorsFile(InputFile(path: path)).dataOffset
    let data = hexadecimal(SHA256.hash(data: bytes[offset...]))
    #expect(bytes.count == output.byteCount)
    #expect(output.dataSHA256 == data)
    #expect(output.autoV3 == String(data.prefix(12)))
    #expect(output.autoV2 == String(hexadecimal(SHA256.hash(data: bytes)).prefix(10)))
    let file = try LoRAFile(path: path)
    #expect(file.text("sshs_model_hash") == data)
    #expect(file.text("modelspec.hash_sha256") == "0x" + data)
    // Files below 1 MiB have nothing in the window of the old hash.
    #expect(file.text("sshs_legacy_hash") == "e3b0c442")
  }

  @Test("the legacy hash is that of a file with the texts of training alone")
  func legacyHash() throws {
    // The window is reached by a rank-8 LoRA of the whole network.
    let file = try LoRAFile(largeLoRA())
    let output = try LoRASum([LoRASum.Term(file, 1)]).made(.exact, dtype: .f16, width: 2).output
    let training = output.metadata.filter { $0.key.hasPrefix("ss_") }
    let layout = try SafeTensorsLayout(tensors: output.tensors, metadata: training)
    let path = folder.path("large.safetensors")
    try output.write(to: path)
    let offset = try SafeTensorsFile(InputFile(path: path)).dataOffset
    let bytes = layout.header + contents(of: path)[offset...]
    let expected = hexadecimal(SHA256.hash(data: bytes[0x100000..<0x110000])).prefix(8)
    #expect(output.legacyHash == expected)
    #expect(output.legacyHash != "e3b0c442")
  }

  @Test("texts of training are kept, rank and α are right, and the origin is told")
  func texts() throws {
    let lora = try fixture("lora.safetensors")
    let one = try LoRASum([LoRASum.Term(lora, 1)]).made(
      .rank(2, kernels: nil), dtype: .f16, width: 1)
    let texts = Dictionary(uniqueKeysWithValues: one.output.metadata.map { ($0.key, $0.value) })
    #expect(texts["ss_tag_frequency"] == lora.text("ss_tag_frequency"))
    #expect(texts["ss_network_dim"] == "2")
    #expect(texts["ss_network_alpha"] == "2")
    #expect(texts["ss_training_comment"] == "rank changed from 4 to 2; made by a script")
    let half = try fixture("lora_f16.safetensors")
    let two = try LoRASum([LoRASum.Term(lora, 1), LoRASum.Term(half, 0.5)]).made(
      .exact, dtype: .f16, width: 1)
    let both = Dictionary(uniqueKeysWithValues: two.output.metadata.map { ($0.key, $0.value) })
    #expect(both["modelspec.merged_from"] == "fixture, fixture")
    #expect(both["sshs_ratio"] == "1.0,0.5")
    #expect(both["sshs_cp1"]?.contains("ss_tag_frequency") == true)
    #expect(both["ss_output_name"] == "fixture")
    #expect(both["modelspec.architecture"] == "stable-diffusion-v1/lora")
    #expect(both["ss_network_dim"] == "Dynamic" || both["ss_network_dim"] == "8")
  }

  @Test(
    "conversion keeps the change, whatever the spelling",
    arguments: [
      "lora.safetensors", "lora_f16.safetensors", "loha.safetensors", "lokr_tucker.safetensors",
      "locon_tucker.safetensors", "lokr_both.safetensors", "peft_alpha.safetensors",
      "lora_rs.safetensors", "comfy_alpha.safetensors", "kohya_zip.pt", "cloneofsimo.safetensors",
      "dora_out.safetensors",
    ], LoRADialect.allCases)
  func conversion(name: String, dialect: LoRADialect) throws {
    let before = try fixture(name)
    let result = try LoRAConversion(before, to: dialect).made(width: 2)
    let path = folder.path("\(dialect.rawValue).safetensors")
    try result.output.write(to: path, replacing: true)
    let after = try LoRAFile(path: path)
    #expect(after.findings.allSatisfy { $0.severity < .error })
    #expect(after.ledger.allSatisfy { $0.word == "applied" || $0.word == "preserved" })
    let (old, new) = (try changes(before), try changes(after))
    #expect(Set(old.keys) == Set(new.keys))
    let tolerance = before.source.tensors.contains { $0.dtype == .f16 } ? 5e-4 : 2e-6
    for (module, change) in old {
      #expect(distance(try #require(new[module]), change) <= tolerance * norm(change))
    }
    for (a, b) in zip(before.modules, after.modules) {
      #expect((a.magnitude == nil) == (b.magnitude == nil))
      guard let first = a.magnitude, let second = b.magnitude else { continue }
      #expect(first.axis == second.axis)
      #expect(try before.values(of: first.factor) == after.values(of: second.factor))
    }
    #expect(
      try LoRAConversion(before, to: dialect).made(width: 1).output.sha256 == result.output.sha256)
  }

  @Test("there and back again keeps every bit of the factors")
  func roundTrip() throws {
    let before = try fixture("lora_rank8.safetensors")
    let comfy = folder.path("comfy.safetensors")
    try LoRAConversion(before, to: .comfy).made(width: 1).output.write(to: comfy)
    let back = try LoRAConversion(try LoRAFile(path: comfy), to: .kohya).made(width: 1).output
    let path = folder.path("back.safetensors")
    try back.write(to: path)
    let after = try LoRAFile(path: path)
    let names = after.source.indexByName()
    for (index, info) in before.source.tensors.enumerated() {
      let other = try #require(names[info.name])
      #expect(after.source.tensors[other].shape == info.shape)
      #expect(try after.source.bytes(of: other) == before.source.bytes(of: index))
    }
  }

  @Test("an embedding in the file is kept")
  func embedding() throws {
    let before = try fixture("onetrainer_bundle.safetensors")
    let output = try LoRAConversion(before, to: .kohya).made(width: 1).output
    #expect(output.tensors.contains { $0.name.hasPrefix("bundle_emb.token.") })
  }

  @Test(
    "what diffusers has no names for is refused",
    arguments: ["norm", "oft", "ia3", "glora", "dora_in"])
  func refused(name: String) throws {
    let file = try fixture(name + ".safetensors")
    let fault = #expect(throws: Fault.self) {
      try LoRAConversion(file, to: .diffusers).made(width: 1)
    }
    #expect(fault?.rule == .loraNoSpelling)
    #expect(try LoRAConversion(file, to: .kohya).made(width: 1).modules.count == file.modules.count)
  }
}
