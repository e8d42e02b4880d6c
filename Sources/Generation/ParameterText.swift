public import Sampling

extension ImageRequest {
  /// How the picture was made, as the web UIs write it into PNG files under `parameters`.
  ///
  /// Source: `create_infotext` of AUTOMATIC1111's web UI.
  ///
  /// - Parameters:
  ///   - index: the number of the picture, from 0.
  ///   - model: the model's name, without suffix.
  ///   - hash: the first ten digits of its file's SHA-256, if that is known.
  ///   - version: what made the picture.
  /// - Returns: the text.
  public func parameterText(
    of index: Int, model: String, hash: String?, version: String
  ) -> String {
    var fields: [(name: String, value: String)] = [
      ("Steps", "\(steps)"), ("Sampler", sampler.title), ("Schedule type", sigmas.title),
      ("CFG scale", Self.short(guidance.scale)), ("Seed", "\(seed &+ UInt64(index))"),
      ("Size", "\(width)x\(height)"),
    ]
    if let hash { fields.append(("Model hash", hash)) }
    fields.append(("Model", model))
    if image != nil { fields.append(("Denoising strength", Self.short(strength))) }
    if clipSkip > 1 { fields.append(("Clip skip", "\(clipSkip)")) }
    if let eta = settings.eta { fields.append(("Eta", Self.short(eta))) }
    if guidance.rescale > 0 { fields.append(("CFG Rescale phi", Self.short(guidance.rescale))) }
    if !readsEmphasis { fields.append(("Emphasis", "None")) }
    fields.append(("RNG", noise == .torch ? "CPU" : "NV"))
    fields.append(("Version", version))
    var text = prompt
    if !negativePrompt.isEmpty { text += "\nNegative prompt: " + negativePrompt }
    return text + "\n"
      + fields.map { "\($0.name): \(Self.quoted($0.value))" }.joined(separator: ", ")
  }

  /// Whole numbers without a point, as the web UIs write them.
  private static func short(_ value: Double) -> String {
    Int(exactly: value).map { "\($0)" } ?? "\(value)"
  }

  /// A value that holds what separates values is a JSON string.
  private static func quoted(_ value: String) -> String {
    guard value.contains(where: { ",:\n\"".contains($0) }) else { return value }
    let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      .replacing("\n", with: "\\n")
    return "\"\(escaped)\""
  }
}

extension SigmaSpacing {
  /// The name of the schedule in the web UIs.
  public var title: String {
    switch self {
    case .normal: "Automatic"
    case .karras: "Karras"
    case .exponential: "Exponential"
    case .linear: "Linear"
    case .cosine: "Cosine"
    case .beta: "Beta"
    }
  }
}
