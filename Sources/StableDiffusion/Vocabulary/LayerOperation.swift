/// What a layer does with its tensors, in one word.
public enum Role: String, CaseIterable, Sendable {
  case conv, linear, embedding, groupNorm, layerNorm

  /// The class of the layer in PyTorch.
  public var className: String {
    switch self {
    case .conv: "Conv2d"
    case .linear: "Linear"
    case .embedding: "Embedding"
    case .groupNorm: "GroupNorm"
    case .layerNorm: "LayerNorm"
    }
  }
}

/// Where a convolution adds zeros around its input.
public enum Padding: Hashable, Sendable {
  /// Nowhere.
  case none
  /// One row or column on each side.
  case around
  /// One row below and one column to the right, as the VAE's encoder does before down-sampling.
  case belowAndRight
}

/// What a layer does with its tensors, and the constants it uses that no tensor tells.
public enum LayerOperation: Hashable, Sendable {
  /// A 2-D convolution with a square kernel.
  case conv(kernel: Int, stride: Int, padding: Padding)
  /// A matrix product.
  case linear
  /// A table looked up by index.
  case embedding
  /// A normalisation over `groups` groups of channels and all positions.
  case groupNorm(groups: Int, epsilon: Double)
  /// A normalisation over the channels of one position.
  case layerNorm(epsilon: Double)

  /// The operation without its constants.
  public var role: Role {
    switch self {
    case .conv: .conv
    case .linear: .linear
    case .embedding: .embedding
    case .groupNorm: .groupNorm
    case .layerNorm: .layerNorm
    }
  }
}
