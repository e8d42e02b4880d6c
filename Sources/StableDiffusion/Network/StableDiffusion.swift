/// Stable Diffusion 1.5, declared once: `Leaf` decides what stands at each tensor.
///
/// Constructing it asks for every parameter in network order. With `Void` it lists them, with a
/// tensor type it is the network.
///
///     var names: [String] = []
///     _ = StableDiffusion<Void>(.sd15) { names.append($0.name(in: .ldm)) }
///     names.count   // 1130
///
/// Source: the latent-diffusion and diffusers implementations of the network.
public struct StableDiffusion<Leaf> {
  /// From the prompt to context.
  public let textEncoder: TextEncoder<Leaf>
  /// The noise predictor.
  public let unet: UNet<Leaf>
  /// Between images and latents.
  public let vae: VAE<Leaf>

  /// A network with `leaf` of each parameter at its leaves, asked for in network order.
  public init(_ dimensions: Dimensions, _ leaf: @escaping (Parameter) -> Leaf) {
    textEncoder = TextEncoder(dimensions, leaf)
    unet = UNet(dimensions, leaf)
    vae = VAE(dimensions, leaf)
  }
}

extension StableDiffusion: Sendable where Leaf: Sendable {}
