import LoRA
import StableDiffusion
import Tensors
import TestSupport
import Testing

@Suite("Strengths and block weights")
struct WeightTests {
  @Test("a vector of 17 lists the blocks with attention, the others rest") func seventeen() throws {
    var vector = try LoRAVector((0..<17).map { "\(Double($0) / 10)" }.joined(separator: ","))
    #expect(vector[.clip] == 0)
    #expect(vector[.in01] == 0.1 && vector[.in08] == 0.6 && vector[.m00] == 0.7)
    #expect(vector[.out03] == 0.8 && vector[.out11] == 1.6)
    #expect(vector[.in00] == 0 && vector[.out02] == 0)
    #expect(vector[.time] == 1 && vector[.out] == 1)
    vector.rest = 1
    #expect(vector[.in00] == 1 && vector[.in01] == 0.1)
  }

  @Test(
    "vectors of 12, 20 and 26 list theirs",
    arguments: [(12, Place.in04, 1), (20, .in00, 1), (26, .out11, 25)])
  func others(count: Int, place: Place, index: Int) throws {
    let vector = try LoRAVector((0..<count).map { "\($0)" }.joined(separator: ","))
    #expect(vector[place] == Double(index))
  }

  @Test("every preset is a vector", arguments: LoRAVector.presets.map(\.name))
  func presets(name: String) throws {
    let vector = try LoRAVector(name)
    #expect(vector.text == name)
    let blocks = try #require(LoRABlocks.listed(17))
    let weights = blocks.map { vector[$0] }
    #expect(weights.allSatisfy { $0 == 0 || $0 == 1 || $0 == 0.5 })
    if ["IND", "MIDD", "OUTD", "OUTS", "OUTALL", "INS", "INALL"].contains(name) {
      #expect(vector[.clip] == 1)
    }
  }

  @Test("a block by itself and all but it are presets, in the extension's order")
  func blockPresets() throws {
    let blocks = try #require(LoRABlocks.listed(17))
    for block in blocks {
      let name = block == .m00 ? "MID" : LoRABlocks.name(block)
      let (one, rest) = (try LoRAVector(name), try LoRAVector("N" + name))
      for other in blocks {
        #expect(one[other] == (other == block ? 1 : 0))
        #expect(rest[other] == (other == block ? 0 : 1))
      }
    }
    #expect(LoRAVector.presets.count == 11 + 2 * 17)
  }

  @Test("rules have names, too") func elementPresets() throws {
    let named = try LoRAArgument("x:lbwe=ATTNDEEPOFF").strength
    #expect(named.rules == [try ElementalRule("IN05-OUT05:attn:0")])
  }

  /// What is malformed, and what is said.
  static let malformedCases: [(text: String, words: String)] = [
    ("x:lbw=OUTDD", "did you mean OUTD?"),
    ("x:lbw=1,2,3", "expected 12, 17, 20 or 26 values, found 3"),
    ("x:lbw=1,R,0,0,0,0,0,0,0,0,0,0", "random"),
    ("x:start=10", "sampling"), ("x:lwb=OUTD", "no setting lwb="),
    ("x:lbwx=OUTD", "did you mean lbw=?"),
    ("x:1:2:3", "too many strengths"), ("x:te=1:te=2", "twice"), ("x:te=a", "no number"),
    ("x:lbw=OUTD:lbw-rest=2", "0 or 1"), ("x:lbw-rest=1", "expected lbw= beside it"),
    ("x:lbw=FLUXALL", "for LoRAs of Flux"), ("<lora:x:1", "closing bracket"),
    ("x:lbwe=IN99/attn/1", "'IN99' is no block"), ("x:lbwe=IN01", "no elemental rule"),
  ]

  @Test("what is malformed is named", arguments: malformedCases.indices)
  func malformed(index: Int) {
    let (text, words) = Self.malformedCases[index]
    let found = fault { _ = try LoRAArgument(text) }
    #expect(found?.rule == .loraWeights)
    #expect(found?.sentence.contains(words) == true, "\(found?.sentence ?? "nothing")")
  }

  @Test("arguments have a path, strengths and settings") func argument() throws {
    let plain = try LoRAArgument("a/b.safetensors:0.8")
    #expect(plain.name == "a/b.safetensors" && plain.strength == LoRAStrength(0.8))
    let full = try LoRAArgument("C:x.safetensors:-0.5:te=0.25:lbw=OUTD:lbw-rest=1")
    #expect(full.name == "C:x.safetensors" && !full.isFromPrompt)
    #expect(full.strength.unet == -0.5 && full.strength.textEncoder == 0.25)
    #expect(full.strength.vector?.rest == 1)
    #expect(try LoRAArgument("x").strength == LoRAStrength(1))
  }

  @Test("what stands in prompts is taken as it is") func prompt() throws {
    let one = try LoRAArgument("<lora:style v2:1:lbw=OUTALL>")
    #expect(one.isFromPrompt && one.name == "style v2")
    #expect(one.strength.vector?[.out05] == 1 && one.strength.vector?[.in01] == 0)
    let two = try LoRAArgument("<lora:style:0.3:0.9>")
    #expect(two.strength.textEncoder == 0.3 && two.strength.unet == 0.9)
  }

  @Test("of elemental rules the last that fits counts, in the place of the block's weight")
  func elements() throws {
    var strength = LoRAStrength(2)
    strength.vector = try LoRAVector("OUTD")
    strength.rules = try [
      ElementalRule("IN00-OUT11:attn1:0.5"), ElementalRule("IN01:to_q:0.25"),
      ElementalRule("NOT IN00-OUT11:mlp:3"),
    ]
    func value(_ path: String) throws -> Double {
      strength(try #require(LoRATarget.all.first { $0.path.diffusers == path }))
    }
    let block = "down_blocks.0.attentions.0.transformer_blocks.0."
    #expect(try value(block + "attn1.to_k") == 1)
    #expect(try value(block + "attn1.to_q") == 0.5)
    #expect(try value(block + "ff.net.2") == 0)
    #expect(try value("up_blocks.1.attentions.0.proj_in") == 2)
    #expect(try value("text_model.encoder.layers.0.mlp.fc1") == 6)
  }

  @Test("presets can come from a file") func file() throws {
    let presets = LoRAVector.presets(in: "MINE: 1,0,0,0,0,0,0,0,0,0,0,0\n\nbroken\n")
    #expect(try LoRAVector("MINE", presets: presets)[.clip] == 1)
  }

  @Test("kohya's rest and squared strengths are there on request") func compatibility() throws {
    let source = try lora()
    func ratio(_ behaviours: Set<LoRACompatibility>, _ argument: String) throws -> Double {
      let strength = try LoRAArgument(argument).strength
      var request = LoRAMergeRequest([LoRAUse(try LoRAFile(source), strength)])
      request.compatibility = behaviours
      let merged = LoRAMergedSource(try LoRAMergePlan(base, request, width: 1))
      guard let name = merged.plan.changedCount > 0 ? changedName : nil else { return 0 }
      _ = try merged.bytes(of: try position(name, in: merged))
      return merged.tensorEffects().first?.changeNorm ?? 0
    }
    let whole = try ratio([], "x:1")
    #expect(whole > 0)
    #expect(abs(try ratio([], "x:0.5") / whole - 0.5) < 1e-6)
    #expect(abs(try ratio([.kohyaRatioSquared], "x:0.5") / whole - 0.25) < 1e-6)
    let sdxl = "x:lbw=1,0,0,0,0,0,0,0,0,0,0,0"
    #expect(try ratio([], sdxl) == 0)
    #expect(try ratio([.kohyaBlockRest], sdxl) == whole)
  }

  private let changedName: TensorName =
    "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"
}
