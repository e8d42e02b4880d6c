import StableDiffusion
import Tensors

/// The order in which cloneofsimo's LoRAs number the modules.
///
/// They have no names: a file holds one pair of factors for each module that was found on a walk
/// through diffusers' U-Net, whose parts are down, up and middle, attention before residual blocks.
/// Source: cloneofsimo/lora and diffusers' declarations of the blocks.
struct NumberedModules {
  /// Positions in ``LoRATarget/all``, by number.
  let targets: [Int]

  /// The modules of the text encoder's attention: `k`, `v`, `q`, `out`, as transformers declares
  /// them.
  static let text: NumberedModules = {
    let byPath = positions(.textEncoder)
    return NumberedModules(
      targets: (0..<Dimensions.textLayers).flatMap { layer in
        ["k_proj", "v_proj", "q_proj", "out_proj"].compactMap {
          byPath["text_model.encoder.layers.\(layer).self_attn.\($0)"]
        }
      })
  }()

  /// The modules of the U-Net.
  ///
  /// - Parameters:
  ///   - withResiduals: whether residual blocks are numbered too.
  ///   - feedForwardFirst: whether the feed-forward layer comes before the second attention, as
  ///     with diffusers up to 0.14.
  /// - Returns: the modules, in the order of their numbers.
  static func unet(withResiduals: Bool, feedForwardFirst: Bool) -> NumberedModules {
    let byPath = positions(.unet)
    var targets: [Int] = []
    func add(_ paths: [String]) { targets += paths.compactMap { byPath[$0] } }
    func attention(_ path: String) {
      let block = path + ".transformer_blocks.0."
      let projections = ["to_q", "to_k", "to_v", "to_out.0"]
      let first = projections.map { block + "attn1." + $0 }
      let second = projections.map { block + "attn2." + $0 }
      let feedForward = [block + "ff.net.0.proj"]
      add(first + (feedForwardFirst ? feedForward + second : second + feedForward))
    }
    func residual(_ path: String) {
      guard withResiduals else { return }
      add(["conv1", "time_emb_proj", "conv2", "conv_shortcut"].map { path + "." + $0 })
    }
    for i in 0..<4 {
      if i < 3 { for j in 0..<2 { attention("down_blocks.\(i).attentions.\(j)") } }
      for j in 0..<2 { residual("down_blocks.\(i).resnets.\(j)") }
    }
    for i in 0..<4 {
      if i > 0 { for j in 0..<3 { attention("up_blocks.\(i).attentions.\(j)") } }
      for j in 0..<3 { residual("up_blocks.\(i).resnets.\(j)") }
    }
    attention("mid_block.attentions.0")
    for j in 0..<2 { residual("mid_block.resnets.\(j)") }
    return NumberedModules(targets: targets)
  }

  private static func positions(_ component: Component) -> [String: Int] {
    var positions: [String: Int] = [:]
    for (index, target) in LoRATarget.all.enumerated()
    where target.component == component && !target.isOptional {
      positions[target.path.diffusers] = index
    }
    return positions
  }

  /// The names of a list of factors without names: `0` and `1` are the upper and the lower factor of
  /// the first module, and so on.
  ///
  /// The component is told by the file's name only: `….text_encoder.pt` stands beside `….pt`.
  static func name(ofListed name: TensorName, in path: String) -> TensorName? {
    guard let number = Int(name.string), number >= 0, "\(number)" == name.string else { return nil }
    let component = path.hasSuffix(".text_encoder.pt") ? "text_encoder" : "unet"
    return TensorName("\(component):\(number / 2):\(number % 2 == 0 ? "up" : "down")")
  }

  /// `unet:12:up` taken apart.
  static func split(_ name: TensorName) -> (component: Component, number: Int, slot: Slot)? {
    let parts = name.string.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, let number = Int(parts[1]), number >= 0, number < 1_000_000 else {
      return nil
    }
    let component: Component
    switch parts[0] {
    case "unet": component = .unet
    case "text_encoder": component = .textEncoder
    default: return nil
    }
    switch parts[2] {
    case "up": return (component, number, .up)
    case "down": return (component, number, .down)
    case "alpha": return (component, number, .alpha)
    default: return nil
    }
  }
}
