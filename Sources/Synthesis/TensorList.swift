import StableDiffusion
import Tensors

/// Tensors under construction, with where their values come from.
struct TensorList {
  private(set) var tensors: [TensorInfo] = []
  private(set) var values: [TensorValues] = []
  private let seed: UInt64
  private let dtype: DType

  init(seed: UInt64, dtype: DType) {
    self.seed = seed
    self.dtype = dtype
  }

  /// Adds a parameter of the network.
  mutating func add(_ parameter: Parameter) {
    addRandom(parameter.name(in: .ldm), parameter.shape, parameter.mean, parameter.deviation)
  }

  /// Adds the text encoder's table of positions.
  mutating func addPositions(_ count: Int) {
    addFixed(
      KnownExtra.positionIDsName.string, .i64, [1, count], (0..<count).map { Int64($0) }.bytes)
  }

  /// Adds the moving average of the U-Net, and its counters.
  mutating func addAverage(_ parameters: some Sequence<Parameter>) {
    for parameter in parameters {
      guard let name = parameter.averageName else { continue }
      addRandom(name, parameter.shape, parameter.mean, parameter.deviation)
    }
    addFixed("model_ema.decay", .f32, [], [Float(0.9999)].bytes)
    addFixed("model_ema.num_updates", .i32, [], [Int32(840_000)].bytes)
  }

  /// Adds the tables of the noise schedule.
  mutating func add(_ schedule: NoiseSchedule) {
    for table in schedule.tables {
      addFixed(table.name, .f32, [table.values.count], table.values.map { Float($0) }.bytes)
    }
  }

  /// Adds the matrices of a LoRA for the weight `parameter`.
  mutating func addLoRA(_ parameter: Parameter, rank: Int, alpha: Float) {
    guard let name = parameter.module.loraName(in: parameter.component) else { return }
    let output = parameter.shape[0]
    let input = parameter.shape[1]
    let kernel = parameter.shape.dropFirst(2)
    addFixed(name + ".alpha", .f32, [], [alpha].bytes)
    addRandom(name + ".lora_down.weight", [rank, input] + kernel, 0, parameter.deviation)
    // Training begins with zeros here; what it leaves is small.
    addRandom(name + ".lora_up.weight", [output, rank] + kernel.map { _ in 1 }, 0, 0.02)
  }

  private mutating func addRandom(
    _ name: String, _ shape: [Int], _ mean: Float, _ deviation: Float
  ) {
    let numbers = NormalValues(key: key(of: name), mean: mean, deviation: deviation)
    add(name, dtype, shape, .normal(numbers))
  }

  private mutating func addFixed(_ name: String, _ dtype: DType, _ shape: [Int], _ bytes: [UInt8]) {
    add(name, dtype, shape, .fixed(bytes))
  }

  /// A tensor that no memory could hold is left out; no network has one.
  private mutating func add(
    _ name: String, _ dtype: DType, _ shape: [Int], _ values: TensorValues
  ) {
    guard let info = try? TensorInfo(name: TensorName(name), dtype: dtype, shape: shape) else {
      return
    }
    tensors.append(info)
    self.values.append(values)
  }

  /// What the values of a tensor follow from: a hash of its name (FNV-1a) and the seed.
  private func key(of name: String) -> UInt64 {
    var hash = 0xCBF2_9CE4_8422_2325 as UInt64
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash ^ (seed &* 0x9E37_79B9_7F4A_7C15)
  }
}

extension Parameter {
  /// The mean of its random values: one for what multiplies a normalised value, else zero.
  fileprivate var mean: Float { isScale ? 1 : 0 }

  /// The deviation of its random values: small, and for weights such that a sum over all inputs has
  /// about the size of one input.
  fileprivate var deviation: Float {
    switch (role, slot) {
    case (.conv, .weight), (.linear, .weight):
      1 / Float(shape.dropFirst().reduce(1, &*)).squareRoot()
    case (.groupNorm, .weight), (.layerNorm, .weight): 0.05
    default: 0.02
    }
  }

  private var isScale: Bool {
    slot == .weight && (role == .groupNorm || role == .layerNorm)
  }

  /// Whether LoRAs target it by default: the linear layers and 1×1 convolutions of the U-Net's
  /// transformers, and the linear layers of the text encoder.
  var isLoRATarget: Bool {
    guard slot == .weight, role == .linear || role == .conv else { return false }
    switch component {
    case .unet: return modules.contains { $0.className == "SpatialTransformer" }
    case .textEncoder: return true
    case .vae: return false
    }
  }
}
