/// Which generator the random numbers of a picture come from.
public enum NoiseKind: String, CaseIterable, Sendable {
  /// PyTorch's on a CPU; see ``TorchNoise``.
  case torch
  /// PyTorch's on an Nvidia card; see ``PhiloxNoise``.
  case philox
}

/// The random numbers of one picture.
public enum NoiseGenerator: Sendable {
  /// As on a CPU.
  case torch(TorchNoise)
  /// As on an Nvidia card.
  case philox(PhiloxNoise)

  /// The sequence of a seed.
  public init(_ kind: NoiseKind, seed: UInt64) {
    switch kind {
    case .torch: self = .torch(TorchNoise(seed: seed))
    case .philox: self = .philox(PhiloxNoise(seed: seed))
    }
  }

  /// The next `count` normal numbers.
  public mutating func normals(_ count: Int) -> [Float] {
    switch self {
    case .torch(var noise):
      defer { self = .torch(noise) }
      return noise.normals(count)
    case .philox(var noise):
      defer { self = .philox(noise) }
      return noise.normals(count)
    }
  }
}
