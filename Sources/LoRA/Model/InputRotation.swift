/// PEFT's OFT and BOFT: `W' = s · W · Bᵀ`, where `B` is made of rotations of blocks of inputs; the
/// inputs of a kernel are all its values.
///
/// Source: PEFT's layers, from 0.14 on.
public struct InputRotation: Hashable, Sendable {
  /// What the blocks are.
  public enum Form: Hashable, Sendable {
    /// OFT: `[count, n · (n − 1) / 2]`, the upper triangles of skew-symmetric `Q`; one block may
    /// stand for all.
    case triangles(Cayley)
    /// BOFT: `[factors, count, n, n]`, from which `Q = (B − Bᵀ) / 2`; a product of butterflies.
    case butterflies
  }

  /// How a rotation follows from `Q`.
  public enum Cayley: Hashable, Sendable {
    /// `(I − Q)(I + Q)⁻¹`.
    case exact
    /// `I + 2Q + 2Q² + …`: so many terms of a Neumann series, as PEFT cuts it off.
    case series(terms: Int)
  }

  /// What the blocks are.
  public let form: Form
  /// The blocks.
  public let blocks: Factor
  /// What multiplies each output.
  public let rescale: Factor?
  /// The bound on ‖Q‖ of each block, if it has one.
  public let bound: Double?

  /// The extent of a block; 0 if the triangles are those of no matrix.
  public var size: Int {
    guard form != .butterflies else { return blocks.shape.last ?? 0 }
    let count = blocks.shape.last ?? 0
    // Beyond this no weight has so many inputs.
    guard count < 1 << 30 else { return 0 }
    let size = Int((1 + Double(1 + 8 * count).squareRoot()) / 2)
    return size * (size - 1) / 2 == count ? size : 0
  }

  /// The number of butterflies; 1 for OFT.
  var stageCount: Int { form == .butterflies ? blocks.shape.first ?? 0 : 1 }
}
