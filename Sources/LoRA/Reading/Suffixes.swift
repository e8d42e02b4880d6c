import Tensors

/// A tensor's name, taken apart: the module as the file spells it, and what the tensor is for it.
struct SplitName {
  let stem: TensorName
  let slot: Slot
  let style: SuffixStyle
}

/// The ends of names, whatever stands before them.
enum Suffixes {
  /// Takes `name` apart, or gives `nil` if it does not end like a tensor of an adapter.
  static func split(_ name: TensorName) -> SplitName? {
    let bytes = Array(name.utf8)
    guard bytes.count <= maximumLength else { return nil }
    let dots = bytes.indices.filter { bytes[$0] == UInt8(ascii: ".") }
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    // First, as `weight` alone is an end, too: to_q_lora.down.weight
    for (end, slot) in [("_lora.down.weight", Slot.down), ("_lora.up.weight", .up)]
    where name.hasSuffix(end) {
      return SplitName(
        stem: TensorName(text(0..<bytes.count - end.utf8.count)), slot: slot, style: .diffusers)
    }
    if let named = adapterNamed(bytes, dots) { return named }
    for count in [4, 3, 2, 1] where dots.count >= count {
      let dot = dots[dots.count - count]
      guard let (slot, style) = table[text(dot + 1..<bytes.count)] else { continue }
      return SplitName(stem: TensorName(text(0..<dot)), slot: slot, style: style)
    }
    return nil
  }

  /// No real name comes near; the longest are those of PEFT.
  static let maximumLength = 512

  /// `lora_A.default.weight`: the adapter has a name, which says nothing here.
  private static func adapterNamed(_ bytes: [UInt8], _ dots: [Int]) -> SplitName? {
    let end = bytes.suffix(7).elementsEqual(".weight".utf8)
    let back = end ? 3 : 2
    guard dots.count >= back else { return nil }
    let start = dots[dots.count - back], stop = dots[dots.count - back + 1]
    let slot: Slot
    switch String(decoding: bytes[start + 1..<stop], as: UTF8.self) {
    case "lora_A" where end: slot = .down
    case "lora_B" where end: slot = .up
    case "lora_magnitude_vector": slot = .magnitude
    default: return nil
    }
    return SplitName(
      stem: TensorName(String(decoding: bytes[..<start], as: UTF8.self)), slot: slot, style: .peft)
  }

  private static let table: [String: (Slot, SuffixStyle)] = {
    var all: [String: (Slot, SuffixStyle)] = [:]
    func add(_ style: SuffixStyle, _ slots: [String: Slot]) {
      for (name, slot) in slots { all[name] = (slot, style) }
    }
    add(
      .kohya,
      [
        "lora_down.weight": .down, "lora_up.weight": .up, "lora_mid.weight": .middle,
        "lora_down": .down, "lora_up": .up, "alpha": .alpha, "dora_scale": .doraScale,
        "scale": .scale, "diff": .difference, "diff_b": .biasDifference,
        "set_weight": .replacement, "reshape_weight": .reshape,
      ])
    add(
      .lycoris,
      [
        "hada_w1_a": .hadamard1A, "hada_w1_b": .hadamard1B, "hada_w2_a": .hadamard2A,
        "hada_w2_b": .hadamard2B, "hada_t1": .hadamardCore1, "hada_t2": .hadamardCore2,
        "lokr_w1": .left, "lokr_w1_a": .leftA, "lokr_w1_b": .leftB, "lokr_t1": .leftCore,
        "lokr_w2": .right, "lokr_w2_a": .rightA, "lokr_w2_b": .rightB, "lokr_t2": .rightCore,
        "a1.weight": .a1, "a2.weight": .a2, "b1.weight": .b1, "b2.weight": .b2, "bm.weight": .bm,
        "weight": .weight, "on_input": .onInput, "w_norm": .normWeight, "b_norm": .normBias,
        "oft_blocks": .blocks, "rescale": .rescale, "oft_diag": .rotations,
        "bias_indices": .sparseIndices, "bias_values": .sparseValues, "bias_size": .sparseSize,
        "q_layer.weight": .timeDependent, "p_layer.weight": .timeDependent,
        "lambda_layer": .timeDependent,
      ])
    add(
      .peft,
      [
        "lora_A.weight": .down, "lora_B.weight": .up, "lora_A": .down, "lora_B": .up,
        "lora_B.bias": .upBias, "lora_magnitude_vector": .magnitude,
        "lora_magnitude_vector.weight": .magnitude, "ia3_l": .ratio,
        "oft_R.weight": .inputBlocks, "boft_R": .inputButterflies, "boft_s": .inputRescale,
      ])
    add(
      .diffusers,
      [
        "lora.down.weight": .down, "lora.up.weight": .up, "lora.alpha": .alpha,
        "lora_linear_layer.down.weight": .down, "lora_linear_layer.up.weight": .up,
        "lora_linear_layer.alpha": .alpha,
      ])
    add(
      .hcp,
      [
        "___.layer.W_down": .down, "___.layer.W_up": .up, "___.lora_down.weight": .down,
        "___.lora_up.weight": .up, "___.alpha": .alpha, "___.layer.alpha": .alpha,
      ])
    return all
  }()
}
