/// A matrix product: `y = W x + b`, `W` of shape `[output, input]`, `b` of shape `[output]`.
public struct Linear<Leaf> {
  /// The matrix, `[output, input]`.
  public let weight: Leaf
  /// What is added, `[output]`, where there is one.
  public let bias: Leaf?

  init(_ s: Scope<Leaf>, _ input: Int, _ output: Int, bias: Bool = true) {
    let s = s.module(Role.linear.className)
    weight = s.parameter(.weight, .linear, [output, input])
    self.bias = bias ? s.parameter(.bias, .linear, [output]) : nil
  }
}

extension Linear: Sendable where Leaf: Sendable {}

/// A 2-D convolution: weight `[output, input, kernel, kernel]`, bias `[output]`.
public struct Conv<Leaf> {
  /// The kernels, `[output, input, kernel, kernel]`.
  public let weight: Leaf
  /// What is added to each channel, `[output]`.
  public let bias: Leaf
  /// The height and width of the kernel: 1 or 3.
  public let kernel: Int
  /// The step from one output to the next: 1, or 2 to halve the image.
  public let stride: Int
  /// Where zeros are added, so that a stride of 1 keeps the size.
  public let padding: Padding

  init(
    _ s: Scope<Leaf>, _ input: Int, _ output: Int, kernel: Int = 3, stride: Int = 1,
    padding: Padding? = nil, matrixInDiffusers: Bool = false, optional: Bool = false
  ) {
    self.kernel = kernel
    self.stride = stride
    self.padding = padding ?? (kernel == 1 ? .none : .around)
    let s = s.module(Role.conv.className)
    let operation = LayerOperation.conv(kernel: kernel, stride: stride, padding: self.padding)
    weight = s.parameter(
      .weight, operation, [output, input, kernel, kernel], matrixInDiffusers: matrixInDiffusers,
      optional: optional)
    bias = s.parameter(.bias, operation, [output], optional: optional)
  }

  /// The way around a residual block: needed where the number of channels changes.
  ///
  /// Stable Diffusion 1.5 has it where `usual` says so; a network that keeps its number of channels
  /// there may have it or not.
  init?(skip s: Scope<Leaf>, _ input: Int, _ output: Int, usual: Bool) {
    guard usual || input != output else { return nil }
    self.init(s, input, output, kernel: 1, optional: input == output)
  }
}

extension Conv: Sendable where Leaf: Sendable {}

/// A normalisation with a learned scale and shift: weight and bias `[channels]`.
///
/// `y = (x - mean) / sqrt(variance + epsilon) * weight + bias`
public struct Norm<Leaf> {
  /// What mean and variance are taken over.
  public enum Kind: Hashable, Sendable {
    /// The channels of one position.
    case layer
    /// All positions of one of `count` groups of channels.
    case group(count: Int)
  }

  /// The scale, `[channels]`.
  public let weight: Leaf
  /// The shift, `[channels]`.
  public let bias: Leaf
  /// What mean and variance are taken over.
  public let kind: Kind
  /// What keeps the division finite.
  public let epsilon: Double

  /// A LayerNorm; every one in the network has an epsilon of 1e-5.
  init(_ s: Scope<Leaf>, layer channels: Int) {
    kind = .layer
    epsilon = 1e-5
    (weight, bias) = Self.leaves(s, channels, .layerNorm(epsilon: epsilon))
  }

  /// A GroupNorm.
  init(_ s: Scope<Leaf>, group channels: Int, epsilon: Double) {
    kind = .group(count: Dimensions.groups)
    self.epsilon = epsilon
    (weight, bias) = Self.leaves(
      s, channels, .groupNorm(groups: Dimensions.groups, epsilon: epsilon))
  }

  private static func leaves(
    _ s: Scope<Leaf>, _ channels: Int, _ operation: LayerOperation
  ) -> (Leaf, Leaf) {
    let s = s.module(operation.role.className)
    return (
      s.parameter(.weight, operation, [channels]), s.parameter(.bias, operation, [channels])
    )
  }
}

extension Norm: Sendable where Leaf: Sendable {}

/// A table of vectors looked up by index: weight `[count, width]`.
public struct Embedding<Leaf> {
  /// The table, `[count, width]`.
  public let weight: Leaf

  init(_ s: Scope<Leaf>, _ count: Int, _ width: Int) {
    weight = s.module(Role.embedding.className).parameter(.weight, .embedding, [count, width])
  }
}

extension Embedding: Sendable where Leaf: Sendable {}
