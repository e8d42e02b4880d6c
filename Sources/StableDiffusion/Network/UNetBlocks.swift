/// A residual block that is told the time step: `[n, input, h, w]` to `[n, output, h, w]`.
///
/// `skip(x) + conv2(silu(norm2(conv1(silu(norm1(x))) + time(silu(embedding)))))`
public struct ResBlock<Leaf> {
  /// The first GroupNorm, over the input channels.
  public let norm1: Norm<Leaf>
  /// The first 3×3 convolution.
  public let conv1: Conv<Leaf>
  /// From the time embedding to one number for each output channel.
  public let time: Linear<Leaf>
  /// The second GroupNorm, over the output channels.
  public let norm2: Norm<Leaf>
  /// The second 3×3 convolution.
  public let conv2: Conv<Leaf>
  /// A 1×1 convolution around the block, where the number of channels changes.
  public let skip: Conv<Leaf>?

  init(_ s: Scope<Leaf>, _ input: Int, _ output: Int, skip: Bool = false) {
    let s = s.module("ResNetBlock")
    norm1 = Norm(s("in_layers.0", "norm1"), group: input, epsilon: 1e-5)
    conv1 = Conv(s("in_layers.2", "conv1"), input, output)
    time = Linear(s("emb_layers.1", "time_emb_proj"), s[.unetTime], output)
    norm2 = Norm(s("out_layers.0", "norm2"), group: output, epsilon: 1e-5)
    conv2 = Conv(s("out_layers.3", "conv2"), output, output)
    self.skip = Conv(skip: s("skip_connection", "conv_shortcut"), input, output, usual: skip)
  }
}

extension ResBlock: Sendable where Leaf: Sendable {}

/// Attention with 8 heads: queries from the image, keys and values from the image or the prompt.
public struct Attention<Leaf> {
  /// To queries, `[channels, channels]`, without bias.
  public let query: Linear<Leaf>
  /// To keys, `[channels, context]`, without bias.
  public let key: Linear<Leaf>
  /// To values, `[channels, context]`, without bias.
  public let value: Linear<Leaf>
  /// From the joined heads, `[channels, channels]`.
  public let out: Linear<Leaf>

  init(_ s: Scope<Leaf>, _ channels: Int, context: Int) {
    let s = s.module("CrossAttention")
    query = Linear(s("to_q"), channels, channels, bias: false)
    key = Linear(s("to_k"), context, channels, bias: false)
    value = Linear(s("to_v"), context, channels, bias: false)
    out = Linear(s("to_out.0"), channels, channels)
  }
}

extension Attention: Sendable where Leaf: Sendable {}

/// A gated feed-forward layer: `(value, gate) = split(proj(x))`, `out(value * gelu(gate))`.
public struct FeedForward<Leaf> {
  /// To value and gate, `[8 channels, channels]`.
  public let proj: Linear<Leaf>
  /// Back, `[channels, 4 channels]`.
  public let out: Linear<Leaf>

  init(_ s: Scope<Leaf>, _ channels: Int) {
    let s = s.module("FeedForward")
    proj = Linear(s("net.0").module("GEGLU")("proj"), channels, 8 * channels)
    out = Linear(s("net.2"), 4 * channels, channels)
  }
}

extension FeedForward: Sendable where Leaf: Sendable {}

/// Self-attention, attention to the prompt and feed-forward, each added to its input.
///
/// `x + attn1(norm1(x))`, then `x + attn2(norm2(x), context)`, then `x + feedForward(norm3(x))`
public struct TransformerBlock<Leaf> {
  /// Before self-attention.
  public let norm1: Norm<Leaf>
  /// Self-attention.
  public let attn1: Attention<Leaf>
  /// Before the attention to the prompt.
  public let norm2: Norm<Leaf>
  /// Attention to the prompt.
  public let attn2: Attention<Leaf>
  /// Before the feed-forward layer.
  public let norm3: Norm<Leaf>
  /// The feed-forward layer.
  public let feedForward: FeedForward<Leaf>

  init(_ s: Scope<Leaf>, _ channels: Int) {
    let s = s.module("BasicTransformerBlock")
    norm1 = Norm(s("norm1"), layer: channels)
    attn1 = Attention(s("attn1"), channels, context: channels)
    norm2 = Norm(s("norm2"), layer: channels)
    attn2 = Attention(s("attn2"), channels, context: s[.unetContext])
    norm3 = Norm(s("norm3"), layer: channels)
    feedForward = FeedForward(s("ff"), channels)
  }
}

extension TransformerBlock: Sendable where Leaf: Sendable {}

/// A transformer block over the positions of an image: `x + projOut(block(projIn(norm(x))))`.
public struct SpatialTransformer<Leaf> {
  /// A GroupNorm with an epsilon of 1e-6.
  public let norm: Norm<Leaf>
  /// A 1×1 convolution.
  public let projIn: Conv<Leaf>
  /// The block.
  public let block: TransformerBlock<Leaf>
  /// A 1×1 convolution.
  public let projOut: Conv<Leaf>

  init(_ s: Scope<Leaf>, _ channels: Int) {
    let s = s.module("SpatialTransformer")
    norm = Norm(s("norm"), group: channels, epsilon: 1e-6)
    projIn = Conv(s("proj_in"), channels, channels, kernel: 1)
    block = TransformerBlock(s("transformer_blocks.0"), channels)
    projOut = Conv(s("proj_out"), channels, channels, kernel: 1)
  }
}

extension SpatialTransformer: Sendable where Leaf: Sendable {}
