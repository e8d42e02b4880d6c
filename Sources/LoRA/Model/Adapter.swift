/// By what algebra an adapter changes a weight, with the tensors that it is made of.
///
/// `W` is the weight as a matrix: the outputs by everything else, `[out, in × kernel]`. Shapes are
/// those of the file; a factor of two axes may stand for one of four. Sources: the papers and the
/// implementations in sd-scripts, LyCORIS and PEFT.
public enum Adapter: Hashable, Sendable {
  /// LoRA and LoCon: `ΔW = s · up · down`, `up` `[out, r]`, `down` `[r, in × kernel]`.
  ///
  /// With `mid` `[r, r, kh, kw]` (Tucker) `down` is `[r, in]` and each position of the kernel is
  /// `up · mid[:, :, y, x] · down`.
  case lowRank(up: Factor, down: Factor, mid: Factor?)
  /// LoHa: `ΔW = s · (w1a · w1b) ⊙ (w2a · w2b)`.
  case hadamard(HadamardFactor, HadamardFactor)
  /// LoKr: `ΔW = s · left ⊗ right`, the Kronecker product.
  case kronecker(left: KroneckerFactor, right: KroneckerFactor)
  /// GLoRA: `ΔW = s · (W · a1 · a2 + b1 · b2)`, in the newer layout: `a1` `[in, r]`, `a2` `[r, in]`,
  /// `b1` `[out, r]`, `b2` `[r, in]`.
  case generalized(a1: Factor, a2: Factor, b1: Factor, b2: Factor)
  /// GLoRA in the older layout: `ΔW = s · (W · a2 · a1 + b2 · b1)`.
  case oldGeneralized(a1: Factor, a2: Factor, b1: Factor, b2: Factor)
  /// IA3: every row of `W` times `1 + m · scale`, or every column if `onInput`.
  case scaling(Factor, onInput: Bool)
  /// IA3 as PEFT has it: every column of `W` times `1 + m · (factor − 1)`, or every row and the bias
  /// unless `onInput`, which is `nil` where neither shape nor settings tell it.
  case ratio(Factor, onInput: Bool?)
  /// The difference itself: `ΔW = diff`.
  case full(Factor)
  /// The scale of a normalisation: `Δweight = w_norm`.
  case norm(Factor)
  /// The weight itself, which replaces what is there.
  case replacement(Factor)
  /// Nothing happens to the weight; only the bias changes.
  case biasOnly
  /// An orthogonal matrix for each block of outputs.
  case orthogonal(OrthogonalAdapter)
  /// An orthogonal matrix for the inputs, as PEFT has it.
  case inputRotation(InputRotation)

  /// Which algebra it is.
  public var kind: AdapterKind {
    switch self {
    case .lowRank(_, _, nil): .lora
    case .lowRank: .tucker
    case .hadamard: .loha
    case .kronecker: .lokr
    case .generalized, .oldGeneralized: .glora
    case .scaling, .ratio: .ia3
    case .full: .full
    case .norm: .norm
    case .replacement: .replacement
    case .biasOnly: .bias
    case .orthogonal(let adapter): adapter.form == .butterfly ? .boft : .oft
    case .inputRotation(let rotation): rotation.form == .butterflies ? .boft : .oft
    }
  }

  /// All tensors that it is made of.
  public var factors: [Factor] {
    switch self {
    case .lowRank(let up, let down, let mid): [up, down] + (mid.map { [$0] } ?? [])
    case .hadamard(let a, let b): a.factors + b.factors
    case .kronecker(let left, let right): left.factors + right.factors
    case .generalized(let a1, let a2, let b1, let b2),
      .oldGeneralized(let a1, let a2, let b1, let b2):
      [a1, a2, b1, b2]
    case .scaling(let factor, _), .ratio(let factor, _), .full(let factor), .norm(let factor),
      .replacement(let factor):
      [factor]
    case .biasOnly: []
    case .orthogonal(let adapter): [adapter.blocks] + (adapter.rescale.map { [$0] } ?? [])
    case .inputRotation(let rotation): [rotation.blocks] + (rotation.rescale.map { [$0] } ?? [])
    }
  }
}

/// The name of an algebra.
public enum AdapterKind: String, CaseIterable, Sendable {
  case lora = "LoRA"
  case tucker = "LoCon with Tucker core"
  case loha = "LoHa"
  case lokr = "LoKr"
  case glora = "GLoRA"
  case ia3 = "IA3"
  case full = "full difference"
  case norm = "norm difference"
  case bias = "bias difference"
  case replacement = "replacement"
  case oft = "OFT"
  case boft = "BOFT"
}

/// One of the two products of a LoHa: `a · b`, or with `core` `[r, r, kh, kw]` at each position of
/// the kernel `aᵀ · core[:, :, y, x] · b`, where `a` is `[r, out]` and `b` `[r, in]`.
public struct HadamardFactor: Hashable, Sendable {
  /// `[out, r]`, or `[r, out]` with a core.
  public let a: Factor
  /// `[r, in × kernel]`, or `[r, in]` with a core.
  public let b: Factor
  /// The Tucker core, if there is one.
  public let core: Factor?

  /// The tensors.
  public var factors: [Factor] { [a, b] + (core.map { [$0] } ?? []) }
}

/// One side of a LoKr.
public enum KroneckerFactor: Hashable, Sendable {
  /// The matrix, or kernel, itself.
  case whole(Factor)
  /// `a · b`.
  case product(a: Factor, b: Factor)
  /// At each position of the kernel `aᵀ · core[:, :, y, x] · b`: `core` `[r, r, kh, kw]`,
  /// `a` `[r, out]`, `b` `[r, in]`.
  case tucker(core: Factor, a: Factor, b: Factor)

  /// The tensors.
  public var factors: [Factor] {
    switch self {
    case .whole(let factor): [factor]
    case .product(let a, let b): [a, b]
    case .tucker(let core, let a, let b): [core, a, b]
    }
  }
}

/// Rotations of blocks of outputs.
public struct OrthogonalAdapter: Hashable, Sendable {
  /// What the blocks are.
  public enum Form: Hashable, Sendable {
    /// LyCORIS: `[count, size, size]`, from which `Q = B − Bᵀ` and `R = (I + Q)(I − Q)⁻¹`.
    case skew
    /// The same as sd-scripts bounds it: `(min(‖Q‖, c) + ε) / (‖Q‖ + ε)`.
    case kohyaSkew
    /// The rotations themselves.
    case rotation
    /// `[factors, count, size, size]`: BOFT, a product of butterflies.
    case butterfly
  }

  /// What the blocks are.
  public let form: Form
  /// The blocks.
  public let blocks: Factor
  /// What multiplies each output at the end, `[out, 1, …]`.
  public let rescale: Factor?
  /// α: the bound on ‖Q‖ divided by the number of outputs; 0 for none.
  public let constraint: Double
}
