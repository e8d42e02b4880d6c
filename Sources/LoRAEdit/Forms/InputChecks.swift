import LoRA
import StableDiffusion
import Tensors

/// The bounds of what is computed with, from the weights of Stable Diffusion 1.5.
enum WeightBounds {
  /// The shorter side of the largest weight: 1280.
  static let side = largest { min($0, $1) }
  /// The values of the largest weight.
  static let count = largest { $0 * $1 }
  /// The longest side of any weight.
  static let vector = largest { max($0, $1) }
  /// The most that a rank may be, in shorter sides of its weight.
  static let rankFactor = 4
  /// The rank that is allowed however narrow the weight: the last convolution has four outputs, and
  /// trainers give it the rank of all others.
  static let usualRank = 1024

  private static func largest(_ measure: (Int, Int) -> Int) -> Int {
    LoRATarget.all.compactMap { $0.weightShape(in: .sd15) }.filter { $0.count >= 2 }
      .map { measure($0[0], $0.dropFirst().reduce(1, *)) }.max() ?? 0
  }
}

extension LoRAFile {
  /// Refuses a file with errors among its findings.
  func requireUsable(allowingUnmatched: Bool) throws(Fault) {
    let errors = findings.filter { $0.severity >= .error }
    if let problem = errors.first(where: { !(allowingUnmatched && $0.rule == .loraUnmatched) }) {
      throw problem.at(path)
    }
  }

  /// Refuses a module whose factors have no values, or more than any useful one: a small file with
  /// holes may claim any size.
  func checkSize(of module: LoRAModule) throws(Fault) {
    func fault(_ rule: Rule, _ message: String, _ expected: String, _ found: String) -> Fault {
      Fault(
        rule, message, path: path, tensor: TensorName(module.name), expected: expected,
        found: found, hint: "the file is damaged or made for another network")
    }
    for factor in module.adapter.factors where factor.elementCount == 0 {
      throw fault(.loraFactors, "has a factor without values", "at least one", "\(factor.shape)")
    }
    for vector in [module.bias, module.magnitude?.factor] {
      guard let vector, vector.elementCount > WeightBounds.vector else { continue }
      throw fault(
        .loraEditTooLarge, "has too long a vector", "at most \(WeightBounds.vector) values",
        "\(vector.shape)")
    }
    guard let shape = module.weightShape else { return }
    var extents = (rows: shape.first ?? 1, columns: 1)
    for extent in shape.dropFirst() {
      let (product, overflow) = extents.columns.multipliedReportingOverflow(by: extent)
      extents.columns = overflow ? .max : product
    }
    let side = min(extents.rows, extents.columns)
    let (count, overflow) = extents.rows.multipliedReportingOverflow(by: extents.columns)
    guard side <= WeightBounds.side, !overflow, count <= WeightBounds.count else {
      throw fault(
        .loraEditTooLarge, "makes too large a weight",
        "at most \(WeightBounds.count) values, and \(WeightBounds.side) along the shorter side",
        "\(shape)")
    }
    let limit = max(WeightBounds.usualRank, WeightBounds.rankFactor * side)
    if let rank = module.scale.rank, rank > limit {
      throw fault(
        .loraEditTooLarge, "has a rank beyond all use",
        "at most \(limit) for a weight of \(shape)",
        "rank \(rank)")
    }
  }

  /// Refuses tensors with NaN or infinite values among those of the modules.
  func requireFinite(width: Int) throws(Fault) {
    let used = modules.flatMap(\.tensors)
    let statistics = try source.statistics(of: used, width: width, withMoments: false)
    for (tensor, found) in zip(used, statistics) where found.nanCount + found.infinityCount > 0 {
      let bad = found.nanCount + found.infinityCount
      let parts = [(found.nanCount, "NaN"), (found.infinityCount, "infinite")]
        .filter { $0.0 > 0 }.map { "\($0) \($1)" }
      throw Fault(
        .loraNonFinite,
        "holds \(parts.joined(separator: " and ")) value\(bad == 1 ? "" : "s")", path: path,
        tensor: source.tensors[tensor].name, hint: "use another version of the LoRA")
    }
  }
}
