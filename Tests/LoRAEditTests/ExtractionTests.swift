import LinearAlgebra
import LoRA
import LoRAEdit
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

/// A LoRA of the whole network that is larger than 1 MiB.
func largeLoRA() -> SyntheticModel { SyntheticModel(preset: .lora, seed: 1, dtype: .f16) }

@Suite("LoRAs out of two models")
struct ExtractionTests {
  private let folder = TemporaryFolder()
  private static let base = SyntheticModel(preset: .sd15Tiny, seed: 7, dtype: .f32)

  /// Nearly normal numbers.
  private func random(_ count: Int, _ seed: UInt64) -> [Float] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    var values: [Float] = []
    for _ in 0..<count {
      var sum: Float = 0
      for _ in 0..<4 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        sum += Float(state >> 40) / Float(1 << 24) - 0.5
      }
      values.append(sum)
    }
    return values
  }

  /// The base with every `step`-th weight changed by a matrix of a rank, and noise.
  private func tuned(rank: Int, noise: Float, step: Int = 7) throws -> (AlteredModel, [LoRATarget])
  {
    let algebra = try LinearAlgebra.load()
    let base = Self.base
    let identity = ModelIdentity(base.tensors)
    var model = AlteredModel(original: base)
    var changed: [LoRATarget] = []
    for (number, target) in LoRATarget.all.enumerated() where number % step == 0 {
      guard let index = target.weightTensor(in: identity), target.operation.role != .embedding,
        base.tensors[index].shape.count >= 2
      else { continue }
      let shape = base.tensors[index].shape
      let (rows, columns) = (shape[0], shape.dropFirst().reduce(1, *))
      let seed = UInt64(number)
      var change = try algebra.product(
        Matrix(rows: rows, columns: rank, values: random(rows * rank, seed)),
        Matrix(rows: rank, columns: columns, values: random(rank * columns, seed + 1000)))
      let extra = random(rows * columns, seed + 2000)
      let weight = try singles(base, index)
      for position in change.values.indices {
        change.values[position] =
          weight[position] + 0.05 * change.values[position] + noise * extra[position]
      }
      model.replaced[index] = change.values
      changed.append(target)
    }
    return (model, changed)
  }

  @Test("a difference of low rank is found again, and unchanged modules are left out")
  func lowRank() throws {
    let (model, changed) = try tuned(rank: 3, noise: 0)
    let extraction = try LoRAExtraction(tuned: model, base: Self.base)
    var settings = ExtractionSettings()
    settings.target = .rank(4, kernels: nil)
    settings.dtype = .f32
    let result = try extraction.made(settings, width: 2)
    let written = result.modules.filter { $0.rank > 0 }
    #expect(Set(written.map(\.target.target)) == Set(changed))
    #expect(result.error < 1e-5)
    #expect(result.modules.filter { $0.omission == .unchanged }.count > changed.count)
    settings.target = .error(0.001)
    let chosen = try extraction.made(settings, width: 2)
    for module in chosen.modules where module.rank > 0 {
      #expect(module.rank <= 3)
      #expect(module.error <= 0.0011)
    }
  }

  @Test("the error of a rank is nearly the least, with all singular values exactly so")
  func residual() throws {
    let algebra = try LinearAlgebra.load()
    let (model, _) = try tuned(rank: 12, noise: 0.02)
    let extraction = try LoRAExtraction(tuned: model, base: Self.base)
    let identity = ModelIdentity(Self.base.tensors)
    for isExact in [false, true] {
      var settings = ExtractionSettings()
      settings.target = .rank(5, kernels: nil)
      settings.isExact = isExact
      settings.dtype = .f32
      let result = try extraction.made(settings, width: 2)
      for module in result.modules where module.rank > 0 {
        let index = try #require(module.target.target.weightTensor(in: identity))
        let (a, b) = (try singles(model, index), try singles(Self.base, index))
        let shape = Self.base.tensors[index].shape
        let matrix = Matrix<Double>(
          rows: shape[0], columns: shape.dropFirst().reduce(1, *),
          values: zip(a, b).map { Double($0) - Double($1) })
        let energies = try algebra.singularValues(of: matrix).s.map { $0 * $0 }
        let total = energies.reduce(0, +)
        let least = energies.dropFirst(module.rank).reduce(0, +)
        #expect(abs(module.energy - total) < 1e-6 * total)
        #expect(module.lost >= least - 1e-6 * total)
        #expect(module.lost <= least * (isExact ? 1.0001 : 1.002) + 1e-8 * total)
        #expect(abs(module.optimum - least) <= 0.003 * least + 1e-6 * total)
      }
    }
  }

  @Test("the same bytes from any number of threads; another seed gives others")
  func threads() throws {
    let (model, _) = try tuned(rank: 12, noise: 0.02)
    let extraction = try LoRAExtraction(tuned: model, base: Self.base)
    var settings = ExtractionSettings()
    settings.target = .rank(3, kernels: 2)
    let one = try extraction.made(settings, width: 1)
    #expect(try extraction.made(settings, width: 5).output.sha256 == one.output.sha256)
    settings.seed = 1
    let other = try extraction.made(settings, width: 2)
    #expect(other.output.sha256 != one.output.sha256)
    #expect(abs(other.error - one.error) < 1e-3 * one.error)
  }

  @Test("small changes of the text encoder are below the gate, module by module")
  func gate() throws {
    let identity = ModelIdentity(Self.base.tensors)
    var model = AlteredModel(original: Self.base)
    let targets = LoRATarget.all.filter {
      $0.component == .textEncoder && $0.path.ldm.hasSuffix("q_proj")
    }
    for (number, target) in targets.enumerated() {
      let index = try #require(target.weightTensor(in: identity))
      let factor: Float = number == 0 ? 1.1 : 1.0001
      model.replaced[index] = try singles(Self.base, index).map { $0 * factor }
    }
    let extraction = try LoRAExtraction(tuned: model, base: Self.base)
    var settings = ExtractionSettings()
    settings.target = .rank(2, kernels: nil)
    let result = try extraction.made(settings, width: 2)
    #expect(result.modules.count { $0.rank > 0 } == 1)
    #expect(result.modules.count { $0.omission == .belowGate } == targets.count - 1)
    settings.gate.textEncoder = 0
    #expect(try extraction.made(settings, width: 2).modules.count { $0.rank > 0 } == targets.count)
  }

  @Test("models that are the same, other models and sizes are refused")
  func refused() throws {
    let extraction = try LoRAExtraction(tuned: Self.base, base: Self.base)
    let same = #expect(throws: Fault.self) {
      try extraction.made(ExtractionSettings(), width: 2)
    }
    #expect(same?.rule == .loraNoDifference)
    let other = #expect(throws: Fault.self) {
      try LoRAExtraction(tuned: largeLoRA(), base: Self.base)
    }
    #expect(other?.rule == .loraDifferentModels)
    var settings = ExtractionSettings()
    settings.target = .size(1000)
    #expect(throws: Fault.self) { try extraction.made(settings, width: 1) }
  }

  @Test("a weight that holds NaN is refused by name")
  func notFinite() throws {
    let (model, changed) = try tuned(rank: 1, noise: 0, step: 40)
    var broken = model
    let identity = ModelIdentity(Self.base.tensors)
    let index = try #require(changed[0].weightTensor(in: identity))
    broken.replaced[index]?[3] = .nan
    let extraction = try LoRAExtraction(tuned: broken, base: Self.base)
    let fault = #expect(throws: Fault.self) {
      try extraction.made(ExtractionSettings(), width: 2)
    }
    #expect(fault?.rule == .loraNonFinite)
    #expect(fault?.tensor == Self.base.tensors[index].name)
  }
}
