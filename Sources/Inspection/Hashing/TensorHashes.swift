import Crypto
public import Tensors

/// What one tensor is, and the digest of its values.
public struct TensorHash: Hashable, Sendable {
  /// Its name, type and shape.
  public let tensor: TensorInfo
  /// SHA-256 of its values as contiguous little-endian bytes.
  public let sha256: Digest
  /// The same with floating-point values rounded to F16; ``sha256`` when they are F16 already or no
  /// floating-point values.
  public let halfSHA256: Digest
}

extension TensorSource {
  /// Reads every tensor, checks what carries a check sum, and hashes the values.
  ///
  /// - Parameters:
  ///   - selection: the positions of the tensors to hash; all of them unless given.
  ///   - roundingToHalf: whether to compute ``TensorHash/halfSHA256`` too; without it, it equals
  ///     ``TensorHash/sha256``.
  ///   - width: the number of threads.
  /// - Returns: the hashes in the order of `selection`.
  /// - Throws: when the tensors cannot be read, or a file changed meanwhile.
  public func tensorHashes(
    of selection: [Int]? = nil, roundingToHalf: Bool = false, width: Int
  ) throws(Fault) -> [TensorHash] {
    try verifyChecksums(width: width)
    let selection = selection ?? Array(tensors.indices)
    // The largest first, so that no thread is left with one at the end.
    let order = selection.indices.sorted {
      (tensors[selection[$1]].byteCount, $0) < (tensors[selection[$0]].byteCount, $1)
    }
    let results = Results(repeating: TensorHash?.none, count: selection.count)
    try forEachIndex(
      below: order.count, width: width, local: { Buffer(byteCount: Self.pieceByteCount) }
    ) { (index, buffer: inout Buffer) throws(Fault) in
      results[order[index]] = try hash(
        selection[order[index]], roundingToHalf: roundingToHalf, buffer: buffer)
    }
    try checkUnchanged()
    return results.values.compactMap { $0 }
  }

  private func hash(
    _ index: Int, roundingToHalf: Bool, buffer: Buffer
  ) throws(Fault) -> TensorHash {
    let tensor = tensors[index]
    let rounding =
      roundingToHalf && tensor.dtype.isFloatingPoint && tensor.dtype != .f16
      ? Conversion(from: tensor.dtype, to: .f16) : nil
    let room = rounding == nil ? nil : Buffer(byteCount: 2 * Self.pieceByteCount)
    var exact = SHA256()
    var rounded = SHA256()
    try read(whole: index, through: buffer) { (_, bytes) throws(Fault) in
      exact.update(bytes)
      if let rounding, let room {
        var halves = room.bytes(bytes.byteCount * 16 / rounding.source.bitCount)
        rounding.convert(bytes, into: &halves)
        rounded.update(halves.bytes)
      }
    }
    let digest = Digest(exact)
    return TensorHash(
      tensor: tensor, sha256: digest, halfSHA256: rounding == nil ? digest : Digest(rounded))
  }
}
