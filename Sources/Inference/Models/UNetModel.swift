import Glibc
public import StableDiffusion
public import Tensors

/// A U-Net that runs.
///
///     let unet = try UNetModel(model, runtime: runtime)
///     let noise = try unet(latent, timesteps: [981, 981], context: context)
public final class UNetModel: Sendable {
  /// The widths of the network: `[.unetInput]` is 9 for inpainting.
  public var dimensions: Dimensions { model.dimensions }
  /// The weights, for a model that has some of them in common.
  public var weights: LoadedWeights { model.weights }

  /// The bytes that the weights take in memory.
  public var weightByteCount: Int { weights.byteCount }

  private let model: RunningModel<UNet<Weight>>

  /// Loads the U-Net of a model.
  ///
  /// - Parameters:
  ///   - source: a model in any layout and type, also one that computes its values.
  ///   - runtime: what to run it on.
  ///   - isPlanned: whether only to plan: no value is read, and results are zeros.
  /// - Throws: ``Rule/notRunnable``, ``Rule/missingComponent``, ``Rule/missingWeight``,
  ///   ``Rule/unusableWeight``, ``Rule/libraryMissing``, ``Rule/outOfMemory``, and what reading
  ///   throws.
  public convenience init(
    _ source: any TensorSource, runtime: Runtime, isPlanned: Bool = false
  ) throws(Fault) {
    var none = LoadedWeights()
    try self.init(source, runtime: runtime, keeping: &none, isPlanned: isPlanned)
  }

  /// Loads the U-Net of a model, but for the weights that it has in common with `kept`.
  public init(
    _ source: any TensorSource, runtime: Runtime, keeping kept: inout LoadedWeights,
    isPlanned: Bool = false
  ) throws(Fault) {
    model = try RunningModel(
      source, .unet, runtime: runtime, keeping: &kept, isWanted: { _ in !isPlanned },
      network: { UNet($0, $1) })
  }

  /// Predicts the noise in latents.
  ///
  /// - Parameters:
  ///   - latent: `[n, 4, h, w]` (9 channels for inpainting).
  ///   - timesteps: `n` time steps, 0 to 999, fractions allowed; or one for all.
  ///   - context: `[n, tokens, 768]`, any number of tokens; or `[1, tokens, 768]` for all.
  /// - Returns: `[n, 4, h, w]`.
  /// - Throws: ``Rule/badInput``, ``Rule/nonFiniteActivation``, ``Rule/outOfMemory``.
  public func callAsFunction(
    _ latent: FloatArray, timesteps: [Float], context: FloatArray
  ) throws(Fault) -> FloatArray {
    var observation = Observation()
    return try self(latent, timesteps: timesteps, context: context, observing: &observation)
  }

  /// Predicts the noise in latents, and observes how.
  public func callAsFunction(
    _ latent: FloatArray, timesteps: [Float], context: FloatArray,
    observing observation: inout Observation
  ) throws(Fault) -> FloatArray {
    try latent.require([-1, dimensions[.unetInput], -1, -1], "latent")
    let n = latent.shape[0]
    let context = context.repeated(n)
    try context.require([n, -1, dimensions[.unetContext]], "context")
    guard timesteps.count == n || timesteps.count == 1 else {
      throw Fault(
        .badInput, "there is another number of time steps than of latents", expected: "\(n) or 1",
        found: "\(timesteps.count)")
    }
    let steps = timesteps.count == n ? timesteps : Array(repeating: timesteps[0], count: n)
    let waves = sinusoids(of: steps, width: dimensions[.unet0])
    return try model.run(&observation) { pass throws(Fault) in
      let noise = try model.network(
        pass.image(latent), timesteps: pass.rows(waves), context: pass.rows(context))
      return try noise.values()
    }
  }
}

/// `[cos(t f), sin(t f)]` for each time step, with `f` from 1 down to nearly 1/10000: `[n, 1, width]`.
///
/// Source: diffusers, `get_timestep_embedding` as Stable Diffusion calls it.
func sinusoids(of timesteps: [Float], width: Int) -> FloatArray {
  let half = width / 2
  var values: [Float] = []
  for timestep in timesteps {
    let angles = (0..<half).map { index in
      timestep * exp(-log(Float(10_000)) * Float(index) / Float(half))
    }
    values += angles.map { cos($0) } + angles.map { sin($0) }
    if width % 2 == 1 { values.append(0) }
  }
  return FloatArray([timesteps.count, 1, width], values)
}

extension FloatArray {
  /// The first axis `count` times, if there is one of it.
  func repeated(_ count: Int) -> FloatArray {
    guard shape.first == 1, count != 1 else { return self }
    return FloatArray([count] + shape.dropFirst(), (0..<count).flatMap { _ in values })
  }
}
