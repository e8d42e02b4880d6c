import Merge
import StableDiffusion
import Synthesis
import Tensors
import Testing

@Suite("Plans of merges")
struct ExecutionPlanTests {
  @Test("a weight of 0 or 1 copies from one model and reads nothing of the other")
  func passthrough() throws {
    let models = [try EditedModel(seed: 1), try EditedModel(seed: 2)]
    let zero = try plan(models, alpha: WeightSpecification(alpha: 0))
    #expect(zero.problems.isEmpty)
    #expect(zero.bytesToRead(from: 1) == 0)
    #expect(zero.tensors.allSatisfy { !$0.isMerged })
    let one = try plan(models, alpha: WeightSpecification(alpha: 1))
    #expect(one.bytesToRead(from: 0) == 0)
    #expect(one.bytesToRead(from: 1) == one.bytesToWrite - 77 * 8)
  }

  @Test("a model of another kind is named in one line")
  func architecture() throws {
    let lora = SyntheticModel(preset: .loraTiny, seed: 1, dtype: .f16)
    let problems = try plan([try EditedModel(seed: 1), lora]).problems
    #expect(problems.count == 1)
    #expect(
      problems[0].sentence == "cannot be merged: expected a Stable Diffusion 1.x model, found LoRA")
  }

  @Test("other shapes are reported with both shapes, a few of them, and how many more there are")
  func shapes() throws {
    let a = try EditedModel(seed: 1, path: "a")
    var b = try EditedModel(seed: 2, path: "b")
    try b.set(outputBias, .f16, [5], halves([0, 0, 0, 0, 0]))
    let problems = try plan([a, b]).problems
    #expect(
      problems.map(\.description) == [
        "b: '\(outputBias)' has another shape than in a: expected [4], found [5] [MX002]"
      ])
  }

  @Test("a tensor that one model lacks is kept from the other, or refused")
  func missing() throws {
    let a = try EditedModel(seed: 1, path: "a")
    var b = try EditedModel(seed: 2, path: "b")
    b.remove(outputBias)
    let kept = try plan([a, b])
    #expect(kept.problems.isEmpty)
    let tensor = try #require(kept.tensors.first { $0.info.name == outputBias })
    #expect(tensor.holders == [0] && !tensor.isMerged)
    let added = try plan([b, a])
    #expect(added.tensors.contains { $0.info.name == outputBias && $0.holders == [1] })
    let refused = try plan([a, b]) { $0.missing = .error }
    #expect(
      refused.problems.map(\.description) == [
        "b: '\(outputBias)' is missing; --missing keep takes it from the first model that has it "
          + "[MX003]"
      ])
  }

  @Test(
    "unknown tensors are kept, dropped, merged or refused",
    arguments: MergePolicies.Unknown.allCases)
  func unknown(policy: MergePolicies.Unknown) throws {
    var models = [try EditedModel(seed: 1), try EditedModel(seed: 2)]
    try models[0].set("my.own", .f16, [2], halves([1, 2]))
    try models[1].set("my.own", .f16, [2], halves([3, 4]))
    let plan = try plan(models) { $0.unknown = policy }
    let tensor = plan.tensors.first { $0.info.name == "my.own" }
    switch policy {
    case .keep: #expect(tensor?.isMerged == false)
    case .merge: #expect(tensor?.isMerged == true)
    case .drop:
      #expect(tensor == nil)
      #expect(plan.dropped.map(\.input) == [0, 1])
    case .error: #expect(plan.problems.map(\.rule) == [.mergeUnknown])
    }
  }

  @Test("the type of the result is the first model's, or what is asked for by component")
  func types() throws {
    let models = [try EditedModel(seed: 1), try EditedModel(seed: 2, dtype: .f32)]
    let kept = try plan(models)
    #expect(Set(kept.tensors.map(\.info.dtype)) == [.f16, .i64])
    let chosen = try plan(models, types: ["bf16,vae=f32"])
    for tensor in chosen.tensors {
      switch tensor.purpose {
      case .parameter(.vae): #expect(tensor.info.dtype == .f32)
      case .positions: #expect(tensor.info.dtype == .i64)
      default: #expect(tensor.info.dtype == .bf16)
      }
    }
    #expect(throws: Fault.self) { try TypePolicy(["f17"]) }
    #expect(throws: Fault.self) { try TypePolicy(["lora=f16"]) }
  }

  @Test("a method gets the number of models that its formula has")
  func inputCount() throws {
    let model = try EditedModel(seed: 1)
    #expect(try plan([model], method: "weighted-sum").problems.map(\.rule) == [.mergeInputCount])
  }

  @Test("a tensor of integers cannot be merged")
  func integers() throws {
    let a = try EditedModel(seed: 1)
    var b = try EditedModel(seed: 2)
    try b.set(outputBias, .i32, [4], [UInt8](repeating: 0, count: 16))
    #expect(try plan([a, b]).problems.map(\.rule) == [.mergeType])
  }
}
