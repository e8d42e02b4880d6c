/// A layer of the text encoder: attention and feed-forward, each added to its input.
///
/// `x + out(attention(query, key, value of norm1(x)))`, then `x + fc2(quickGELU(fc1(norm2(x))))`;
/// a token attends to itself and those before it.
public struct TextLayer<Leaf> {
  /// Before the attention.
  public let norm1: Norm<Leaf>
  /// To queries, `[768, 768]`.
  public let query: Linear<Leaf>
  /// To keys, `[768, 768]`.
  public let key: Linear<Leaf>
  /// To values, `[768, 768]`.
  public let value: Linear<Leaf>
  /// From the joined heads, `[768, 768]`.
  public let out: Linear<Leaf>
  /// Before the feed-forward layer.
  public let norm2: Norm<Leaf>
  /// Up, `[3072, 768]`.
  public let fc1: Linear<Leaf>
  /// Down, `[768, 3072]`.
  public let fc2: Linear<Leaf>

  init(_ s: Scope<Leaf>) {
    let s = s.module("CLIPEncoderLayer"), width = s[.text]
    norm1 = Norm(s("layer_norm1"), layer: width)
    let attention = s("self_attn").module("CLIPAttention")
    query = Linear(attention("q_proj"), width, width)
    key = Linear(attention("k_proj"), width, width)
    value = Linear(attention("v_proj"), width, width)
    out = Linear(attention("out_proj"), width, width)
    norm2 = Norm(s("layer_norm2"), layer: width)
    let feedForward = s("mlp").module("CLIPMLP")
    fc1 = Linear(feedForward("fc1"), width, s[.textFeedForward])
    fc2 = Linear(feedForward("fc2"), s[.textFeedForward], width)
  }
}

extension TextLayer: Sendable where Leaf: Sendable {}

/// CLIP ViT-L/14's text encoder: token ids `[n, 77]` to context `[n, 77, 768]`.
public struct TextEncoder<Leaf> {
  /// A vector for each token, `[49408, 768]`.
  public let tokens: Embedding<Leaf>
  /// A vector for each position, `[77, 768]`.
  public let positions: Embedding<Leaf>
  /// 12 layers.
  public let layers: [TextLayer<Leaf>]
  /// The last LayerNorm.
  public let finalNorm: Norm<Leaf>

  /// A text encoder with `leaf` of each parameter at its leaves, asked for in network order.
  public init(_ dimensions: Dimensions, _ leaf: @escaping (Parameter) -> Leaf) {
    let root = Scope(
      .textEncoder, "CLIPTextModel", place: .clip, dimensions: dimensions, leaf: leaf)
    let s = root("text_model").module("CLIPTextTransformer")
    let embeddings = s("embeddings").module("CLIPTextEmbeddings")
    tokens = Embedding(embeddings("token_embedding"), s[.vocabulary], s[.text])
    positions = Embedding(embeddings("position_embedding"), s[.positions], s[.text])
    let encoder = s("encoder").module("CLIPEncoder")
    layers = (0..<Dimensions.textLayers).map { TextLayer(encoder("layers.\($0)")) }
    finalNorm = Norm(s("final_layer_norm"), layer: s[.text])
  }
}

extension TextEncoder: Sendable where Leaf: Sendable {}
