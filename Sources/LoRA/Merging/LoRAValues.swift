import StableDiffusion
import Tensors

/// What the values of a LoRA say before it is used.
struct LoRAValues {
  /// NaN and infinity.
  private(set) var problems: [Fault] = []
  /// A LoRA that changes nothing.
  private(set) var findings: [Fault] = []
  /// The modules that change nothing, by position.
  private(set) var zeroModules: [Int] = []

  /// Reads all values of `file` once.
  init(_ file: LoRAFile, width: Int) throws(Fault) {
    let used = file.modules.flatMap(\.tensors)
    let statistics = try file.source.statistics(of: used, width: width, withMoments: false)
    var isZero: [Int: Bool] = [:]
    for (tensor, found) in zip(used, statistics) {
      isZero[tensor] = found.zeroCount == found.count
      let bad = found.nanCount + found.infinityCount
      guard bad > 0, problems.isEmpty else { continue }
      problems.append(
        Fault(
          .loraNonFinite,
          "holds \(found.nanCount) NaN and \(found.infinityCount) infinite values",
          path: file.path, tensor: file.source.tensors[tensor].name,
          hint: "use another version of the LoRA"))
    }
    func zero(_ factor: Factor) -> Bool { isZero[factor.tensor] ?? false }
    for (position, module) in file.modules.enumerated()
    where Self.isZero(module, zero) { zeroModules.append(position) }
    if !file.modules.isEmpty, zeroModules.count == file.modules.count {
      findings.append(
        Fault(
          .loraZero, "changes nothing: every product is zero", path: file.path,
          hint: "it is untrained, or its α is 0"))
    }
  }

  /// Whether a module changes nothing, where `zero` tells of each factor whether it is zero.
  private static func isZero(_ module: LoRAModule, _ zero: (Factor) -> Bool) -> Bool {
    if module.magnitude != nil { return false }
    if let bias = module.bias, !zero(bias) { return false }
    if let sparse = module.sparse, !zero(sparse.values), module.scale.value != 0 { return false }
    switch module.adapter {
    case .lowRank, .hadamard, .kronecker:
      return module.scale.value == 0 || module.adapter.factors.contains(where: zero)
    case .generalized(let a1, let a2, let b1, let b2),
      .oldGeneralized(let a1, let a2, let b1, let b2):
      return module.scale.value == 0 || (zero(a1) || zero(a2)) && (zero(b1) || zero(b2))
    case .scaling(let factor, _), .full(let factor), .norm(let factor): return zero(factor)
    case .ratio: return false
    case .biasOnly: return true
    case .replacement: return false
    case .orthogonal(let adapter):
      return adapter.form != .rotation && adapter.rescale == nil && zero(adapter.blocks)
    case .inputRotation(let rotation): return rotation.rescale == nil && zero(rotation.blocks)
    }
  }
}
