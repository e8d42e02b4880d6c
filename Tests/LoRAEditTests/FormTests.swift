import Checkpoint
import LinearAlgebra
import LoRA
import LoRAEdit
import SafeTensors
import Tensors
import TestSupport
import Testing

func openExpected(_ name: String) throws -> any TensorSource {
  let stem = name.split(separator: ".").first.map(String.init) ?? name
  return try openModel(path: Fixtures.path("lora/\(stem).expected.safetensors"))
}

/// Files whose changes do not depend on the weight.
let additive = [
  "lora.safetensors", "lora_rank8.safetensors", "lora_te1.safetensors",
  "lora_original_names.safetensors", "lycoris_names.safetensors", "lora_rs.safetensors",
  "locon.safetensors", "locon_tucker.safetensors", "loha.safetensors", "loha_tucker.safetensors",
  "lokr.safetensors", "lokr_both.safetensors", "lokr_tucker.safetensors", "lokr_full.safetensors",
  "full.safetensors", "peft_alpha.safetensors", "peft_rslora.safetensors", "peft_folder",
  "comfy_alpha.safetensors", "dotted.safetensors", "kohya_zip.pt", "hcp.ckpt",
  "alpha_integer.safetensors",
]

@Suite("Low-rank forms")
struct FormTests {
  @Test("the product is the change that the reference implementation makes", arguments: additive)
  func products(_ name: String) throws {
    let expected = try expectedChanges(name)
    let found = try changes(try fixture(name))
    #expect(Set(found.keys) == Set(expected.keys))
    for (module, change) in expected {
      let mine = try #require(found[module])
      // The expected values were rounded as weights, which are larger than the change.
      #expect(distance(mine, change) < 1e-6 * norm(change) + 3e-6, "\(module)")
    }
  }

  @Test("the rank is never higher than the weight's extents")
  func ranks() throws {
    for name in additive {
      let file = try fixture(name)
      for module in file.modules {
        guard let product = try file.lowRank(of: module) else { continue }
        #expect(product.rank <= min(product.up.rows, product.down.columns))
      }
    }
  }

  @Test(
    "what depends on the weight has none",
    arguments: ["glora", "ia3", "oft", "boft"])
  func refused(_ name: String) throws {
    let file = try fixture(name + ".safetensors")
    let fault = #expect(throws: Fault.self) { try file.lowRank(of: file.modules[0]) }
    #expect(fault?.rule == .loraNotLowRank)
  }

  @Test("norms and biases are no matrices")
  func vectors() throws {
    let file = try fixture("norm.safetensors")
    #expect(try file.lowRank(of: file.modules[0]) == nil)
  }
}
