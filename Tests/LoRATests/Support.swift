import LoRA
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

/// Tensors in memory: a file that a test makes up.
struct MemorySource: TensorSource {
  let path = "made.safetensors"
  let container = Container.safetensors
  private(set) var tensors: [TensorInfo] = []
  var metadata: [MetadataEntry] = []
  let findings: [Fault] = []
  let files: [InputFile] = []
  private var contents: [[UInt8]] = []

  mutating func add(_ name: String, _ dtype: DType, _ shape: [Int], _ bytes: [UInt8]) throws {
    tensors.append(try TensorInfo(name: TensorName(name), dtype: dtype, shape: shape))
    contents.append(bytes)
  }

  /// Adds single-precision numbers.
  mutating func add(_ name: String, _ shape: [Int], _ values: [Float]) throws {
    try add(name, .f32, shape, values.flatMap { littleEndian($0.bitPattern) })
  }

  /// Adds values that are all the same.
  mutating func add(_ name: String, _ shape: [Int], all value: Float = 0.01) throws {
    try add(name, shape, Array(repeating: value, count: shape.reduce(1, *)))
  }

  func extent(of index: Int) -> FileExtent? { nil }

  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    for position in 0..<buffer.byteCount {
      buffer.storeBytes(
        of: contents[index][offset + position], toByteOffset: position, as: UInt8.self)
    }
  }
}

/// The bytes of a number, the least first.
func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
  (0..<number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
}

/// The name by which kohya's files call a layer that every test model has.
let layer = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"

/// A LoRA of rank 2 for that layer of the tiny model, with whatever is added.
func lora(
  alpha: Bool = true, _ change: (inout MemorySource) throws -> Void = { _ in }
) throws -> MemorySource {
  var source = MemorySource()
  try source.add(layer + ".lora_up.weight", [32, 2])
  try source.add(layer + ".lora_down.weight", [2, 32])
  if alpha { try source.add(layer + ".alpha", [], [1]) }
  try change(&source)
  return source
}

/// The model that the fixtures are merged into.
let base = SyntheticModel(preset: .sd15Tiny, seed: 7, dtype: .f32)

/// What `body` throws.
func fault(_ body: () throws -> Void) -> Fault? {
  do { try body() } catch { return error as? Fault }
  return nil
}

/// What keeps LoRAs from being merged into the tiny model.
func problems(
  _ source: any TensorSource, _ change: (inout LoRAMergeRequest) -> Void = { _ in }
) throws -> [Fault] {
  var request = LoRAMergeRequest([LoRAUse(try LoRAFile(source))])
  change(&request)
  return try LoRAMergePlan(base, request, width: 2).problems
}

/// The values of a tensor in single precision.
func values(_ source: any TensorSource, _ index: Int) throws -> [Float] {
  try source.singles(of: index)
}

/// The position of a tensor.
func position(_ name: TensorName, in source: any TensorSource) throws -> Int {
  try #require(source.tensors.firstIndex { $0.name == name })
}
