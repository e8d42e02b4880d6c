/// Which tensor of an adapter a name stands for.
enum Slot: Hashable, Sendable {
  // LoRA and LoCon.
  case up, down, middle, upBias
  // All algebras.
  case alpha, scale, doraScale, magnitude, difference, biasDifference, replacement, reshape
  // LoHa.
  case hadamard1A, hadamard1B, hadamard2A, hadamard2B, hadamardCore1, hadamardCore2
  // LoKr.
  case left, leftA, leftB, leftCore, right, rightA, rightB, rightCore
  // GLoRA.
  case a1, a2, b1, b2, bm
  // IA3.
  case weight, onInput, ratio
  // Normalisations.
  case normWeight, normBias
  // OFT and BOFT.
  case blocks, rescale, rotations
  // OFT and BOFT of PEFT, which turn the inputs.
  case inputBlocks, inputButterflies, inputRescale
  // Sparse differences.
  case sparseIndices, sparseValues, sparseSize
  // What no merge can express.
  case timeDependent

  /// Tensors that say how, but are no change by themselves.
  var isSetting: Bool {
    switch self {
    case .alpha, .scale, .doraScale, .magnitude, .rescale, .onInput: true
    default: false
    }
  }
}
