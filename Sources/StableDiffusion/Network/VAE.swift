/// A residual block: `skip(x) + conv2(silu(norm2(conv1(silu(norm1(x))))))`.
public struct VAEResBlock<Leaf> {
  /// The first GroupNorm, over the input channels.
  public let norm1: Norm<Leaf>
  /// The first 3×3 convolution.
  public let conv1: Conv<Leaf>
  /// The second GroupNorm, over the output channels.
  public let norm2: Norm<Leaf>
  /// The second 3×3 convolution.
  public let conv2: Conv<Leaf>
  /// A 1×1 convolution around the block, where the number of channels changes.
  public let skip: Conv<Leaf>?

  init(_ s: Scope<Leaf>, _ input: Int, _ output: Int, skip: Bool = false) {
    let s = s.module("ResNetBlock")
    norm1 = Norm(s("norm1"), group: input, epsilon: 1e-6)
    conv1 = Conv(s("conv1"), input, output)
    norm2 = Norm(s("norm2"), group: output, epsilon: 1e-6)
    conv2 = Conv(s("conv2"), output, output)
    self.skip = Conv(skip: s("nin_shortcut", "conv_shortcut"), input, output, usual: skip)
  }
}

extension VAEResBlock: Sendable where Leaf: Sendable {}

/// Self-attention with one head over the positions of an image, added to it.
///
/// The four 1×1 convolutions are matrices in diffusers.
public struct VAEAttention<Leaf> {
  /// A GroupNorm.
  public let norm: Norm<Leaf>
  /// To queries, `[channels, channels, 1, 1]`.
  public let query: Conv<Leaf>
  /// To keys, `[channels, channels, 1, 1]`.
  public let key: Conv<Leaf>
  /// To values, `[channels, channels, 1, 1]`.
  public let value: Conv<Leaf>
  /// Back, `[channels, channels, 1, 1]`.
  public let out: Conv<Leaf>

  init(_ s: Scope<Leaf>, _ channels: Int) {
    let s = s.module("AttnBlock")
    func conv(_ ldm: String, _ diffusers: String) -> Conv<Leaf> {
      Conv(s(ldm, diffusers), channels, channels, kernel: 1, matrixInDiffusers: true)
    }
    norm = Norm(s("norm", "group_norm"), group: channels, epsilon: 1e-6)
    query = conv("q", "to_q")
    key = conv("k", "to_k")
    value = conv("v", "to_v")
    out = conv("proj_out", "to_out.0")
  }
}

extension VAEAttention: Sendable where Leaf: Sendable {}

/// The stage with the smallest image: residual block, attention, residual block.
public struct VAEMiddle<Leaf> {
  /// The first residual block.
  public let res1: VAEResBlock<Leaf>
  /// Self-attention.
  public let attention: VAEAttention<Leaf>
  /// The second residual block.
  public let res2: VAEResBlock<Leaf>

  init(_ s: Scope<Leaf>, _ channels: Int) {
    let s = s.module("UNetMidBlock")
    res1 = VAEResBlock(s("block_1", "resnets.0"), channels, channels)
    attention = VAEAttention(s("attn_1", "attentions.0"), channels)
    res2 = VAEResBlock(s("block_2", "resnets.1"), channels, channels)
  }
}

extension VAEMiddle: Sendable where Leaf: Sendable {}

/// Two (encoder) or three (decoder) residual blocks at one size, then a change of size.
public struct VAELevel<Leaf> {
  /// The residual blocks.
  public let blocks: [VAEResBlock<Leaf>]
  /// The convolution that halves the image, or follows its doubling; absent at the last level.
  public let resample: Conv<Leaf>?
}

extension VAELevel: Sendable where Leaf: Sendable {}

/// Images `[n, 3, 8h, 8w]` to the moments of latents `[n, 8, h, w]`.
public struct VAEEncoder<Leaf> {
  /// The first convolution.
  public let convIn: Conv<Leaf>
  /// Four levels, largest image first.
  public let levels: [VAELevel<Leaf>]
  /// The stage with the smallest image.
  public let middle: VAEMiddle<Leaf>
  /// The last GroupNorm, followed by a SiLU.
  public let normOut: Norm<Leaf>
  /// To the moments.
  public let convOut: Conv<Leaf>

  init(_ s: Scope<Leaf>) {
    let s = s.module("Encoder"), width = s.dimensions.vaeWidths
    convIn = Conv(s("conv_in"), s[.image], width[0])
    var channels = width[0]
    levels = width.enumerated().map { level, out in
      let s = s("down.\(level)", "down_blocks.\(level)").module("DownEncoderBlock")
      let blocks = (0..<2).map { j in
        defer { channels = out }
        let skip = j == 0 && (level == 1 || level == 2)
        return VAEResBlock(s("block.\(j)", "resnets.\(j)"), channels, out, skip: skip)
      }
      guard level < 3 else { return VAELevel(blocks: blocks, resample: nil) }
      let down = s("downsample", "downsamplers.0").module("Downsample")
      return VAELevel(
        blocks: blocks,
        resample: Conv(down("conv"), out, out, stride: 2, padding: .belowAndRight))
    }
    middle = VAEMiddle(s("mid", "mid_block"), width[3])
    normOut = Norm(s("norm_out", "conv_norm_out"), group: width[3], epsilon: 1e-6)
    convOut = Conv(s("conv_out"), width[3], 2 * s[.latent])
  }
}

extension VAEEncoder: Sendable where Leaf: Sendable {}

/// Latents `[n, 4, h, w]` to images `[n, 3, 8h, 8w]`.
public struct VAEDecoder<Leaf> {
  /// The first convolution.
  public let convIn: Conv<Leaf>
  /// The stage with the smallest image.
  public let middle: VAEMiddle<Leaf>
  /// Four levels, smallest image first: `up.3` to `up.0` in the original naming.
  public let levels: [VAELevel<Leaf>]
  /// The last GroupNorm, followed by a SiLU.
  public let normOut: Norm<Leaf>
  /// To the image.
  public let convOut: Conv<Leaf>

  init(_ s: Scope<Leaf>) {
    let s = s.module("Decoder"), width = s.dimensions.vaeWidths
    convIn = Conv(s("conv_in"), s[.latent], width[3])
    middle = VAEMiddle(s("mid", "mid_block"), width[3])
    var channels = width[3]
    levels = width.enumerated().reversed().map { level, out in
      let s = s("up.\(level)", "up_blocks.\(3 - level)").module("UpDecoderBlock")
      let blocks = (0..<3).map { j in
        defer { channels = out }
        let skip = j == 0 && level < 2
        return VAEResBlock(s("block.\(j)", "resnets.\(j)"), channels, out, skip: skip)
      }
      guard level > 0 else { return VAELevel(blocks: blocks, resample: nil) }
      let up = s("upsample", "upsamplers.0").module("Upsample")
      return VAELevel(blocks: blocks, resample: Conv(up("conv"), out, out))
    }
    normOut = Norm(s("norm_out", "conv_norm_out"), group: width[0], epsilon: 1e-6)
    convOut = Conv(s("conv_out"), width[0], s[.image])
  }
}

extension VAEDecoder: Sendable where Leaf: Sendable {}

/// The autoencoder between images `[n, 3, 8h, 8w]` and latents `[n, 4, h, w]`.
public struct VAE<Leaf> {
  /// From images.
  public let encoder: VAEEncoder<Leaf>
  /// From the encoder's moments to mean and log-variance, `[n, 8, h, w]`.
  public let quant: Conv<Leaf>
  /// From latents to what the decoder takes.
  public let postQuant: Conv<Leaf>
  /// To images.
  public let decoder: VAEDecoder<Leaf>

  /// A VAE with `leaf` of each parameter at its leaves, asked for in network order.
  public init(_ dimensions: Dimensions, _ leaf: @escaping (Parameter) -> Leaf) {
    let s = Scope(.vae, "AutoencoderKL", place: .vae, dimensions: dimensions, leaf: leaf)
    let latent = s[.latent]
    encoder = VAEEncoder(s("encoder"))
    quant = Conv(s("quant_conv"), 2 * latent, 2 * latent, kernel: 1)
    postQuant = Conv(s("post_quant_conv"), latent, latent, kernel: 1)
    decoder = VAEDecoder(s("decoder"))
  }
}

extension VAE: Sendable where Leaf: Sendable {}
