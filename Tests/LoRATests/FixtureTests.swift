import Checkpoint
import LoRA
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

/// LoRAs of every kind and spelling, with the weights that LyCORIS, PEFT and the formulas give:
/// see fixtures/lora/make.py.
@Suite("LoRAs of other programs")
struct FixtureTests {
  /// Name and file of each.
  static let cases: [(name: String, file: String)] = {
    let text = String(decoding: contents(of: Fixtures.path("lora/index.tsv")), as: UTF8.self)
    return text.split(separator: "\n").dropFirst().map { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      return (String(fields[0]), String(fields[1]))
    }
  }()

  /// Expected weights: by strength, then by name.
  private func expected(_ name: String) throws -> [Double: [TensorName: [Float]]] {
    let source = try openModel(path: Fixtures.path("lora/\(name).expected.safetensors"))
    var all: [Double: [TensorName: [Float]]] = [:]
    for (index, tensor) in source.tensors.enumerated() {
      let parts = tensor.name.string.split(separator: "/", maxSplits: 1)
      let strength = try #require(Double(parts[0]))
      all[strength, default: [:]][TensorName(String(parts[1]))] = try values(source, index)
    }
    return all
  }

  private func merged(
    _ file: LoRAFile, _ strength: Double, type: DType? = nil
  ) throws -> LoRAMergedSource {
    var request = LoRAMergeRequest([LoRAUse(file, LoRAStrength(strength))])
    for component in Component.allCases { request.types[component] = type }
    let plan = try LoRAMergePlan(base, request, width: 2)
    #expect(plan.problems.isEmpty)
    return LoRAMergedSource(plan)
  }

  @Test("there are fixtures of every kind") func count() {
    #expect(Self.cases.count >= 50)
  }

  @Test(
    "merged weights are those of the reference, within 1e-5 of the change",
    arguments: cases.indices)
  func singles(index: Int) throws {
    let (name, path) = Self.cases[index]
    let file = try LoRAFile(path: Fixtures.path("lora/\(path)"))
    let expected = try expected(name)
    #expect(!expected.isEmpty)
    for (strength, weights) in expected {
      let merged = try merged(file, strength)
      var changed = 0
      for (position, tensor) in merged.tensors.enumerated() {
        guard let wanted = weights[tensor.name] else {
          // Nothing else changes, in any byte.
          #expect(try merged.bytes(of: position) == base.bytes(of: position), "\(tensor.name)")
          continue
        }
        changed += 1
        let before = try values(base, position), after = try values(merged, position)
        var error = 0.0, change = 0.0
        for value in before.indices {
          let difference = Double(after[value]) - Double(wanted[value])
          let step = Double(wanted[value]) - Double(before[value])
          error += difference * difference
          change += step * step
        }
        #expect(error.squareRoot() <= 1e-5 * change.squareRoot(), "\(name) \(tensor.name)")
      }
      #expect(changed == weights.count)
    }
  }

  @Test("halves are at most one step away", arguments: cases.indices, [DType.f16, .bf16])
  func halves(index: Int, type: DType) throws {
    let (name, path) = Self.cases[index]
    let file = try LoRAFile(path: Fixtures.path("lora/\(path)"))
    let merged = try merged(file, 0.6, type: type)
    let rounding = try #require(Conversion(from: .f32, to: type))
    for (tensor, wanted) in try expected(name)[0.6] ?? [:] {
      let position = try position(tensor, in: merged)
      #expect(merged.tensors[position].dtype == type)
      let bytes = try merged.bytes(of: position)
      var rounded = [UInt8](repeating: 0, count: wanted.count * 2)
      var span = rounded.mutableSpan
      var output = unsafe span.mutableBytes
      unsafe rounding.convert(wanted.span.bytes, into: &output)
      var worst = 0
      for value in wanted.indices {
        worst = max(worst, abs(Self.order(bytes, value) - Self.order(rounded, value)))
      }
      #expect(worst <= 1, "\(name) \(tensor)")
    }
  }

  /// The place of a half among all halves.
  private static func order(_ bytes: [UInt8], _ index: Int) -> Int {
    let bits = Int(bytes[index * 2]) | Int(bytes[index * 2 + 1]) << 8
    return bits & 0x8000 == 0 ? bits : -(bits & 0x7FFF)
  }

  @Test("at strength 0 everything is the base, also of a DoRA", arguments: cases.indices)
  func zero(index: Int) throws {
    let file = try LoRAFile(path: Fixtures.path("lora/\(Self.cases[index].file)"))
    let merged = try merged(file, 0)
    #expect(merged.plan.changedCount == 0)
    let position = try position(
      "model.diffusion_model.input_blocks.1.1.proj_in.weight", in: merged)
    #expect(try merged.bytes(of: position) == base.bytes(of: position))
  }

  @Test("the web UI's DoRA takes norms of inputs and multiplies by magnitudes of outputs")
  func webUI() throws {
    let file = try LoRAFile(path: Fixtures.path("lora/dora_out.safetensors"))
    var request = LoRAMergeRequest([LoRAUse(file, LoRAStrength(0.5))])
    request.compatibility = [.a1111DoRAIn]
    for component in Component.allCases { request.types[component] = .f32 }
    let merged = LoRAMergedSource(try LoRAMergePlan(base, request, width: 2))
    var count = 0
    for module in file.modules {
      guard case .lowRank(let up, let down, nil) = module.adapter, down.shape.count == 2,
        let magnitude = module.magnitude, magnitude.axis == .output,
        let tensor = module.target.weightTensor(in: merged.plan.identity)
      else { continue }
      count += 1
      let (rows, columns, rank) = (up.rows, down.columns, down.rows)
      let (a, b) = (try file.values(of: up), try file.values(of: down))
      let sizes = try file.values(of: magnitude.factor)
      let weight = try values(base, tensor)
      var v = weight.map { Double($0) }
      for row in 0..<rows {
        for column in 0..<columns {
          for k in 0..<rank {
            v[row * columns + column] +=
              module.scale.value * Double(a[row * rank + k]) * Double(b[k * columns + column])
          }
        }
      }
      let result = try values(merged, tensor)
      for column in 0..<columns {
        let norm = (0..<rows).reduce(0.0) {
          $0 + v[$1 * columns + column] * v[$1 * columns + column]
        }
        .squareRoot()
        for row in 0..<rows {
          let (own, index) = (Double(weight[row * columns + column]), row * columns + column)
          let wanted = own + 0.5 * (Double(sizes[row]) * v[index] / norm - own)
          #expect(abs(Double(result[index]) - wanted) <= 1e-5 * max(1, abs(wanted)))
        }
      }
    }
    #expect(count > 0)
  }

  @Test("every tensor of a LoRA is accounted for", arguments: cases.indices)
  func ledger(index: Int) throws {
    let file = try LoRAFile(path: Fixtures.path("lora/\(Self.cases[index].file)"))
    #expect(file.ledger.count == file.source.tensors.count)
    #expect(!file.ledger.contains { $0.word == "unmatched" })
    for (tensor, entry) in file.ledger.enumerated() {
      if case .applied(let module) = entry {
        #expect(file.modules[module].tensors.contains(tensor))
      }
    }
  }

  @Test("dead projections are ignored and embeddings preserved, with reasons") func reasons() throws
  {
    let four = try LoRAFile(path: Fixtures.path("lora/diffusers_four_pairs.safetensors"))
    #expect(four.ledger.contains { $0.word == "ignored" })
    #expect(four.findings.contains { $0.rule == .loraIgnored })
    let bundle = try LoRAFile(path: Fixtures.path("lora/onetrainer_bundle.safetensors"))
    #expect(bundle.ledger.contains { $0.word == "preserved" })
  }

  @Test("the strength that was used is found again", arguments: ["lora", "loha", "dora_out"])
  func verification(name: String) throws {
    let file = try LoRAFile(path: Fixtures.path("lora/\(name).safetensors"))
    let found = try LoRAVerification(
      base: base, lora: file, result: try merged(file, 0.36), width: 2)
    #expect(abs(try #require(found.whole.strength) - 0.36) < 1e-4)
    #expect(found.whole.residual < 1e-2)
    #expect(found.otherDifferences.isEmpty && found.missing.isEmpty)
  }

  @Test("several LoRAs are added before anything is rounded") func sum() throws {
    let files = try ["lora", "loha"].map {
      try LoRAFile(path: Fixtures.path("lora/\($0).safetensors"))
    }
    let request = LoRAMergeRequest([
      LoRAUse(files[0], LoRAStrength(0.6)), LoRAUse(files[1], LoRAStrength(-0.5)),
    ])
    let merged = LoRAMergedSource(try LoRAMergePlan(base, request, width: 2))
    let name: TensorName = "model.diffusion_model.input_blocks.1.1.proj_in.weight"
    let one = try #require(try expected("lora")[0.6]?[name])
    let other = try #require(try expected("loha")[-0.5]?[name])
    let index = try position(name, in: merged)
    let before = try values(base, index), after = try values(merged, index)
    for value in before.indices {
      let wanted = Double(one[value]) + Double(other[value]) - Double(before[value])
      #expect(abs(Double(after[value]) - wanted) < 2e-7)
    }
  }
}
