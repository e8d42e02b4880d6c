import LoRA
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

@Suite("Merging while reading")
struct StreamingTests {
  private func merged() throws -> LoRAMergedSource {
    let model = SyntheticModel(preset: .sd15Tiny, seed: 3, dtype: .f16)
    let lora = try LoRAFile(SyntheticModel(preset: .loraTiny, seed: 4, dtype: .f16))
    let plan = try LoRAMergePlan(
      model, LoRAMergeRequest([LoRAUse(lora, LoRAStrength(0.8))]), width: 2)
    #expect(plan.problems.isEmpty)
    return LoRAMergedSource(plan)
  }

  @Test("windows of any size, in any order, give the same bytes", arguments: [1, 7, 4096])
  func windows(size: Int) throws {
    let source = try merged()
    let effects = try merged()
    for index in source.tensors.indices.prefix(300) where source.extent(of: index) == nil {
      let whole = try effects.bytes(of: index)
      guard whole.count <= 1 << 14 else { continue }
      var pieces = [UInt8](repeating: 0, count: whole.count)
      for offset in stride(from: 0, to: whole.count, by: size).reversed() {
        let count = min(size, whole.count - offset)
        var part = [UInt8](repeating: 0, count: count)
        var span = part.mutableSpan
        var bytes = unsafe span.mutableBytes
        try source.read(index, at: offset, into: &bytes)
        pieces.replaceSubrange(offset..<offset + count, with: part)
      }
      #expect(pieces == whole)
    }
  }

  @Test("any number of threads gives the same bytes and the same account") func threads() throws {
    func run(_ width: Int) throws -> (bytes: [[UInt8]], norms: [Double], kept: [Double]) {
      let source = try merged()
      let results = Results(repeating: [UInt8](), count: source.tensors.count)
      try forEachIndex(below: source.tensors.count, width: width) { (index) throws(Fault) in
        results[index] = try source.bytes(of: index)
      }
      let effects = source.tensorEffects()
      return (results.values, effects.map(\.changeNorm), effects.map(\.survivingShare))
    }
    let one = try run(1), four = try run(4)
    #expect(one.bytes == four.bytes)
    #expect(one.norms == four.norms && one.kept == four.kept)
    #expect(one.norms.count == 264 && one.norms.allSatisfy { $0 > 0 })
    #expect(one.kept.allSatisfy { $0 > 0.5 && $0 <= 1 })
  }

  @Test("what no LoRA changes passes through") func untouched() throws {
    let source = try merged()
    let index = try position("first_stage_model.quant_conv.weight", in: source)
    #expect(try source.bytes(of: index) == source.plan.base.bytes(of: index))
    #expect(source.tensors.map(\.name) == source.plan.base.tensors.map(\.name))
    #expect(source.tensors.map(\.dtype) == source.plan.base.tensors.map(\.dtype))
  }

  @Test(
    "the product is the same on every path, and right",
    arguments: [(1, 1, 1), (7, 3, 65), (13, 130, 64), (6, 32, 200)])
  func product(rows: Int, rank: Int, columns: Int) {
    func numbers(_ count: Int, _ seed: Int) -> [Float] {
      (0..<count).map { Float(($0 &* 7919 &+ seed) % 1009) / 509 - 1 }
    }
    let left = numbers(rows * rank, 1), right = numbers(rank * columns, 2)
    let matrix = ThinMatrix(rank: rank, columns: columns, right)
    var results: [[Float]] = []
    for path in KernelPath.available {
      var output = numbers(rows * columns, 3)
      var span = output.mutableSpan
      matrix.addProduct(of: left.span, into: &span, path: path)
      results.append(output)
    }
    #expect(results.allSatisfy { $0 == results[0] })
    let start = numbers(rows * columns, 3)
    for row in 0..<rows {
      for column in 0..<columns {
        var sum = Double(start[row * columns + column])
        for k in 0..<rank {
          let a = Double(left[row * rank + k]), b = Double(right[k * columns + column])
          sum += a * b
        }
        let error = Double(results[0][row * columns + column]) - sum
        #expect(abs(error) < 1e-4)
      }
    }
  }

  @Test("sums of effects are the same on every path") func effects() {
    let base: [Float] = (0..<1003).map { Float($0) / 100 }
    let change: [Float] = (0..<1003).map { Float($0 % 17) / 1000 - 0.008 }
    let result: [Float] = (0..<1003).map { $0 % 3 == 0 ? base[$0] : base[$0] + change[$0] }
    var all: [ChangeEffect] = []
    for path in KernelPath.available {
      var effect = ChangeEffect()
      effect.add(base.span, change.span, result.span, path: path)
      all.append(effect)
    }
    #expect(all.allSatisfy { $0 == all[0] })
    let moved = base.indices.count { base[$0] != result[$0] }
    #expect(all[0].movedCount == moved)
    let sum = change.reduce(0.0) { (sum: Double, value: Float) in sum + Double(value.magnitude) }
    #expect(abs(all[0].changeSum - sum) < 1e-9 && all[0].keptSum < sum)
  }
}
