public import Tensors

extension Recipe {
  /// The most models, and the most steps, that a recipe may have.
  static let maximumCount = 1000

  /// The recipe, if it is consistent.
  ///
  /// - Throws: the first fault found, of one of ``Tensors/Rule/recipeRules``,
  ///   ``Tensors/Rule/mergeMethodRules`` or ``Tensors/Rule/weightRules``.
  public func checked() throws(Fault) -> Recipe {
    guard models.count <= Self.maximumCount, steps.count <= Self.maximumCount else {
      throw Fault(
        .recipeValue, "has too many models or steps", expected: "at most \(Self.maximumCount)",
        found: "\(models.count) models and \(steps.count) steps")
    }
    var known = Set<String>()
    for model in models {
      try define(model.name, in: &known)
      try Self.check(model)
    }
    var unused = Set<String>()
    for step in steps {
      for input in step.inputs {
        try check(input, isIn: known, of: "step '\(shortened(step.name))'")
        unused.remove(input)
      }
      if let output = step.output {
        guard step.name != result else {
          throw Fault(
            .recipeValue,
            "step '\(shortened(step.name))' has an output of its own, and is the result",
            hint: "say it in the recipe's 'output'")
        }
        if let vae = output.vae {
          try check(vae, isIn: known, of: "step '\(shortened(step.name))'")
          unused.remove(vae)
        }
      }
      try Self.check(step, models: Set(models.map(\.name)))
      try define(step.name, in: &known)
      unused.insert(step.name)
    }
    try check(result, isIn: known, of: "the result")
    if let vae = output.vae {
      try check(vae, isIn: known, of: "the output's VAE")
      unused.remove(vae)
    }
    unused.remove(result)
    if let step = steps.first(where: { unused.contains($0.name) }) {
      throw Fault(
        .recipeUnused, "step '\(step.name)' has no effect",
        hint: "use it in a later step, or name it as the result")
    }
    return self
  }

  /// Whether a name may be used in recipes.
  static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 100
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
          UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  private func define(_ name: String, in known: inout Set<String>) throws(Fault) {
    guard Self.isName(name) else {
      throw Fault(
        .recipeName, "has a name that is not allowed", expected: "letters, digits, '.', '-', '_'",
        found: "'\(shortened(name))'")
    }
    guard known.insert(name).inserted else {
      throw Fault(.recipeName, "defines '\(name)' twice")
    }
  }

  private func check(_ name: String, isIn known: Set<String>, of user: String) throws(Fault) {
    guard !known.contains(name) else { return }
    let isLater = steps.contains { $0.name == name }
    throw Fault(
      .recipeName, "\(user) uses '\(shortened(name))', which is not defined",
      hint: isLater
        ? "a step of this name comes later: change the order"
        : suggestion(for: name, among: known.sorted()))
  }

  private static func check(_ model: Model) throws(Fault) {
    guard model.path != nil || model.sha256 != nil else {
      throw Fault(
        .recipeValue, "model '\(model.name)' cannot be found", expected: "a path or a sha256")
    }
    guard let hash = model.sha256 else { return }
    guard isSHA256(hash) else {
      throw Fault(
        .recipeValue, "model '\(model.name)' has no SHA-256",
        expected: "64 lower-case hexadecimal digits", found: "'\(shortened(hash))'")
    }
  }

  /// Whether `text` is a SHA-256 in lower-case hexadecimal digits.
  static func isSHA256(_ text: String) -> Bool {
    text.utf8.count == 64
      && text.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }

  private static func check(_ step: Step, models: Set<String>) throws(Fault) {
    do throws(Fault) {
      guard step.loras.isEmpty else { return try checkLoRAs(step, known: models) }
      let method = try MergeMethods.named(step.method)
      let taken = Set(method.parameters.map(\.kind))
      let given: [(MergeParameter.Kind, Bool)] = [
        (.alpha, step.alpha != nil), (.beta, step.beta != nil), (.gamma, step.gamma != nil),
        (.density, step.density != nil), (.epsilon, step.epsilon != nil),
        (.weights, !step.weights.isEmpty),
      ]
      for (kind, isGiven) in given where isGiven && !taken.contains(kind) {
        throw Fault(
          .recipeValue, "method \(method.name) takes no \(kind.rawValue)",
          expected: taken.map(\.rawValue).sorted().joined(separator: ", "),
          hint: "it computes \(method.formula)")
      }
      var settings = step.settings(of: method)
      try method.check(inputs: step.inputs.count, settings: settings)
      let (alpha, beta) = (settings.alpha, settings.beta)
      for weight in try step.alpha?.resolved(in: step.dialect, initial: alpha).numbers ?? [] {
        settings.alpha = weight
        try method.check(inputs: step.inputs.count, settings: settings)
      }
      settings.alpha = alpha
      for weight in try step.beta?.resolved(in: step.dialect, initial: beta).numbers ?? [] {
        settings.beta = weight
        try method.check(inputs: step.inputs.count, settings: settings)
      }
    } catch {
      var fault = error
      fault.message = "step '\(shortened(step.name))': " + fault.message
      throw fault
    }
  }
}

extension Recipe.Step {
  /// The parameters that are the same for all tensors; α and β are the method's defaults, or the
  /// one number given for them.
  public func settings(of method: some MergeMethod) -> MergeSettings {
    var settings = MergeSettings(defaultsOf: method)
    if let alpha = alpha?.alpha { settings.alpha = alpha }
    if let beta = beta?.alpha { settings.beta = beta }
    if let gamma { settings.gamma = gamma }
    if let density { settings.density = density }
    if let epsilon { settings.epsilon = epsilon }
    settings.weights = weights
    settings.seed = seed
    settings.arithmetic = arithmetic
    return settings
  }
}
