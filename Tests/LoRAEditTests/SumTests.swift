import LinearAlgebra
import LoRA
import LoRAEdit
import Tensors
import TestSupport
import Testing

@Suite("Sums of LoRAs")
struct SumTests {
  private let folder = TemporaryFolder()

  private func written(
    _ sum: LoRASum, _ target: RankTarget, dtype: DType = .f32, dialect: LoRADialect = .kohya,
    width: Int = 2
  ) throws -> (EditedLoRA, LoRAFile) {
    let result = try sum.made(target, dtype: dtype, dialect: dialect, width: width)
    let path = folder.path("sum.safetensors")
    try result.output.write(to: path, replacing: true)
    return (result, try LoRAFile(path: path))
  }

  private var terms: [LoRASum.Term] {
    get throws {
      [
        LoRASum.Term(try fixture("lora.safetensors"), 0.7),
        LoRASum.Term(try fixture("lora_rank8.safetensors"), -0.4),
        LoRASum.Term(try fixture("loha.safetensors"), 0.5, textEncoder: 0.25),
        LoRASum.Term(try fixture("lokr_tucker.safetensors"), 1.5),
        LoRASum.Term(try fixture("locon_tucker.safetensors"), -1),
        LoRASum.Term(try fixture("peft_alpha.safetensors"), 2),
      ]
    }
  }

  private func expected(_ terms: [LoRASum.Term]) throws -> [TensorName: [Double]] {
    var sums: [TensorName: [Double]] = [:]
    for term in terms {
      for (name, change) in try changes(term.file) {
        let strength = name.hasPrefix("lora_te") ? term.textEncoder : term.unet
        var sum = sums[name] ?? Array(repeating: 0, count: change.count)
        for index in sum.indices { sum[index] += strength * change[index] }
        sums[name] = sum
      }
    }
    return sums
  }

  @Test("LoRAs of other ranks, kinds and spellings add up exactly", arguments: LoRADialect.allCases)
  func exact(dialect: LoRADialect) throws {
    let terms = try terms
    let (result, file) = try written(LoRASum(terms), .exact, dialect: dialect)
    let found = try changes(file)
    for (name, change) in try expected(terms) {
      #expect(distance(try #require(found[name]), change) < 3e-6 * norm(change), "\(name)")
    }
    #expect(found.count == result.modules.count)
    #expect(result.error == 0)
  }

  @Test("a strength of 0 is as if the LoRA were not there")
  func zero() throws {
    let lora = LoRASum.Term(try fixture("lora.safetensors"), 0.7)
    let alone = try LoRASum([lora]).made(.exact, dtype: .f32, width: 1)
    let other = LoRASum.Term(try fixture("full.safetensors"), 0)
    let both = try LoRASum([lora, other]).made(.exact, dtype: .f32, width: 1)
    #expect(both.output.dataSHA256 == alone.output.dataSHA256)
  }

  @Test("a LoRA and its negative leave nothing")
  func nothing() throws {
    let file = try fixture("lora.safetensors")
    let sum = try LoRASum([LoRASum.Term(file, 0)])
    #expect(throws: Fault.self) { try sum.made(.exact, dtype: .f32, width: 1) }
  }

  @Test("the error that is reported is the distance, and the least for the rank", arguments: 1...7)
  func truncated(rank: Int) throws {
    let algebra = try LinearAlgebra.load()
    let file = try fixture("lora_rank8.safetensors")
    let sum = try LoRASum([LoRASum.Term(file, 1)])
    let (result, smaller) = try written(sum, .rank(rank, kernels: nil))
    let (before, after) = (try changes(file), try changes(smaller))
    for module in result.modules {
      let name = TensorName(module.target.target.kohyaName)
      let change = try #require(before[name])
      let error = distance(try #require(after[name]), change) / norm(change)
      #expect(abs(error - module.error) < 1e-5)
      #expect(module.rank == rank)
      // Eckart and Young: what the other singular values hold.
      let (rows, columns) = (
        module.target.weightShape[0], module.target.weightShape.dropFirst().reduce(1, *)
      )
      let svd = try algebra.singularValues(
        of: Matrix<Double>(rows: rows, columns: columns, values: change))
      let least = svd.s.dropFirst(rank).reduce(0) { $0 + $1 * $1 }.squareRoot() / norm(change)
      #expect(abs(error - least) < 1e-5)
    }
  }

  @Test("energy and error choose the lowest rank that reaches them")
  func targets() throws {
    let sum = try LoRASum([LoRASum.Term(try fixture("lora_rank8.safetensors"), 1)])
    for target in [RankTarget.energy(0.9), .error(0.316)] {
      let result = try sum.made(target, dtype: .f32, width: 1)
      for module in result.modules {
        #expect(module.error * module.error <= 0.1001)
        let less = try sum.made(.rank(max(1, module.rank - 1), kernels: nil), dtype: .f32, width: 1)
        let same = try #require(less.modules.first { $0.target == module.target })
        #expect(same.error * same.error > 0.0998 || module.rank == 1)
      }
    }
    let all = try sum.made(.energy(1), dtype: .f32, width: 1)
    #expect(all.modules.allSatisfy { $0.rank == 8 })
  }

  @Test("a size is kept, and more of it gives less error", arguments: [9_000, 12_000, 16_000])
  func size(bytes: Int) throws {
    let sum = try LoRASum(try terms)
    let result = try sum.made(.size(bytes), dtype: .f16, width: 2)
    #expect(result.output.byteCount <= bytes)
    let more = try sum.made(.size(bytes * 2), dtype: .f16, width: 2)
    #expect(more.error < result.error)
    #expect(throws: Fault.self) { try sum.made(.size(100), dtype: .f16, width: 2) }
  }

  @Test("the same bytes from any number of threads")
  func threads() throws {
    for target in [RankTarget.exact, .rank(3, kernels: 2), .size(12_000)] {
      let sum = try LoRASum(try terms)
      let one = try sum.made(target, dtype: .f16, width: 1)
      let many = try sum.made(target, dtype: .f16, width: 7)
      #expect(one.output.sha256 == many.output.sha256)
    }
  }

  @Test("norms and biases are added as vectors")
  func vectors() throws {
    let norm = try fixture("norm.safetensors")
    let full = try fixture("full.safetensors")
    let terms = [LoRASum.Term(norm, 0.5), LoRASum.Term(norm, 0.25), LoRASum.Term(full, 2)]
    let (_, file) = try written(LoRASum(terms), .exact)
    let name = "lora_unet_mid_block_attentions_0_norm.w_norm"
    let before = try singles(norm.source, try #require(norm.source.indexByName()[TensorName(name)]))
    let after = try singles(file.source, try #require(file.source.indexByName()[TensorName(name)]))
    for (a, b) in zip(before, after) { #expect(abs(0.75 * a - b) < 1e-7) }
    let bias: TensorName = "lora_unet_conv_out.diff_b"
    let old = try singles(full.source, try #require(full.source.indexByName()[bias]))
    let new = try singles(file.source, try #require(file.source.indexByName()[bias]))
    for (a, b) in zip(old, new) { #expect(abs(2 * a - b) < 1e-7) }
  }

  @Test("DoRA, which depends on the weight, is refused")
  func dora() throws {
    let term = LoRASum.Term(try fixture("dora_out.safetensors"), 1)
    let fault = #expect(throws: Fault.self) { try LoRASum([term]) }
    #expect(fault?.rule == .loraNotLowRank)
  }

  @Test("a type that cannot hold the factors is refused")
  func overflow() throws {
    let sum = try LoRASum([LoRASum.Term(try fixture("lora.safetensors"), 1e15)])
    let fault = #expect(throws: Fault.self) {
      try sum.made(.exact, dtype: .f16, dialect: .diffusers, width: 1)
    }
    #expect(fault?.rule == .loraEditOverflow)
    for dtype in [DType.f16, .bf16] {
      #expect(try sum.made(.exact, dtype: dtype, width: 1).error < 0.01)
    }
  }

  @Test("a strength beyond single precision is blamed, not the file")
  func hugeStrength() throws {
    let fault = #expect(throws: Fault.self) {
      try LoRASum([LoRASum.Term(try fixture("lora.safetensors"), 1e39)])
    }
    #expect(fault?.rule == .loraWeights)
    #expect(fault?.found == "1e+39")
  }

  @Test(
    "half precision keeps a LoRA of any strength, and the error is that of the stored values",
    arguments: [1e-20, 1e-9, 1e-5, 0.3, 1e7], LoRADialect.allCases)
  func weak(strength: Double, dialect: LoRADialect) throws {
    let before = try fixture("lora.safetensors")
    let terms = [LoRASum.Term(before, strength)]
    // Without α a change below the least half-precision number can only be told, not kept.
    if dialect == .diffusers, strength < 1e-9 { return }
    let (result, file) = try written(LoRASum(terms), .exact, dtype: .f16, dialect: dialect)
    let found = try changes(file)
    let wanted = try expected(terms)
    var (lost, energy) = (0.0, 0.0)
    for module in result.modules {
      let name = TensorName(module.target.target.kohyaName)
      let change = try #require(wanted[name])
      let error = distance(try #require(found[name]), change) / norm(change)
      #expect(abs(error - module.error) < 0.01 * error, "\(name)")
      if dialect.rawValue != "diffusers" || strength > 1e-6 { #expect(error < 1e-3, "\(name)") }
      lost += error * error * norm(change) * norm(change)
      energy += norm(change) * norm(change)
    }
    #expect(result.error > 0)
    #expect(abs((lost / energy).squareRoot() - result.error) < 0.01 * result.error)
  }

  @Test("weights of blocks count as in a merge")
  func blockWeights() throws {
    let file = try fixture("lora.safetensors")
    var strength = LoRAStrength(0.5)
    strength.vector = try LoRAVector("OUTALL")
    let result = try LoRASum([LoRASum.Term(file, strength)]).made(.exact, dtype: .f32, width: 1)
    let kept = Set(result.modules.filter { $0.rank > 0 }.map(\.target.target))
    #expect(kept == Set(file.modules.map(\.target).filter { strength($0) != 0 }))
    #expect(kept.count < file.modules.count)
  }

  @Test(
    "targets that make no sense are refused",
    arguments: [
      RankTarget.rank(0, kernels: nil), .rank(4, kernels: -1), .energy(0), .energy(1.5),
      .energy(.nan), .error(1), .error(-0.1), .size(0),
    ])
  func badTargets(target: RankTarget) throws {
    let fault = #expect(throws: Fault.self) { try target.check() }
    #expect(fault?.rule == .loraRankTarget)
  }
}
