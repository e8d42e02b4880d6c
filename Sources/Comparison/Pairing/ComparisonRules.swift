import StableDiffusion
public import Tensors

extension Rule {
  /// The models are of different kinds.
  public static let differentKinds = Rule(
    "CM001", .fatal, "models of different kinds",
    "Tensors are compared with their counterparts, which models of another architecture do not "
      + "have. A LoRA holds changes to some layers, not a model: merge it into its base first, and "
      + "compare the result.")
  /// The models have nothing in common.
  public static let nothingInCommon = Rule(
    "CM002", .fatal, "no tensor in common",
    "The models have no tensor with the same purpose or name, for example because one is a VAE and "
      + "the other a U-Net.")
  /// The models for an explanation are alike where they have to differ.
  public static let nothingToExplain = Rule(
    "CM003", .fatal, "nothing to explain",
    "The weights of a merge show only where its inputs differ. If the inputs are the same file, or "
      + "have the same weights, every weight explains the result equally well.")
  /// There are too few models to compare.
  public static let tooFewModels = Rule(
    "CM004", .fatal, "too few models",
    "An ancestry is a relation between models: at least two that can be read are needed.")

  /// The rules of this family.
  public static let comparisonRules: [Rule] = [
    .differentKinds, .nothingInCommon, .nothingToExplain, .tooFewModels,
  ]
}

extension Fault {
  /// `b` cannot be compared with `a`, because it is something else.
  static func differentKinds(_ a: NamedModel, _ b: NamedModel) -> Fault {
    let hasAdapter = [a, b].contains { $0.identity.kind == .adapter }
    return Fault(
      .differentKinds, "cannot be compared with \(a.source.path)", path: b.source.path,
      expected: a.identity.title, found: b.identity.title,
      hint: hasAdapter
        ? "merge the LoRA into its base model first, and compare the result"
        : "compare models of one architecture")
  }

  /// `b` shares no tensor with `a`.
  static func nothingInCommon(_ a: NamedModel, _ b: NamedModel) -> Fault {
    Fault(
      .nothingInCommon, "has no tensor in common with \(a.source.path)", path: b.source.path,
      // Two models of one kind, such as unknown ones, are not told apart by it.
      expected: a.identity.title == b.identity.title ? nil : a.identity.title,
      found: a.identity.title == b.identity.title ? nil : b.identity.title,
      hint: "compare models that have the same parts")
  }
}

/// Checks that each model can be compared with the first one.
func checkKinds(_ models: [NamedModel]) throws(Fault) {
  guard let first = models.first else { return }
  for other in models.dropFirst() {
    guard other.identity.kind == first.identity.kind else { throw .differentKinds(first, other) }
    let shares = other.names.contains { first.positions[$0] != nil }
    guard shares || first.names.isEmpty && other.names.isEmpty else {
      throw .nothingInCommon(first, other)
    }
  }
}
