/// A module's path in both namings, below its component.
public struct ModulePath: Hashable, Sendable {
  /// In the original checkpoints, for example `input_blocks.1.0.in_layers.0`.
  public let ldm: String
  /// In diffusers, for example `down_blocks.0.resnets.0.norm1`.
  public let diffusers: String

  /// The path in `naming`.
  public func callAsFunction(in naming: Naming) -> String {
    switch naming {
    case .ldm: ldm
    case .diffusers: diffusers
    }
  }

  /// The module's name in a kohya LoRA file, or `nil` for the VAE, which LoRAs never target.
  public func loraName(in component: Component) -> String? {
    let prefix: String
    switch component {
    case .unet: prefix = "lora_unet_"
    case .textEncoder: prefix = "lora_te_"
    case .vae: return nil
    }
    return prefix + String(diffusers.map { $0 == "." ? "_" : $0 })
  }
}

/// A module on the way from a component to one of its parameters.
public struct ModuleLabel: Hashable, Sendable {
  /// The classic name of its class, for example `ResNetBlock`.
  public let className: String
  /// Its path.
  ///
  /// A block that is no module in the original checkpoints spans several: `input_blocks.1-3`.
  public let path: ModulePath
}

/// One tensor of the network: its names, shape and purpose, not its values.
public struct Parameter: Hashable, Sendable {
  /// Which of a layer's tensors it is.
  public enum Slot: String, Sendable {
    /// What is multiplied by, or looked up in.
    case weight
    /// What is added.
    case bias
  }

  /// The path of its layer.
  public let module: ModulePath
  /// Which of the layer's tensors it is.
  public let slot: Slot
  /// What the layer does.
  public let operation: LayerOperation
  /// Its size along each axis, as in the original checkpoints.
  public let shape: [Int]
  /// The model it belongs to.
  public let component: Component
  /// Where merge recipes find it.
  public let place: Place
  /// The modules around it, from the component's own to the layer.
  public let modules: [ModuleLabel]
  /// Whether diffusers stores a matrix `[out, in]` for this 1×1 convolution `[out, in, 1, 1]`.
  public let isMatrixInDiffusers: Bool
  /// Whether the network works without it.
  ///
  /// So for the way around a residual block whose number of channels does not change; never with
  /// the widths of SD 1.5.
  public let isOptional: Bool

  /// What the layer does, in one word.
  public var role: Role { operation.role }

  /// The number of values.
  public var elementCount: Int { shape.reduce(1, &*) }

  /// Its name in a file of that naming.
  ///
  /// In the original naming the whole name, with the component's prefix; in diffusers the name
  /// inside the component's folder.
  public func name(in naming: Naming) -> String {
    switch naming {
    case .ldm: component.ldmPrefix + module.ldm + "." + slot.rawValue
    case .diffusers: module.diffusers + "." + slot.rawValue
    }
  }

  /// Its diffusers name after folder and slash: `unet/conv_in.weight`.
  public var folderName: String { component.folder + "/" + name(in: .diffusers) }

  /// Its size along each axis in a file of that naming.
  public func shape(in naming: Naming) -> [Int] {
    naming == .diffusers && isMatrixInDiffusers ? Array(shape.prefix(2)) : shape
  }

  /// The name of its moving average in a checkpoint, or `nil` outside the U-Net.
  ///
  /// PyTorch forbids dots in the names of buffers, so training drops them.
  public var averageName: String? {
    component == .unet ? "model_ema." + name(in: .ldm).dropFirst("model.".count).withoutDots : nil
  }
}

extension StringProtocol {
  /// The text without its dots.
  var withoutDots: String {
    String(decoding: utf8.filter { $0 != UInt8(ascii: ".") }, as: UTF8.self)
  }
}
