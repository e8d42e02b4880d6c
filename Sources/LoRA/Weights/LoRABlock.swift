public import StableDiffusion

/// A block that LoRA block weights can address: the text encoder, or a place of the U-Net.
public enum LoRABlocks {
  /// The 26 blocks in the order of a full vector: `BASE`, `IN00`…`IN11`, `M00`, `OUT00`…`OUT11`.
  public static let all: [Place] = [.clip] + unet

  private static let unet: [Place] =
    (0..<12).compactMap(Place.input) + [.m00] + (0..<12).compactMap(Place.output)

  /// The blocks that a vector of `count` values lists, or `nil` for another length.
  ///
  /// 26 for everything; 17 for what has attention in Stable Diffusion 1.x; 12 and 20 for the same
  /// of SDXL, and its whole. Source: sd-webui-lora-block-weight.
  public static func listed(_ count: Int) -> [Place]? {
    func places(_ inputs: [Int], _ outputs: ClosedRange<Int>) -> [Place] {
      [.clip] + inputs.compactMap(Place.input) + [.m00] + outputs.compactMap(Place.output)
    }
    return switch count {
    case 26: all
    case 17: places([1, 2, 4, 5, 7, 8], 3...11)
    case 12: places([4, 5, 7, 8], 0...5)
    case 20: places(Array(0...8), 0...8)
    default: nil
    }
  }

  /// The usual name of a block: `BASE` for the text encoder.
  public static func name(_ place: Place) -> String { place == .clip ? "BASE" : "\(place)" }

  /// The block called `name`.
  static func block(_ name: some StringProtocol) -> Place? {
    let name = name.uppercased()
    if name == "BASE" { return .clip }
    // IN1 is IN01.
    for (prefix, make) in [("IN", Place.input), ("OUT", Place.output)]
      as [(String, (Int) -> Place?)]
    where name.hasPrefix(prefix) {
      if let number = Int(name.dropFirst(prefix.count)) { return make(number) }
    }
    return name == "MID" || name == "M00" ? .m00 : nil
  }
}
