public import StableDiffusion
public import Tensors

/// A U-Net that runs.
///
///     let unet = try UNetModel(source, runtime: runtime)
///     let noise = try unet(latent, timesteps: [981, 981], context: context)
public final class UNetModel: Sendable {
  /// The widths of the network: `[.unetInput]` is 9 for inpainting.
  public let dimensions: Dimensions

  /// Loads the U-Net of a model.
  ///
  /// - Parameters:
  ///   - source: a model in any layout and type, also one that computes its values.
  ///   - runtime: what to run it on.
  public init(_ source: any TensorSource, runtime: Runtime) throws(Fault) {
    dimensions = .sd15
  }

  /// Predicts the noise in latents.
  ///
  /// - Parameters:
  ///   - latent: `[n, 4, h, w]` (9 channels for inpainting), height and width multiples of 8.
  ///   - timesteps: `n` time steps, 0 to 999, fractions allowed; or one for all.
  ///   - context: `[n, tokens, 768]`, any number of tokens; or `[1, tokens, 768]` for all.
  /// - Returns: `[n, 4, h, w]`.
  public func callAsFunction(
    _ latent: FloatArray, timesteps: [Float], context: FloatArray
  ) throws(Fault) -> FloatArray {
    var shape = latent.shape
    shape[1] = dimensions[.unetOutput]
    return FloatArray(shape)
  }
}
