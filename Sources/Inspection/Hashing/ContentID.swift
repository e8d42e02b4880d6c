import Crypto
public import Tensors

/// What a model is, whatever it lies in: equal for every container, order and header.
///
/// SHA-256 over the line `sdtool content 1` and a newline, and then for each tensor, sorted by the
/// bytes of its name: the name, the name of its type, the number of its axes, its size along each,
/// and the SHA-256 of its values as contiguous little-endian bytes. Numbers are eight bytes, the
/// lowest first; texts have their length in bytes before them, as a number.
///
///     let id = ContentID(try model.tensorHashes(roundingToHalf: true, width: 2))
///     id.exact   // equal: the same tensors
///     id.half    // equal: the same weights, perhaps in another precision
public struct ContentID: Hashable, Sendable {
  /// Equal when all tensors are.
  public let exact: Digest
  /// Equal when all tensors are after floating-point values are rounded to F16.
  public let half: Digest

  /// The identity of tensors that were hashed with `roundingToHalf`.
  ///
  /// - Parameters:
  ///   - hashes: the tensors.
  ///   - canonical: what to call a tensor, and which shape to give it; `nil` leaves it out. With
  ///     it, models in different naming layouts are equal; without it, names count as they are.
  public init(
    _ hashes: [TensorHash], canonical: (TensorInfo) -> TensorInfo? = { $0 }
  ) {
    let named = hashes.compactMap { hash in canonical(hash.tensor).map { ($0, hash) } }
    exact = Self.digest(named.map { ($0, $0.dtype, $1.sha256) })
    half = Self.digest(
      named.map { ($0, $0.dtype.isFloatingPoint ? .f16 : $0.dtype, $1.halfSHA256) })
  }

  private static func digest(_ tensors: [(info: TensorInfo, dtype: DType, Digest)]) -> Digest {
    var hash = SHA256()
    hash.update(data: Array("sdtool content 1\n".utf8))
    // Names are unique in a container, but need not be after renaming.
    let sorted = tensors.sorted { a, b in
      if a.0.name != b.0.name { return a.0.name < b.0.name }
      if a.0.shape != b.0.shape { return a.0.shape.lexicographicallyPrecedes(b.0.shape) }
      return (a.1, a.2) < (b.1, b.2)
    }
    for (info, dtype, digest) in sorted {
      hash.update(info.name.string)
      hash.update(dtype.name)
      hash.update(info.shape.count)
      for extent in info.shape { hash.update(extent) }
      hash.update(data: digest.bytes)
    }
    return Digest(hash)
  }
}
