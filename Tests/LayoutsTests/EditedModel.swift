import Inspection
import StableDiffusion
import Synthesis
import Tensors

/// A synthetic model with some tensors more, fewer or other ones, held in memory.
struct EditedModel: TensorSource {
  var tensors: [TensorInfo] = []
  var values: [[UInt8]] = []
  var metadata: [MetadataEntry] = [MetadataEntry(key: "format", value: "pt")]
  var container = Container.safetensors
  var path = "edited model"
  var findings: [Fault] { [] }
  var files: [InputFile] { [] }

  /// The smallest model there is.
  init(
    dimensions: Dimensions = .tiniest, seed: UInt64 = 1, dtype: DType = .f16
  ) throws {
    let model = SyntheticModel(dimensions: dimensions, seed: seed, dtype: dtype)
    for (index, tensor) in model.tensors.enumerated() {
      tensors.append(tensor)
      values.append(try model.bytes(of: index))
    }
  }

  /// A model with the given tensors.
  init(_ tensors: [(TensorInfo, [UInt8])]) {
    self.tensors = tensors.map(\.0)
    values = tensors.map(\.1)
  }

  func extent(of index: Int) -> FileExtent? { nil }

  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    for position in 0..<buffer.byteCount {
      buffer.storeBytes(
        of: values[index][offset + position], toByteOffset: position, as: UInt8.self)
    }
  }

  /// Adds a tensor; its values are zero unless given.
  mutating func add(
    _ name: String, _ dtype: DType = .f32, _ shape: [Int] = [2], values: [UInt8]? = nil
  ) throws {
    let info = try TensorInfo(name: TensorName(name), dtype: dtype, shape: shape)
    tensors.append(info)
    self.values.append(values ?? [UInt8](repeating: 0, count: info.byteCount))
  }

  /// Removes the tensors whose names fit.
  mutating func remove(where isRemoved: (TensorName) -> Bool) {
    for index in tensors.indices.reversed() where isRemoved(tensors[index].name) {
      tensors.remove(at: index)
      values.remove(at: index)
    }
  }

  /// Adds the moving average of the U-Net, taken from another model's U-Net, and its counters.
  mutating func addAverages(seed: UInt64) throws {
    let schema = Schema(.tiniest)
    let other = try EditedModel(seed: seed)
    let indices = other.indexByName()
    for parameter in schema.parameters(of: .unet) {
      guard let name = parameter.averageName,
        let index = indices[TensorName(parameter.name(in: .ldm))]
      else { continue }
      try add(name, .f16, parameter.shape, values: other.values[index])
    }
    try add("model_ema.decay", .f32, [])
    try add("model_ema.num_updates", .i32, [])
  }

  /// The bytes of each tensor.
  var contents: [TensorName: [UInt8]] {
    Dictionary(uniqueKeysWithValues: zip(tensors.map(\.name), values))
  }
}

/// Everything that makes two models equal: of each tensor the type, the shape and the bytes.
func content(of source: any TensorSource) throws -> [TensorName: String] {
  var content: [TensorName: String] = [:]
  for hash in try source.tensorHashes(width: 2) {
    content[hash.tensor.name] = "\(hash.tensor.dtype) \(hash.tensor.shape) \(hash.sha256)"
  }
  return content
}

/// What `body` throws.
func fault(_ body: () throws -> Void) -> Fault? {
  do {
    try body()
    return nil
  } catch { return error as? Fault }
}
