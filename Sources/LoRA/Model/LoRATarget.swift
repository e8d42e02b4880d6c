public import StableDiffusion

/// A module of the network that an adapter may change: one with a weight, in U-Net or text encoder.
///
/// Whatever its widths: shapes are known only together with a model.
///
///     LoRATarget.all.count   // 490 with the widths of Stable Diffusion 1.5
public struct LoRATarget: Hashable, Sendable {
  /// The position of its weight in the declaration that has every parameter.
  package let weight: Int
  /// The position of its bias there, if it has one.
  package let bias: Int?
  /// Its path in both namings, below its component.
  public let path: ModulePath
  /// What it does.
  public let operation: LayerOperation
  /// The model it belongs to.
  public let component: Component
  /// Where block weights find it.
  public let place: Place
  /// Whether only networks of other widths than Stable Diffusion 1.5 have it.
  public let isOptional: Bool

  /// All of them, in network order.
  public static let all: [LoRATarget] = {
    let parameters = Schema.complete.parameters
    return parameters.indices.compactMap { index in
      let weight = parameters[index]
      guard weight.slot == .weight, weight.component != .vae else { return nil }
      let next = index + 1
      let hasBias =
        next < parameters.count && parameters[next].slot == .bias
        && parameters[next].module == weight.module
        && parameters[next].component == weight.component
      return LoRATarget(
        weight: index, bias: hasBias ? next : nil, path: weight.module,
        operation: weight.operation, component: weight.component, place: weight.place,
        isOptional: Schema.sd15.position(of: index) == nil)
    }
  }()

  /// The extents of the kernel: `[]` for a matrix or vector, `[3, 3]` for a 3×3 convolution.
  public var kernel: [Int] {
    if case .conv(let size, _, _) = operation { [size, size] } else { [] }
  }

  /// The name in kohya's files: `lora_unet_down_blocks_0_attentions_0_proj_in`.
  public var kohyaName: String { path.loraName(in: component) ?? "" }

  /// The name in diffusers' files: `unet.down_blocks.0.attentions.0.proj_in`.
  public var diffusersName: String { component.folder + "." + path.diffusers }

  /// The shape of the weight in a model with the widths of `schema`, as original checkpoints have
  /// it; `nil` if that network has no such module.
  public func weightShape(in schema: Schema) -> [Int]? {
    schema.position(of: weight).map { schema.parameters[$0].shape }
  }

  /// The tensor of a model that holds the weight, if it is there.
  public func weightTensor(in identity: ModelIdentity) -> Int? {
    identity.schema.position(of: weight).flatMap { identity.tensor(of: $0) }
  }

  /// The tensor of a model that holds the bias, if it is there.
  public func biasTensor(in identity: ModelIdentity) -> Int? {
    bias.flatMap { identity.schema.position(of: $0) }.flatMap { identity.tensor(of: $0) }
  }
}
