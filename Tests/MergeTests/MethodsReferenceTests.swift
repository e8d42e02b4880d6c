import JSON
import Merge
import Tensors
import Testing

@Suite("Merge methods against PyTorch")
struct MethodsReferenceTests {
  @Test("every method agrees with its formula in float64", arguments: methodNames)
  func formulas(name: String) throws {
    let fixture = try MergeFixture()
    let method = try MergeMethods.named(name)
    let runs = fixture.runs.filter { $0.method == name }
    try #require(!runs.isEmpty, "no run of \(name)")
    for run in runs {
      var settings = settings(run.settings, for: method)
      try method.check(inputs: run.models.count, settings: settings)
      if let surveying = method as? any SurveyingMergeMethod {
        var samples: [Float] = []
        for item in fixture.cases {
          let models = run.models.map { item.models[$0] ?? [] }
          samples += surveying.survey(
            Operands(copying: models),
            tensor: MergedTensor(name: TensorName(item.name), shape: item.shape))
        }
        settings.survey = surveying.conclude(samples)
      }
      let expected = try #require(fixture.expected[run.key])
      var start = 0
      for item in fixture.cases {
        let models = run.models.map { item.models[$0] ?? [] }
        let found = method.result(
          models, shape: item.shape, name: TensorName(item.name), settings)
        let wanted = expected[start..<start + found.count]
        start += found.count
        let finite = (models.joined() + wanted).filter { !$0.isNaN }
        let scale = max(1e-3, finite.map(\.magnitude).max() ?? 0)
        for (x, y) in zip(found, wanted) where !(x.isNaN && y.isNaN) {
          #expect(abs(x - y) <= 1e-6 * scale, "\(run.key) \(item.name)")
        }
      }
      #expect(start == expected.count)
    }
  }

  @Test("the webui and lerp dialects give the bits that PyTorch gives")
  func dialects() throws {
    let fixture = try MergeFixture()
    let count = try #require(fixture.json["count"]?.integer)
    let rows = try #require(fixture.json["dialects"]?.array)
    #expect(rows.count == 480)
    var operands: [[DType]: Operands] = [:]
    for row in rows {
      let method = try MergeMethods.named(row["method"]?.string ?? "")
      let types = (row["types"]?.array ?? []).compactMap { $0.string.flatMap { DType(name: $0) } }
      var settings = settings(row, for: method)
      settings.arithmetic = try #require(Arithmetic(rawValue: row["arithmetic"]?.string ?? ""))
      let output = try #require(DType(name: row["output"]?.string ?? ""))
      if operands[types] == nil {
        operands[types] = Self.operands(
          types.enumerated().map { Self.numbers($1, start: 1000 * UInt64($0 + 1), count) }, types)
      }
      let all = try #require(operands[types])
      let used = method.inputs.names.count == 2 ? all.first(2) : all
      let tensor = MergedTensor(name: "weight", shape: [count], output: output)
      let found = method.result(used, tensor, settings).map { Arithmetic.rounded($0, to: output) }
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      for value in found { hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01B3 }
      let text = String(hash, radix: 16)
      #expect(
        String(repeating: "0", count: 16 - text.count) + text == row["hash"]?.string, "\(row)")
    }
  }

  /// The numbers that `numbers` in make.py gives.
  static func numbers(_ type: DType, start: UInt64, _ count: Int) -> [Float] {
    var random = SplitMix(state: start)
    return (0..<count).map { _ in
      let z = random.next()
      if type == .f16 {
        return Float(Float16(bitPattern: UInt16(z & 0x83FF | ((z >> 20) % 20) << 10)))
      }
      let bits = UInt32(truncatingIfNeeded: z & 0x807F_FFFF | ((z >> 32) % 24 + 110) << 23)
      return Float(bitPattern: type == .bf16 ? bits & 0xFFFF_0000 : bits)
    }
  }

  static func operands(_ values: [[Float]], _ types: [DType]) -> Operands {
    let buffers = values.map { values in
      let buffer = Buffer(byteCount: values.count * 4)
      var bytes = buffer.bytes(values.count * 4)
      for (index, value) in values.enumerated() {
        bytes.storeBytes(of: value, toByteOffset: 4 * index, as: Float.self)
      }
      return buffer
    }
    return Operands(buffers, dtypes: types, elementCount: values[0].count)
  }
}

extension Operands {
  /// The first `count` inputs.
  func first(_ count: Int) -> Operands {
    MethodsReferenceTests.operands(
      (0..<count).map { operand in
        let span = self[operand]
        return span.indices.map { span[$0] }
      }, Array(dtypes.prefix(count)))
  }
}
