public import StableDiffusion
public import Tensors

/// A VAE that runs; either half may be left out.
///
///     let vae = try VAEModel(source, runtime: runtime, parts: [.decoder])
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
  }

  /// The widths of the network.
  public let dimensions: Dimensions

  /// Loads the VAE of a model.
  ///
  /// - Parameters:
  ///   - source: a model in any layout and type, also one that computes its values.
  ///   - runtime: what to run it on.
  ///   - parts: the halves that are wanted; the other one takes no memory.
  public init(
    _ source: any TensorSource, runtime: Runtime, parts: Parts = .both
  ) throws(Fault) {
    dimensions = .sd15
  }

  /// Encodes images, without scaling or sampling.
  ///
  /// - Parameter images: `[n, 3, 8h, 8w]`, -1 to 1.
  /// - Returns: mean and log-variance of the latents, `[n, 4, h, w]` each; the log-variance is kept
  ///   between -30 and 20. A latent is `(mean + exp(logVariance / 2) * noise) * 0.18215`.
  public func encode(
    _ images: FloatArray
  ) throws(Fault) -> (mean: FloatArray, logVariance: FloatArray) {
    let shape = [
      images.shape[0], dimensions[.latent], images.shape[2] / 8, images.shape[3] / 8,
    ]
    return (FloatArray(shape), FloatArray(shape))
  }

  /// Decodes latents.
  ///
  /// - Parameter latents: `[n, 4, h, w]`, already divided by 0.18215.
  /// - Returns: `[n, 3, 8h, 8w]`, about -1 to 1, not clamped.
  public func decode(_ latents: FloatArray) throws(Fault) -> FloatArray {
    let shape = latents.shape
    return FloatArray([shape[0], dimensions[.image], shape[2] * 8, shape[3] * 8])
  }
}
