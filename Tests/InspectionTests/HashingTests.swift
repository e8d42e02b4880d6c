import Inspection
import SafeTensors
import Tensors
import TestSupport
import Testing

@Suite("Hashing") struct HashingTests {
  /// What `fixtures/hashes/make.py` computed.
  static let expected: [String: String] = {
    let text = String(decoding: contents(of: Fixtures.path("hashes/expected.tsv")), as: UTF8.self)
    let rows = text.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
    return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
  }()

  /// The bytes of the tensors that the script describes.
  static func values() -> [(name: TensorName, dtype: DType, shape: [Int], bytes: [UInt8])] {
    func bytes<T: FixedWidthInteger>(_ count: Int, _ value: (UInt64) -> T) -> [UInt8] {
      (0..<UInt64(count)).flatMap { index in
        (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value(index) >> (8 * $0)) }
      }
    }
    let single = { (i: UInt64) in UInt32(truncatingIfNeeded: i &* 2_654_435_761 & 0x3FFF_FFFF) }
    let half = { (i: UInt64) in UInt16(truncatingIfNeeded: i &* 40_503 & 0xBFFF) }
    return [
      ("b.weight", .f16, [1000, 300], bytes(300_000, half)),
      ("a.bias", .f32, [50_000], bytes(50_000, single)),
      ("c.positions", .i64, [77], bytes(77) { Int64($0) }),
      ("d.weight", .f32, [100, 1000], bytes(100_000, single)),
    ]
  }

  /// Writes those tensors to a file.
  static func write(
    to path: String, _ metadata: [MetadataEntry], reversed: Bool = false, half: Bool = false
  ) throws -> SafeTensorsFile {
    var values = self.values()
    if half {
      for index in values.indices where values[index].dtype == .f32 {
        let conversion = try #require(Conversion(from: .f32, to: .f16))
        var bytes = [UInt8](repeating: 0, count: values[index].bytes.count / 2)
        var span = bytes.mutableSpan
        var raw = unsafe span.mutableBytes
        let input = values[index].bytes
        unsafe conversion.convert(input.span.bytes, into: &raw)
        values[index].bytes = bytes
        values[index].dtype = .f16
      }
    }
    if reversed { values.reverse() }
    let writer = try SafeTensorsWriter(
      path: path,
      tensors: values.map { try TensorInfo(name: $0.name, dtype: $0.dtype, shape: $0.shape) },
      metadata: metadata, order: reversed ? .given : .canonical)
    for (index, value) in values.enumerated() {
      try unsafe writer.write(index, at: 0, bytes: value.bytes.span.bytes)
    }
    try writer.commit()
    return try SafeTensorsFile(path: path)
  }

  static let metadata = [
    MetadataEntry(key: "ss_epoch", value: "3"), MetadataEntry(key: "title", value: "A title"),
  ]

  @Test("the hashes of a file are those of hashlib and zlib", arguments: [1, 2, 5])
  func file(width: Int) throws {
    let folder = TemporaryFolder()
    let model = try Self.write(to: folder.path("m.safetensors"), Self.metadata)
    let hashes = try FileHashes(of: model.file, width: width)
    #expect("\(hashes.sha256)" == Self.expected["sha256"])
    #expect(hashes.dataSHA256?.description == Self.expected["data"])
    #expect("\(hashes.windowSHA256)" == Self.expected["window"])
    #expect(hashes.crc32 == UInt32(Self.expected["crc32"] ?? "", radix: 16))
    #expect(hashes.autoV1 == Self.expected["window"]?.prefix(8).description)
    #expect(hashes.autoV2 == Self.expected["sha256"]?.prefix(10).description)
    #expect(hashes.autoV3 == Self.expected["data"]?.prefix(12).description)
    #expect(!hashes.isWindowEmpty)
  }

  @Test("a short file that is no safetensors file has three hashes, one of them of nothing")
  func short() throws {
    let folder = TemporaryFolder()
    let file = try InputFile(path: folder.write(Array("hello".utf8), to: "hello.txt"))
    let hashes = try FileHashes(of: file, width: 2)
    #expect(
      "\(hashes.sha256)" == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
    #expect(hashes.dataSHA256 == nil && hashes.autoV3 == nil && hashes.crc32 == 0x3610_A686)
    #expect(hashes.autoV1 == "e3b0c442" && hashes.isWindowEmpty)
    let empty = try FileHashes(of: InputFile(path: folder.write([], to: "empty")), width: 2)
    #expect(empty.autoV2 == "e3b0c44298" && empty.crc32 == 0)
  }

  @Test("tensors have the hashes of their bytes, in the order of the file", arguments: [1, 3])
  func tensors(width: Int) throws {
    let folder = TemporaryFolder()
    let model = try Self.write(to: folder.path("m.safetensors"), [], reversed: true)
    let hashes = try model.tensorHashes(width: width)
    #expect(hashes.map(\.tensor) == model.tensors)
    for hash in hashes {
      #expect("\(hash.sha256)" == Self.expected[hash.tensor.name.string])
    }
  }

  @Test("the content id does not depend on order and header, its half not on precision")
  func content() throws {
    let folder = TemporaryFolder()
    let plain = try Self.write(to: folder.path("a.safetensors"), Self.metadata)
    let shuffled = try Self.write(to: folder.path("b.safetensors"), [], reversed: true)
    let rounded = try Self.write(to: folder.path("c.safetensors"), [], half: true)
    let ids = try [plain, shuffled, rounded].map {
      ContentID(try $0.tensorHashes(roundingToHalf: true, width: 2))
    }
    #expect("\(ids[0].exact)" == Self.expected["content"])
    #expect("\(ids[0].half)" == Self.expected["half"])
    #expect(ids[1] == ids[0])
    #expect(ids[2].half == ids[0].half && ids[2].exact != ids[0].exact)
  }

  @Test("with canonical names, another naming of the same model has the same content id")
  func canonical() throws {
    let folder = TemporaryFolder()
    let model = try Self.write(to: folder.path("a.safetensors"), [])
    let hashes = try model.tensorHashes(width: 1)
    let renamed = ContentID(hashes) { $0.renamed(TensorName("x." + $0.name.string)) }
    let again = ContentID(hashes.reversed()) { $0.renamed(TensorName("x." + $0.name.string)) }
    #expect(renamed == again && renamed != ContentID(hashes))
    let partial = ContentID(hashes) { $0.dtype == .i64 ? nil : $0 }
    #expect(partial != ContentID(hashes))
  }

  @Test("hashes stated in the metadata are recomputed, for any order of the file")
  func claims() throws {
    let folder = TemporaryFolder()
    let model = try #require(Self.expected["sshs_model_hash"])
    let legacy = try #require(Self.expected["sshs_legacy_hash"])
    let metadata =
      Self.metadata + [
        MetadataEntry(key: "sshs_model_hash", value: model),
        MetadataEntry(key: "sshs_legacy_hash", value: legacy),
        MetadataEntry(key: "modelspec.hash_sha256", value: "0xabc"),
      ]
    for reversed in [false, true] {
      let file = try Self.write(
        to: folder.path("\(reversed).safetensors"), metadata, reversed: reversed)
      let known = reversed ? nil : try FileHashes(of: file.file, width: 1)
      let claims = try file.hashClaims(known: known)
      #expect(
        claims.map(\.key) == ["modelspec.hash_sha256", "sshs_legacy_hash", "sshs_model_hash"])
      #expect(claims.map(\.isTrue) == [false, true, true])
      #expect(claims.first?.computed == "0x" + model)
    }
    let silent = try Self.write(to: folder.path("silent.safetensors"), Self.metadata)
    #expect(try silent.hashClaims().isEmpty)
  }
}
