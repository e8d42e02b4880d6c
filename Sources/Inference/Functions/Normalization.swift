import Glibc

/// What a normalisation takes mean and variance over, for an array `[n, channels, positions…]`.
///
/// The variance is the biased one, as everywhere in networks.
private struct Moments {
  let mean: Double
  let variance: Double

  init(_ values: FloatArray, _ indices: some Sequence<Int>) {
    var sum = 0.0, count = 0.0
    for index in indices {
      sum += Double(values.values[index])
      count += 1
    }
    let mean = sum / max(1, count)
    var squares = 0.0
    for index in indices {
      let difference = Double(values.values[index]) - mean
      squares += difference * difference
    }
    self.mean = mean
    variance = squares / max(1, count)
  }
}

extension FloatArray {
  /// Batch, channels, and positions in each channel, of `[n, channels, positions…]`.
  fileprivate var axes: (n: Int, channels: Int, positions: Int) {
    precondition(shape.count >= 2, "[n, channels, positions…] is needed")
    return (shape[0], shape[1], shape.dropFirst(2).reduce(1, *))
  }

  fileprivate mutating func normalize(
    _ indices: some Sequence<Int>, _ moments: Moments, _ epsilon: Double
  ) {
    let factor = 1 / (moments.variance + epsilon).squareRoot()
    for index in indices {
      values[index] = Float((Double(values[index]) - moments.mean) * factor)
    }
  }
}

/// `y = (x - E[x]) / sqrt(Var[x] + ε) * weight + bias` with mean and variance of each channel over
/// batch and positions.
///
/// `[n, channels, positions…]` to the same. With `statistics`, those of training are used instead of
/// those of the batch. No Stable Diffusion 1.x model has one.
///
/// Source: Ioffe and Szegedy, "Batch Normalization", 2015.
public struct BatchNorm: Sendable {
  /// The scale of each channel; 1 if `nil`.
  public var weight: [Float]?
  /// The shift of each channel; 0 if `nil`.
  public var bias: [Float]?
  /// Running mean and variance of each channel.
  public var statistics: (mean: [Float], variance: [Float])?
  /// What keeps the division finite.
  public var epsilon = 1e-5

  /// A normalisation that learned nothing.
  public init() {}

  /// Normalises `x`.
  public func callAsFunction(_ x: FloatArray) -> FloatArray {
    let (n, channels, positions) = x.axes
    var y = x
    for c in 0..<channels {
      let indices = (0..<n).lazy.flatMap { image in
        let start = (image * channels + c) * positions
        return start..<start + positions
      }
      if let statistics {
        let factor = 1 / (Double(statistics.variance[c]) + epsilon).squareRoot()
        for index in indices {
          y.values[index] = Float((Double(x.values[index]) - Double(statistics.mean[c])) * factor)
        }
      } else {
        y.normalize(indices, Moments(x, indices), epsilon)
      }
    }
    return y.scaled(weight, bias)
  }
}

/// `y = (x - E[x]) / sqrt(Var[x] + ε) * weight + bias` with mean and variance over the positions of
/// `channels / groups` channels of one image.
///
/// `[n, channels, positions…]` to the same. One group is a LayerNorm over channels and positions; a
/// group for each channel is an ``InstanceNorm``. U-Net and VAE have 32 groups.
///
/// Source: Wu and He, "Group Normalization", 2018.
public struct GroupNorm: Sendable {
  /// The number of groups, which divides the number of channels.
  public var groups: Int
  /// The scale of each channel; 1 if `nil`.
  public var weight: [Float]?
  /// The shift of each channel; 0 if `nil`.
  public var bias: [Float]?
  /// What keeps the division finite.
  public var epsilon = 1e-5

  /// A normalisation that learned nothing.
  public init(groups: Int) { self.groups = groups }

  /// Normalises `x`.
  public func callAsFunction(_ x: FloatArray) -> FloatArray {
    let (n, channels, positions) = x.axes
    precondition(channels % groups == 0, "the groups do not divide the channels")
    let size = channels / groups * positions
    var y = x
    for group in 0..<n * groups {
      let indices = group * size..<(group + 1) * size
      y.normalize(indices, Moments(x, indices), epsilon)
    }
    return y.scaled(weight, bias)
  }
}

/// `y = (x - E[x]) / sqrt(Var[x] + ε) * weight + bias` with mean and variance over the positions of
/// one channel of one image.
///
/// `[n, channels, positions…]` to the same.
///
/// Source: Ulyanov, Vedaldi and Lempitsky, "Instance Normalization", 2016.
public struct InstanceNorm: Sendable {
  /// The scale of each channel; 1 if `nil`.
  public var weight: [Float]?
  /// The shift of each channel; 0 if `nil`.
  public var bias: [Float]?
  /// What keeps the division finite.
  public var epsilon = 1e-5

  /// A normalisation that learned nothing.
  public init() {}

  /// Normalises `x`.
  public func callAsFunction(_ x: FloatArray) -> FloatArray {
    var groups = GroupNorm(groups: x.axes.channels)
    groups.weight = weight
    groups.bias = bias
    groups.epsilon = epsilon
    return groups(x)
  }
}

/// `y = (x - E[x]) / sqrt(Var[x] + ε) * weight + bias` with mean and variance over the last axis.
///
/// `[…, width]` to the same. The text encoder and the transformers of the U-Net have it.
///
/// Source: Ba, Kiros and Hinton, "Layer Normalization", 2016.
public struct LayerNorm: Sendable {
  /// The scale of each position of the last axis; 1 if `nil`.
  public var weight: [Float]?
  /// The shift of each position of the last axis; 0 if `nil`.
  public var bias: [Float]?
  /// What keeps the division finite.
  public var epsilon = 1e-5

  /// A normalisation that learned nothing.
  public init() {}

  /// Normalises `x`.
  public func callAsFunction(_ x: FloatArray) -> FloatArray {
    let width = x.shape.last ?? 1
    var y = x
    for start in stride(from: 0, to: x.values.count, by: max(1, width)) {
      let indices = start..<start + width
      y.normalize(indices, Moments(x, indices), epsilon)
      for (offset, index) in indices.enumerated() {
        y.values[index] = y.values[index] * (weight?[offset] ?? 1) + (bias?[offset] ?? 0)
      }
    }
    return y
  }
}

/// `y = x / sqrt(E[x²] + ε) * weight`, over the last axis: no mean is taken away.
///
/// `[…, width]` to the same.
///
/// Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
public struct RMSNorm: Sendable {
  /// The scale of each position of the last axis; 1 if `nil`.
  public var weight: [Float]?
  /// What keeps the division finite.
  public var epsilon = 1e-5

  /// A normalisation that learned nothing.
  public init() {}

  /// Normalises `x`.
  public func callAsFunction(_ x: FloatArray) -> FloatArray {
    let width = x.shape.last ?? 1
    var y = x
    for start in stride(from: 0, to: x.values.count, by: max(1, width)) {
      let squares = x.values[start..<start + width].reduce(0) { $0 + Double($1) * Double($1) }
      let factor = 1 / (squares / Double(width) + epsilon).squareRoot()
      for offset in 0..<width {
        y.values[start + offset] =
          Float(Double(x.values[start + offset]) * factor) * (weight?[offset] ?? 1)
      }
    }
    return y
  }
}

/// `y = x / sqrt(E[x²] + ε)`, over the channels of one position.
///
/// `[n, channels, positions…]` to the same; nothing is learned.
///
/// Source: Karras et al., "Progressive Growing of GANs", 2018.
public struct PixelNorm: Sendable {
  /// What keeps the division finite.
  public var epsilon = 1e-8

  /// A normalisation with the usual ε.
  public init() {}

  /// Normalises `x`.
  public func callAsFunction(_ x: FloatArray) -> FloatArray {
    let (n, channels, positions) = x.axes
    var y = x
    for image in 0..<n {
      for position in 0..<positions {
        let indices = (0..<channels).map { (image * channels + $0) * positions + position }
        let squares = indices.reduce(0) { $0 + Double(x.values[$1]) * Double(x.values[$1]) }
        let factor = 1 / (squares / Double(channels) + epsilon).squareRoot()
        for index in indices { y.values[index] = Float(Double(x.values[index]) * factor) }
      }
    }
    return y
  }
}

extension FloatArray {
  /// Scaled and shifted by channel.
  fileprivate func scaled(_ weight: [Float]?, _ bias: [Float]?) -> FloatArray {
    guard weight != nil || bias != nil else { return self }
    let (n, channels, positions) = axes
    var y = self
    for channel in 0..<n * channels {
      let factor = weight?[channel % channels] ?? 1, shift = bias?[channel % channels] ?? 0
      for index in channel * positions..<(channel + 1) * positions {
        y.values[index] = values[index] * factor + shift
      }
    }
    return y
  }
}
