import LinearAlgebra
import LoRA
import StableDiffusion
public import Tensors

/// A LoRA that was made from two models, and how well it stands for their difference.
public struct ExtractedLoRA: Sendable {
  /// Every module that both models have, in the order of the network.
  public let modules: [ExtractedModule]
  /// The file.
  public let output: LoRAOutput

  /// ‖ΔW − ΔW'‖ / ‖ΔW‖ over the modules that are written.
  public var error: Double { ratio(of: \.lost) }
  /// The least error that any LoRA of the same ranks has, as far as it is known.
  public var optimalError: Double { ratio(of: \.optimum) }

  private func ratio(of part: KeyPath<ExtractedModule, Double>) -> Double {
    let written = modules.filter { $0.rank > 0 }
    let energy = written.reduce(0) { $0 + $1.energy }
    return energy > 0 ? (written.reduce(0) { $0 + $1[keyPath: part] } / energy).squareRoot() : 0
  }
}

/// What an extraction may choose.
public struct ExtractionSettings: Sendable {
  /// How much of each change is kept; ``RankTarget/size(_:)`` is for LoRAs only.
  public var target: RankTarget = .rank(32, kernels: nil)
  /// The type of the factors.
  public var dtype: DType = .f16
  /// The spelling.
  public var dialect: LoRADialect = .kohya
  /// What a module must differ by.
  public var gate = LoRAExtraction.Gate()
  /// The highest rank of any module.
  public var maximumRank: Int?
  /// Whether all singular values are computed, which takes several times longer.
  public var isExact = false
  /// What random numbers follow from.
  public var seed: UInt64 = 0

  /// Rank 32 in half precision.
  public init() {}
}

extension LoRAExtraction {
  /// Computes the LoRA.
  ///
  /// - Parameters:
  ///   - settings: how much is kept, and how it is written.
  ///   - width: the number of threads; the result is the same for every number.
  ///   - progress: called with the number of values compared since the last call, from any thread.
  /// - Returns: the LoRA, and what became of each module.
  /// - Throws: what reading and factoring throw; ``Rule/loraNoDifference`` if nothing is left.
  public func made(
    _ settings: ExtractionSettings, width: Int, progress: @Sendable (Int) -> Void = { _ in }
  ) throws(Fault) -> ExtractedLoRA {
    try settings.target.check()
    if case .size = settings.target {
      throw Fault(
        .loraRankTarget, "a size is for lora-resize", expected: "a rank, an energy or an error",
        hint: "extract with a high rank, then resize to a size")
    }
    let algebra = try LinearAlgebra.load()
    let approximator = Approximator(
      algebra: algebra, target: settings.target, isExact: settings.isExact,
      maximumRank: settings.maximumRank)
    let results = Results(repeating: ExtractedModule?.none, count: members.count)
    // Large ones first, so that threads end together.
    let order = members.indices.sorted {
      (base.tensors[members[$1].base].elementCount, $0)
        < (base.tensors[members[$0].base].elementCount, $1)
    }
    try forEachIndex(below: order.count, width: width) { position throws(Fault) in
      let index = order[position]
      results[index] = try extracted(members[index], settings, approximator)
      progress(base.tensors[members[index].base].elementCount)
    }
    let modules = results.values.compactMap { $0 }
    guard modules.contains(where: { $0.rank > 0 }) else {
      throw Fault(
        .loraNoDifference, "has no difference that a LoRA could hold", path: tuned.path,
        expected: "weights that differ from \(base.path)",
        hint: "check that the right two files were given")
    }
    let plain = modules.filter { $0.rank > 0 && !$0.target.hasKernel }.map(\.rank)
    let kernels = modules.filter { $0.rank > 0 && $0.target.hasKernel }.map(\.rank)
    let rank = LoRATexts.common(plain.isEmpty ? kernels : plain)
    let alpha = modules.allSatisfy(\.hasPlainAlpha) ? rank : "Dynamic"
    var texts = LoRATexts(
      rank: rank, alpha: alpha, arguments: LoRATexts.arguments(kernelRanks: kernels))
    let names = [tuned, base].map { $0.path.split(separator: "/").last.map(String.init) ?? $0.path }
    texts.set("modelspec.title", "\(names[0]) - \(names[1])")
    texts.set("modelspec.merged_from", names.joined(separator: ", "))
    texts.set(
      "ss_training_comment", "extracted from \(names[0]) and \(names[1]), not trained")
    return ExtractedLoRA(
      modules: modules,
      output: try LoRAOutput(tensors: modules.flatMap(\.tensors), texts: texts.entries))
  }

  /// Compares the two weights of one module.
  private func extracted(
    _ member: Member, _ settings: ExtractionSettings, _ approximator: Approximator
  ) throws(Fault) -> ExtractedModule {
    let (rows, columns) = member.output.extents
    let baseValues = try base.singles(of: member.base)
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard !overflow, baseValues.count == count else {
      throw Fault(
        .loraDifferentModels, "has another shape than the network", path: base.path,
        tensor: base.tensors[member.base].name, expected: "\(member.output.weightShape)",
        found: "\(base.tensors[member.base].shape)")
    }
    var change = Matrix<Float>(
      rows: rows, columns: columns, values: try tuned.singles(of: member.tuned))
    let whole = Matrix<Float>(rows: rows, columns: columns, values: baseValues)
    let baseEnergy = whole.squaredNorm
    change.subtract(whole)
    let energy = change.squaredNorm
    guard energy.isFinite, baseEnergy.isFinite else {
      throw Fault(
        .loraNonFinite, "holds NaN or infinity in one of the models", path: tuned.path,
        tensor: tuned.tensors[member.tuned].name, hint: "validate both models")
    }
    func result(
      _ omission: ExtractedModule.Omission?, _ found: Approximation? = nil,
      _ written: OutputModule? = nil
    ) -> ExtractedModule {
      ExtractedModule(
        target: member.output, omission: omission, rank: found?.factors.rank ?? 0,
        baseEnergy: baseEnergy, energy: energy,
        lost: found.map { $0.lost + (written?.rounding ?? 0) } ?? energy,
        optimum: found?.optimum ?? energy, tensors: written?.tensors ?? [],
        hasPlainAlpha: written?.hasPlainAlpha ?? true)
    }
    guard energy > 0 else { return result(.unchanged) }
    let gate = settings.gate[member.output.target]
    guard energy > gate * gate * baseEnergy else { return result(.belowGate) }
    // The key depends on the module only, not on the order of work.
    let key = settings.seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(member.output.target.weight)
    guard
      let found = try approximator.approximation(
        of: change, hasKernel: member.output.hasKernel, key: key)
    else { return result(.notWanted) }
    let written = try OutputModule(
      found.factors, of: member.output, in: settings.dialect, dtype: settings.dtype,
      approximator.algebra)
    return result(nil, found, written)
  }
}
