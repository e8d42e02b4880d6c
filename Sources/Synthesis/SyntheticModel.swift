public import StableDiffusion
public import Tensors

/// A model made of random numbers, with every real name and shape.
///
/// Values are computed when they are read and follow from seed, name and position alone: the same
/// bytes on every machine, from any number of threads. They are scaled so that a forward pass stays
/// finite.
///
///     let model = SyntheticModel(preset: .sd15, seed: 1, dtype: .f16)
///     model.tensors.count   // 1131
public struct SyntheticModel: TensorSource {
  /// The tensors, in network order, with the names of single-file checkpoints.
  public let tensors: [TensorInfo]
  /// The texts that belong beside them.
  public let metadata: [MetadataEntry]
  /// What it is, in place of a path.
  public let path: String

  private let values: [TensorValues]

  /// The model `preset`.
  ///
  /// - Parameters:
  ///   - preset: what to make.
  ///   - seed: what the weights follow from.
  ///   - dtype: the type of the weights: F16, BF16, F32 or F64.
  public init(preset: SynthesisPreset, seed: UInt64, dtype: DType = .f16) {
    switch preset {
    case .lora: self.init(loraOf: preset.dimensions, rank: 8, alpha: 4, seed: seed, dtype: dtype)
    case .lora32:
      self.init(loraOf: preset.dimensions, rank: 32, alpha: 16, seed: seed, dtype: dtype)
    case .loraTiny:
      self.init(loraOf: preset.dimensions, rank: 4, alpha: 4, seed: seed, dtype: dtype)
    default:
      var list = TensorList(seed: seed, dtype: dtype)
      let schema = Schema(preset.dimensions)
      for component in preset.components {
        schema.parameters(of: component).forEach { list.add($0) }
        if component == .textEncoder { list.addPositions(preset.dimensions[.positions]) }
      }
      if preset == .sd15Full {
        list.addAverage(schema.parameters(of: .unet))
        list.add(NoiseSchedule())
      }
      self.init(
        list, path: "synthetic \(preset.rawValue)",
        metadata: [MetadataEntry(key: "format", value: "pt")])
    }
  }

  /// A whole model with the given widths.
  public init(dimensions: Dimensions, seed: UInt64, dtype: DType = .f16) {
    var list = TensorList(seed: seed, dtype: dtype)
    Schema(dimensions).parameters.forEach { list.add($0) }
    list.addPositions(dimensions[.positions])
    self.init(
      list, path: "synthetic model", metadata: [MetadataEntry(key: "format", value: "pt")])
  }

  /// A LoRA in kohya's format for the 192 modules of the U-Net's transformers and the 72 of the text
  /// encoder that are trained by default.
  ///
  /// Source: kohya-ss/sd-scripts, `networks/lora.py`.
  ///
  /// - Parameters:
  ///   - dimensions: the widths of the model it is for.
  ///   - rank: the inner extent of the two matrices of each module.
  ///   - alpha: the numerator of its scale, `alpha / rank`.
  ///   - seed: what the weights follow from.
  ///   - dtype: the type of the weights: F16, BF16, F32 or F64.
  public init(
    loraOf dimensions: Dimensions, rank: Int, alpha: Float, seed: UInt64, dtype: DType = .f16
  ) {
    var list = TensorList(seed: seed, dtype: dtype)
    for parameter in Schema(dimensions).parameters where parameter.isLoRATarget {
      list.addLoRA(parameter, rank: rank, alpha: alpha)
    }
    self.init(
      list, path: "synthetic lora",
      metadata: [
        MetadataEntry(key: "ss_base_model_version", value: "sd_v1"),
        MetadataEntry(key: "ss_network_alpha", value: "\(alpha)"),
        MetadataEntry(key: "ss_network_dim", value: "\(rank)"),
        MetadataEntry(key: "ss_network_module", value: "networks.lora"),
        MetadataEntry(key: "ss_v2", value: "False"),
      ])
  }

  private init(_ list: TensorList, path: String, metadata: [MetadataEntry]) {
    tensors = list.tensors
    values = list.values
    self.path = path
    self.metadata = metadata
  }

  /// What it would lie in.
  public var container: Container { .safetensors }
  /// Nothing.
  public var findings: [Fault] { [] }
  /// None.
  public var files: [InputFile] { [] }

  /// Always `nil`: the values are computed.
  public func extent(of index: Int) -> FileExtent? { nil }

  /// Computes bytes of tensor `index`; no place is slower than another.
  public func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    precondition(offset >= 0 && buffer.byteCount <= tensors[index].byteCount - offset)
    values[index].read(tensors[index].dtype, at: offset, into: &buffer)
  }
}
