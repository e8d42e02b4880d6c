import StableDiffusion
public import Tensors

/// A model of random weights that exists only as it is read.
///
/// Every name and shape is real; values follow from seed, name and position alone, so that the same
/// model is the same on every machine, whatever order or thread it is read in. Weights are scaled by
/// the number of inputs of their layer, so that a forward pass stays finite.
///
///     let model = SyntheticModel(preset: .sd15Tiny, seed: 1, dtype: .f16)
///     model.tensors.count   // 1131
public struct SyntheticModel: TensorSource {
  /// All tensors, in network order.
  public let tensors: [TensorInfo]
  /// The texts beside the tensors.
  public let metadata: [MetadataEntry]
  /// What it is called.
  public let path: String

  private let contents: [Content]

  /// What the values of one tensor are.
  enum Content: Sendable {
    case noise(Noise)
    /// 0, 1, 2, … as 64-bit integers.
    case positions
  }

  /// A model of the given kind.
  ///
  /// - Parameters:
  ///   - preset: what to make.
  ///   - seed: the number that all values follow from.
  ///   - dtype: the type of the weights: F16, BF16 or F32.
  ///   - rank: the rank of a LoRA.
  public init(preset: SynthesisPreset, seed: UInt64, dtype: DType, rank: Int = 16) {
    path = preset.rawValue
    var list = TensorList(seed: seed, dtype: dtype)
    switch preset {
    case .lora, .loraTiny:
      list.addLoRA(Schema(preset.dimensions), rank: max(1, rank))
      metadata = LoRAMetadata.entries(rank: max(1, rank))
    default:
      list.addNetwork(Schema(preset.dimensions), only: preset.component)
      if preset == .sd15Full { list.addTrainingState(Schema(preset.dimensions)) }
      metadata = [MetadataEntry(key: "format", value: "pt")]
    }
    tensors = list.tensors
    contents = list.contents
  }

  /// ``Container/safetensors``: what it would be if it were a file.
  public var container: Container { .safetensors }
  /// Nothing is wrong with it.
  public var findings: [Fault] { [] }
  /// It lies in no file.
  public var files: [InputFile] { [] }
  /// It lies nowhere.
  public func extent(of index: Int) -> FileExtent? { nil }

  /// Computes the values that lie in the range.
  public func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    guard let size = tensors[index].dtype.byteCount, buffer.byteCount > 0 else { return }
    let first = offset / size
    let last = (offset + buffer.byteCount + size - 1) / size
    if offset % size == 0, buffer.byteCount % size == 0 {
      fill(&buffer, index, from: first)
      return
    }
    // The range cuts through values: whole ones are made, and the part copied.
    var whole = [UInt8](repeating: 0, count: (last - first) * size)
    var span = whole.mutableSpan
    var raw = unsafe span.mutableBytes
    fill(&raw, index, from: first)
    for position in 0..<buffer.byteCount {
      buffer.storeBytes(
        of: whole[offset - first * size + position], toByteOffset: position, as: UInt8.self)
    }
  }

  private func fill(_ buffer: inout MutableRawSpan, _ index: Int, from first: Int) {
    switch contents[index] {
    case .noise(let noise): noise.fill(&buffer, from: first, as: tensors[index].dtype)
    case .positions:
      for position in 0..<buffer.byteCount / 8 {
        buffer.storeBytes(
          of: Int64(first + position).littleEndian, toByteOffset: position * 8, as: Int64.self)
      }
    }
  }
}
