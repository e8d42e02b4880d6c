public import StableDiffusion
public import Tensors

/// A VAE that runs; either half may be left out.
///
///     let vae = try VAEModel(model, runtime: runtime, parts: [.decoder])
///     let images = try vae.decode(latents)   // [n, 3, 512, 512], about -1 to 1
public final class VAEModel: Sendable {
  /// The halves of a VAE.
  public struct Parts: OptionSet, Sendable {
    /// The bits.
    public let rawValue: Int
    /// The halves with these bits.
    public init(rawValue: Int) { self.rawValue = rawValue }
    /// From images to latents.
    public static let encoder = Parts(rawValue: 1)
    /// From latents to images.
    public static let decoder = Parts(rawValue: 2)
    /// Both.
    public static let both: Parts = [.encoder, .decoder]

    /// Whether `parameter` belongs to one of them.
    func contains(_ parameter: Parameter) -> Bool {
      let path = parameter.module.ldm
      let part: Parts = path.hasPrefix("encoder") || path == "quant_conv" ? .encoder : .decoder
      return contains(part)
    }
  }

  /// The widths of the network.
  public var dimensions: Dimensions { model.dimensions }
  /// The weights, for a model that has some of them in common.
  public var weights: LoadedWeights { model.weights }

  /// The bytes that the weights take in memory.
  public var weightByteCount: Int { weights.byteCount }

  private let model: RunningModel<VAE<Weight>>
  private let parts: Parts

  /// Loads the VAE of a model.
  ///
  /// - Parameters:
  ///   - source: a model in any layout and type, also one that computes its values.
  ///   - runtime: what to run it on.
  ///   - parts: the halves that are wanted; the other one takes no memory.
  ///   - isPlanned: whether only to plan: no value is read, and results are zeros.
  /// - Throws: ``Rule/notRunnable``, ``Rule/missingComponent``, ``Rule/missingWeight``,
  ///   ``Rule/unusableWeight``, ``Rule/libraryMissing``, ``Rule/outOfMemory``, and what reading
  ///   throws.
  public convenience init(
    _ source: any TensorSource, runtime: Runtime, parts: Parts = .both, isPlanned: Bool = false
  ) throws(Fault) {
    var none = LoadedWeights()
    try self.init(
      source, runtime: runtime, parts: parts, keeping: &none, isPlanned: isPlanned)
  }

  /// Loads the VAE of a model, but for the weights that it has in common with `kept`.
  public init(
    _ source: any TensorSource, runtime: Runtime, parts: Parts = .both,
    keeping kept: inout LoadedWeights, isPlanned: Bool = false
  ) throws(Fault) {
    model = try RunningModel(
      source, .vae, runtime: runtime, keeping: &kept,
      isWanted: { !isPlanned && parts.contains($0) }, network: { VAE($0, $1) })
    self.parts = parts
  }

  /// Encodes images, without scaling or sampling.
  ///
  /// - Parameter images: `[n, 3, 8h, 8w]`, -1 to 1.
  /// - Returns: mean and log-variance of the latents, `[n, 4, h, w]` each; the log-variance is kept
  ///   between -30 and 20. A latent is `(mean + exp(logVariance / 2) * noise) * 0.18215`.
  /// - Throws: ``Rule/badInput``, ``Rule/nonFiniteActivation``, ``Rule/outOfMemory``.
  public func encode(
    _ images: FloatArray
  ) throws(Fault) -> (mean: FloatArray, logVariance: FloatArray) {
    var observation = Observation()
    return try encode(images, observing: &observation)
  }

  /// Encodes images, and observes how.
  public func encode(
    _ images: FloatArray, observing observation: inout Observation
  ) throws(Fault) -> (mean: FloatArray, logVariance: FloatArray) {
    precondition(parts.contains(.encoder), "the encoder was not loaded")
    try images.require([-1, dimensions[.image], -1, -1], "image")
    guard images.shape[2] % 8 == 0, images.shape[3] % 8 == 0 else {
      throw Fault(
        .badInput, "height and width of an image must be multiples of 8",
        found: "\(images.shape[2]) × \(images.shape[3])")
    }
    let moments = try model.run(&observation) { pass throws(Fault) in
      try model.network.quant(model.network.encoder(pass.image(images))).values()
    }
    let count = moments.shape[0], half = moments.values.count / (2 * count)
    let shape = [count, moments.shape[1] / 2, moments.shape[2], moments.shape[3]]
    var mean: [Float] = [], logVariance: [Float] = []
    for image in 0..<count {
      let start = image * 2 * half
      mean += moments.values[start..<start + half]
      logVariance += moments.values[start + half..<start + 2 * half].map { min(max($0, -30), 20) }
    }
    return (FloatArray(shape, mean), FloatArray(shape, logVariance))
  }

  /// Decodes latents.
  ///
  /// - Parameter latents: `[n, 4, h, w]`, already divided by 0.18215.
  /// - Returns: `[n, 3, 8h, 8w]`, about -1 to 1, not clamped.
  /// - Throws: ``Rule/badInput``, ``Rule/nonFiniteActivation``, ``Rule/outOfMemory``.
  public func decode(_ latents: FloatArray) throws(Fault) -> FloatArray {
    var observation = Observation()
    return try decode(latents, observing: &observation)
  }

  /// Decodes latents, and observes how.
  public func decode(
    _ latents: FloatArray, observing observation: inout Observation
  ) throws(Fault) -> FloatArray {
    precondition(parts.contains(.decoder), "the decoder was not loaded")
    try latents.require([-1, dimensions[.latent], -1, -1], "latent")
    return try model.run(&observation) { pass throws(Fault) in
      try model.network.decoder(model.network.postQuant(pass.image(latents))).values()
    }
  }
}
