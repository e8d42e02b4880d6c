import Merge
import StableDiffusion
import Synthesis
import Tensors

/// A model in memory whose tensors are those of another, changed one by one.
struct EditedModel: TensorSource {
  var tensors: [TensorInfo]
  var values: [[UInt8]]
  var path = "model"

  var container: Container { .safetensors }
  var metadata: [MetadataEntry] { [] }
  var findings: [Fault] { [] }
  var files: [InputFile] { [] }

  /// A small synthetic model.
  init(seed: UInt64, dtype: DType = .f16, path: String = "model") throws {
    let model = SyntheticModel(preset: .sd15Tiny, seed: seed, dtype: dtype)
    tensors = model.tensors
    values = try model.tensors.indices.map { try model.bytes(of: $0) }
    self.path = path
  }

  func extent(of index: Int) -> FileExtent? { nil }

  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    for position in 0..<buffer.byteCount {
      buffer.storeBytes(
        of: values[index][offset + position], toByteOffset: position, as: UInt8.self)
    }
  }

  func position(_ name: TensorName) -> Int { tensors.firstIndex { $0.name == name } ?? 0 }

  /// Leaves out a tensor.
  mutating func remove(_ name: TensorName) {
    let index = position(name)
    tensors.remove(at: index)
    values.remove(at: index)
  }

  /// Puts a tensor in the place of the one of that name, or at the end.
  mutating func set(_ name: TensorName, _ dtype: DType, _ shape: [Int], _ bytes: [UInt8]) throws {
    let info = try TensorInfo(name: name, dtype: dtype, shape: shape)
    if let index = tensors.firstIndex(where: { $0.name == name }) {
      tensors[index] = info
      values[index] = bytes
    } else {
      tensors.append(info)
      values.append(bytes)
    }
  }
}

/// 16-bit floating-point numbers as bytes.
func halves(_ values: [Float16]) -> [UInt8] {
  values.flatMap { [UInt8(truncatingIfNeeded: $0.bitPattern), UInt8($0.bitPattern >> 8)] }
}

/// The 16-bit floating-point numbers in bytes.
func halves(_ bytes: [UInt8]) -> [Float16] {
  stride(from: 0, to: bytes.count, by: 2).map {
    Float16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
  }
}

/// A plan for `models`.
func plan(
  _ models: [any TensorSource], method: String = "weighted-sum",
  alpha: WeightSpecification? = nil, arithmetic: Arithmetic = .exact,
  types: [String] = [], _ change: (inout MergePolicies) -> Void = { _ in }
) throws -> MergePlan {
  var step = Recipe.Step("result", method: method, inputs: models.indices.map { "m\($0)" })
  step.alpha = alpha
  step.arithmetic = arithmetic
  var request = try step.request()
  request.types = try TypePolicy(types)
  change(&request.policies)
  return MergePlan(models.map { MergeInput($0) }, request)
}

extension MergedSource {
  /// The bytes of the tensor called `name`.
  func bytes(of name: TensorName) throws -> [UInt8] {
    try bytes(of: tensors.firstIndex { $0.name == name } ?? 0)
  }
}

let firstConvolution: TensorName = "model.diffusion_model.input_blocks.0.0.weight"
let outputBias: TensorName = "model.diffusion_model.out.2.bias"
let vaeBias: TensorName = "first_stage_model.decoder.conv_out.bias"
