import StableDiffusion
import Tensors

/// The tensors of a synthetic model under construction.
struct TensorList {
  private(set) var tensors: [TensorInfo] = []
  private(set) var contents: [SyntheticModel.Content] = []

  private let seed: UInt64
  private let dtype: DType

  init(seed: UInt64, dtype: DType) {
    self.seed = seed
    self.dtype = dtype
  }

  /// Adds noise under `name`; `source` names the noise where it is to be shared.
  private mutating func add(
    _ name: TensorName, _ shape: [Int], as dtype: DType? = nil, mean: Double = 0,
    deviation: Double
  ) {
    // Shapes come from the declared network, whose sizes cannot overflow.
    guard let info = try? TensorInfo(name: name, dtype: dtype ?? self.dtype, shape: shape) else {
      return
    }
    tensors.append(info)
    contents.append(
      .noise(Noise(seed: seed, name: name, mean: mean, standardDeviation: deviation)))
  }

  /// Adds every parameter of the network, or of one component under its own names.
  mutating func addNetwork(_ schema: Schema, only component: Component?) {
    for parameter in schema.parameters where component == nil || parameter.component == component {
      let full = TensorName(parameter.name(in: .ldm))
      let bare = full.dropping(prefix: parameter.component.ldmPrefix)
      let name = component == nil ? full : bare ?? full
      let (mean, deviation) = Self.distribution(of: parameter)
      add(name, parameter.shape, mean: mean, deviation: deviation)
    }
    if component == nil,
      let positions = try? TensorInfo(
        name: KnownExtra.positionIDsName, dtype: .i64,
        shape: [1, schema.dimensions[.positions]])
    {
      tensors.append(positions)
      contents.append(.positions)
    }
  }

  /// Adds the moving averages of the U-Net, and what stands for the noise schedule.
  mutating func addTrainingState(_ schema: Schema) {
    for parameter in schema.parameters(of: .unet) {
      guard let name = parameter.averageName else { continue }
      let (mean, deviation) = Self.distribution(of: parameter)
      add(TensorName(name), parameter.shape, mean: mean, deviation: deviation)
    }
    for name in [
      "betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod",
      "sqrt_one_minus_alphas_cumprod", "log_one_minus_alphas_cumprod",
      "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod", "posterior_variance",
      "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2",
    ] {
      add(TensorName(name), [1000], as: .f32, mean: 0.5, deviation: 0.1)
    }
  }

  /// Adds the two factors and α of each module that kohya's scripts train by default.
  mutating func addLoRA(_ schema: Schema, rank: Int) {
    for parameter in schema.parameters where parameter.isDefaultLoRATarget {
      guard let module = parameter.module.loraName(in: parameter.component) else { continue }
      let kernel = Array(parameter.shape.dropFirst(2))
      let inputs = parameter.shape[1]
      add(
        TensorName(module + ".lora_down.weight"), [rank, inputs] + kernel,
        deviation: 1 / Double(inputs).squareRoot())
      add(
        TensorName(module + ".lora_up.weight"), [parameter.shape[0], rank] + kernel,
        deviation: 0.01)
      add(TensorName(module + ".alpha"), [], mean: Double(rank), deviation: 0)
    }
  }

  /// Middle and spread of a parameter's values.
  private static func distribution(of parameter: Parameter) -> (mean: Double, deviation: Double) {
    switch (parameter.role, parameter.slot) {
    case (.groupNorm, .weight), (.layerNorm, .weight): (1, 0.02)
    case (.embedding, _): (0, 0.02)
    case (_, .bias): (0, 0.01)
    case (.conv, .weight), (.linear, .weight):
      (0, 0.6 / Double(parameter.shape.dropFirst().reduce(1, *)).squareRoot())
    }
  }
}

extension Parameter {
  /// Whether kohya's scripts train the layer unless told otherwise: every matrix of the U-Net's
  /// transformers, and of the text encoder's layers.
  fileprivate var isDefaultLoRATarget: Bool {
    guard slot == .weight else { return false }
    switch component {
    case .vae: return false
    case .textEncoder: return role == .linear
    case .unet:
      return (role == .linear || role == .conv)
        && modules.contains { $0.className == "SpatialTransformer" }
    }
  }
}
