import Layouts
import Tensors
import Testing

@Suite("Values of another type")
struct ConvertedSourceTests {
  private func model(_ values: [Float], name: String = "a.weight") throws -> EditedModel {
    EditedModel([
      (
        try TensorInfo(name: TensorName(name), dtype: .f32, shape: [values.count]),
        values.flatMap { value in
          (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        }
      )
    ])
  }

  private func halves(_ source: ConvertedSource) throws -> [Float16] {
    let bytes = try source.bytes(of: 0)
    return stride(from: 0, to: bytes.count, by: 2).map {
      Float16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
    }
  }

  @Test("Values are rounded to nearest, ties to even")
  func rounding() throws {
    let source = try ConvertedSource(model([1, 2049, 2051, -65519, 1e-9]), types: [.f16])
    #expect(try halves(source) == [1, 2048, 2052, -65504, 0])
  }

  @Test("Any range of bytes is the same as that part of the whole", arguments: [DType.f16, .f64])
  func ranges(type: DType) throws {
    // More than one piece of 256 KiB.
    let source = try ConvertedSource(
      model((0..<150_000).map { Float($0) * 0.37 }), types: [type])
    let whole = try source.bytes(of: 0)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      let start = Int.random(in: 0..<whole.count, using: &random)
      let count = Int.random(in: 0...min(300_000, whole.count - start), using: &random)
      var part = [UInt8](repeating: 0xAA, count: count)
      var span = part.mutableSpan
      var raw = unsafe span.mutableBytes
      try source.read(0, at: start, into: &raw)
      #expect(part == Array(whole[start..<start + count]), "\(count) bytes from \(start)")
    }
  }

  @Test("A value that becomes infinite is an error that names the tensor and what to do")
  func overflow() throws {
    let source = try ConvertedSource(model([1, 65520], name: "a.b"), types: [.f16])
    let found = try #require(fault { _ = try source.bytes(of: 0) })
    #expect(found.rule == .overflow)
    #expect(
      found.sentence
        == "'a.b' has values that F16 cannot hold; "
        + "use --overflow keep-f32, --overflow clamp or --dtype bf16")
  }

  @Test("Infinities and NaN of the original are no overflow")
  func infinities() throws {
    let source = try ConvertedSource(model([.infinity, -.infinity, .nan]), types: [.f16])
    let values = try halves(source)
    #expect(values[0] == .infinity && values[1] == -.infinity && values[2].isNaN)
  }

  @Test("Clamping limits finite values only, and counts them")
  func clamp() throws {
    let source = try ConvertedSource(
      model([65504, 65520, -1e30, .infinity, -.infinity]), types: [.f16], overflow: .clamp)
    #expect(try halves(source) == [65504, 65504, -65504, .infinity, -.infinity])
    #expect(source.overflowCounts == [2])
    let brain = try ConvertedSource(
      model([.greatestFiniteMagnitude, -.greatestFiniteMagnitude]), types: [.bf16],
      overflow: .clamp)
    #expect(try brain.bytes(of: 0) == [0x7F, 0x7F, 0x7F, 0xFF])
  }

  @Test("Tensors that overflow are kept in F32, the others converted")
  func keep() throws {
    let large = try model([1, 65520], name: "large"), small = try model([1, 65519], name: "small")
    let both = EditedModel([
      (large.tensors[0], large.values[0]), (small.tensors[0], small.values[0]),
    ])
    var request = ConversionRequest(layout: .safetensors)
    request.types = TypeChoice(.f16)
    request.overflow = .keepF32
    let (plan, kept) = try ConversionPlan(of: both, request).keepingOverflows(width: 2)
    #expect(kept == ["large"])
    #expect(plan.tensors.map(\.info.dtype) == [.f32, .f16])
    let output = TemporaryPath()
    try plan.write(to: output.path, width: 1)
    #expect(try output.bytes(of: "large") == large.values[0])
  }

  @Test("What cannot be converted is refused")
  func complex() throws {
    let model = EditedModel([
      (try TensorInfo(name: "a", dtype: .c64, shape: [1]), [UInt8](repeating: 0, count: 8))
    ])
    let found = fault { _ = try ConvertedSource(model, types: [.f16]) }
    #expect(found?.rule == .noConversion)
  }
}
