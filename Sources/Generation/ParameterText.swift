public import Sampling

extension ImageRequest {
  /// A file that took part in a picture beside its model, by the name that prompts know it by.
  public struct NamedHash: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// The first twelve digits of its hash.
    public var hash: String

    /// A named hash.
    public init(name: String, hash: String) {
      self.name = name
      self.hash = hash
    }
  }

  /// What a picture was made with, as far as its parameters tell.
  public struct Ingredients: Hashable, Sendable {
    /// The model's name, without suffix.
    public var model: String
    /// The first ten digits of the SHA-256 of its file, if that is known.
    public var modelHash: String?
    /// LoRAs as prompts spell them, with brackets, that stand in no prompt.
    public var loraTags: [String] = []
    /// LoRAs, by the SHA-256 of their tensors.
    public var loras: [NamedHash] = []
    /// Embeddings that the prompts name, by the SHA-256 of their files.
    public var embeddings: [NamedHash] = []
    /// What made the picture.
    public var version: String

    /// A model and a program.
    public init(model: String, modelHash: String? = nil, version: String) {
      self.model = model
      self.modelHash = modelHash
      self.version = version
    }
  }

  /// How the picture was made, as the web UIs write it into PNG files under `parameters`.
  ///
  /// Source: `create_infotext` of AUTOMATIC1111's web UI.
  ///
  /// - Parameters:
  ///   - index: the number of the picture, from 0.
  ///   - with: what it was made with.
  /// - Returns: prompts and settings; their text is what a PNG file holds.
  public func parameters(of index: Int, with: Ingredients) -> PictureParameters {
    var fields: [PictureParameters.Field] = []
    func add(_ name: String, _ value: String?) {
      if let value { fields.append(.init(name: name, value: value)) }
    }
    func add(_ name: String, _ hashes: [NamedHash]) {
      // Names lose what would separate them.
      let pairs = hashes.map { "\($0.name.filter { !":,".contains($0) }): \($0.hash)" }
      add(name, pairs.isEmpty ? nil : pairs.joined(separator: ", "))
    }
    add("Steps", "\(steps)")
    add("Sampler", sampler.title)
    add("Schedule type", sigmas.title(for: sampler))
    add("CFG scale", Self.short(guidance.scale))
    add("Seed", "\(seed &+ UInt64(index))")
    add("Size", "\(width)x\(height)")
    add("Model hash", with.modelHash)
    add("Model", with.model)
    add("Denoising strength", image == nil ? nil : Self.short(strength))
    add("Clip skip", clipSkip > 1 ? "\(clipSkip)" : nil)
    add("RNG", noise == .torch ? "CPU" : "NV")
    add(sampler.name == DDIM.name ? "Eta DDIM" : "Eta", settings.eta.map(Self.short))
    add("CFG Rescale phi", guidance.rescale > 0 ? Self.short(guidance.rescale) : nil)
    add("Lora hashes", with.loras)
    add("TI hashes", with.embeddings)
    add("Emphasis", readsEmphasis ? nil : "None")
    add("Version", with.version)
    return PictureParameters(
      prompt: ([prompt] + with.loraTags).filter { !$0.isEmpty }.joined(separator: " "),
      negativePrompt: negativePrompt, fields: fields)
  }

  /// Whole numbers without a point, as the web UIs write them.
  private static func short(_ value: Double) -> String {
    Int(exactly: value).map { "\($0)" } ?? "\(value)"
  }
}

extension SigmaSpacing {
  /// The name of the schedule in the web UIs, for a sampler.
  ///
  /// "Automatic" is another schedule than the model's own for the DPM++ samplers there.
  public func title(for sampler: any Sampler.Type) -> String {
    self == .normal && !sampler.title.hasPrefix("DPM++") ? "Automatic" : title
  }
}
