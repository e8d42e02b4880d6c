import StableDiffusion
import Tensors

/// A tensor for tests; sizes in tests never overflow.
func tensor(_ name: String, _ shape: [Int], _ dtype: DType = .f16) -> TensorInfo {
  guard let info = try? TensorInfo(name: TensorName(name), dtype: dtype, shape: shape) else {
    preconditionFailure("\(name) has no size")
  }
  return info
}

/// The tensors of a whole model in one file, as the original checkpoints spell them.
func checkpoint(
  _ dimensions: Dimensions = .sd15, components: Set<Component> = Set(Component.allCases)
) -> [TensorInfo] {
  Schema(dimensions).parameters.filter { components.contains($0.component) }.map {
    tensor($0.name(in: .ldm), $0.shape)
  }
}

/// The tensors of a whole model in a diffusers folder.
func folder(_ dimensions: Dimensions = .sd15) -> [TensorInfo] {
  Schema(dimensions).parameters.map { tensor($0.folderName, $0.shape(in: .diffusers)) }
}

/// The tensors of one component in a file of its own.
func alone(
  _ component: Component, _ naming: Naming, _ dimensions: Dimensions = .sd15
) -> [TensorInfo] {
  Schema(dimensions).parameters(of: component).map { parameter in
    let name = parameter.name(in: naming)
    return tensor(
      naming == .ldm ? String(name.dropFirst(component.ldmPrefix.count)) : name,
      parameter.shape(in: naming))
  }
}

/// The moving averages of a U-Net.
func averages(_ dimensions: Dimensions = .sd15) -> [TensorInfo] {
  Schema(dimensions).parameters.compactMap { parameter in
    parameter.averageName.map { tensor($0, parameter.shape, .f32) }
  } + [tensor("model_ema.decay", [], .f32), tensor("model_ema.num_updates", [], .i32)]
}

/// The buffers beside the parameters of the original checkpoints.
let buffers: [TensorInfo] =
  [
    "betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod",
    "sqrt_one_minus_alphas_cumprod", "log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod",
    "sqrt_recipm1_alphas_cumprod", "posterior_variance", "posterior_log_variance_clipped",
    "posterior_mean_coef1", "posterior_mean_coef2",
  ].map { tensor($0, [1000], .f32) } + [
    tensor(KnownExtra.positionIDsName.string, [1, 77], .i64)
  ]

extension [TensorInfo] {
  /// The same tensors, but for one with another shape.
  func reshaping(_ name: String, _ shape: [Int]) -> [TensorInfo] {
    map { $0.name == TensorName(name) ? tensor(name, shape, $0.dtype) : $0 }
  }

  /// The same tensors, in an order that depends only on `seed`.
  func shuffled(seed: UInt64) -> [TensorInfo] {
    var generator = SplitMix(state: seed)
    return shuffled(using: &generator)
  }
}

/// Random numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z &>> 31)
  }
}
