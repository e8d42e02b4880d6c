import JSON
import LinearAlgebra
import LoRA
import LoRAEdit
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

/// A LoRA of fixtures/lora.
func fixture(_ name: String) throws -> LoRAFile {
  try LoRAFile(path: Fixtures.path("lora/\(name)"))
}

/// The values of a tensor in single precision.
func singles(_ source: any TensorSource, _ index: Int) throws -> [Float] {
  let info = source.tensors[index]
  let conversion = try #require(Conversion(from: info.dtype, to: .f32))
  let bytes = try source.bytes(of: index)
  var values = [Float](repeating: 0, count: info.elementCount)
  var span = values.mutableSpan
  var output = unsafe span.mutableBytes
  unsafe conversion.convert(bytes.span.bytes, into: &output)
  return values
}

/// The change of each weight at strength 1, by the names of modules in kohya's spelling, from the
/// weights that the reference implementation merged with strengths 1 and −0.5.
func expectedChanges(_ name: String) throws -> [TensorName: [Double]] {
  let source = try openExpected(name)
  let indices = source.indexByName()
  var changes: [TensorName: [Double]] = [:]
  for target in LoRATarget.all {
    let prefix =
      target.component == .unet ? "model.diffusion_model." : "cond_stage_model.transformer."
    let weight = prefix + target.path.ldm + ".weight"
    guard let one = indices[TensorName("1/\(weight)")],
      let other = indices[TensorName("-0.5/\(weight)")]
    else { continue }
    let (a, b) = (try singles(source, one), try singles(source, other))
    changes[TensorName(target.kohyaName)] = zip(a, b).map { (Double($0) - Double($1)) / 1.5 }
  }
  return changes
}

/// The change that each module of a LoRA makes, as it is read.
func changes(_ file: LoRAFile) throws -> [TensorName: [Double]] {
  let algebra = try LinearAlgebra.load()
  var changes: [TensorName: [Double]] = [:]
  for module in file.modules {
    guard let product = try file.lowRank(of: module) else { continue }
    changes[TensorName(module.target.kohyaName)] =
      try algebra.product(product.up, product.down).doubles.values
  }
  return changes
}

/// ‖a − b‖.
func distance(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
}

/// ‖a‖.
func norm(_ a: [Double]) -> Double { a.reduce(0) { $0 + $1 * $1 }.squareRoot() }

/// A model some of whose tensors are others.
struct AlteredModel: TensorSource {
  let original: SyntheticModel
  var replaced: [Int: [Float]] = [:]

  var path: String { "altered" }
  var container: Container { original.container }
  var tensors: [TensorInfo] { original.tensors }
  var metadata: [MetadataEntry] { [] }
  var findings: [Fault] { [] }
  var files: [InputFile] { [] }
  func extent(of index: Int) -> FileExtent? { nil }

  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    guard let values = replaced[index] else {
      try original.read(index, at: offset, into: &buffer)
      return
    }
    for position in 0..<buffer.byteCount {
      let value = values[(offset + position) / 4]
      let byte = UInt8(
        truncatingIfNeeded: value.bitPattern >> (8 * UInt32((offset + position) % 4)))
      buffer.storeBytes(of: byte, toByteOffset: position, as: UInt8.self)
    }
  }
}

/// A safetensors file of F32 tensors, as bytes.
func safetensors(
  _ tensors: [(name: String, shape: [Int], values: [Float])], texts: [String: String] = [:]
) throws -> [UInt8] {
  var data: [UInt8] = []
  var members: [(String, JSONValue)] = [
    (
      "__metadata__",
      .object(JSONObject(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    )
  ]
  for tensor in tensors {
    let start = data.count
    for value in tensor.values {
      for shift in 0..<4 {
        data.append(UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32(shift))))
      }
    }
    members.append(
      (
        tensor.name,
        [
          "dtype": "F32", "shape": .array(tensor.shape.map { .integer($0) }),
          "data_offsets": [.integer(start), .integer(data.count)],
        ]
      ))
  }
  let header = Array(try JSONValue.object(JSONObject(members)).serialized().utf8)
  let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
  return length + header + data
}

/// A plain LoRA of one square module.
func plainLoRA(
  _ value: Float = 0.5, side: Int = 4, rank: Int = 2, texts: [String: String] = [:]
) throws -> [UInt8] {
  let name = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
  let rest = [Float](repeating: 0.5, count: side * rank)
  return try safetensors(
    [
      ("\(name).lora_down.weight", [rank, side], [value] + rest.dropFirst()),
      ("\(name).lora_up.weight", [side, rank], rest),
    ], texts: texts)
}
