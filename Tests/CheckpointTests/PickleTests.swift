import Checkpoint
import Tensors
import TestSupport
import Testing

@Suite("Pickles are data")
struct PickleTests {
  /// Opens an unpacked checkpoint whose `data.pkl` is `pickle`.
  private func open(_ pickle: [UInt8], _ folder: TemporaryFolder) throws -> TorchFolderSource {
    _ = folder.write(pickle, to: "data.pkl")
    _ = folder.write(Array("3\n".utf8), to: "version")
    let data = try OutputFolder(path: folder.path("data"), replacing: true)
    try data.write([0, 0, 128, 63], to: "0")
    try data.commit()
    return try TorchFolderSource(path: folder.path)
  }

  private func fault(_ pickle: [UInt8]) -> Fault? {
    let folder = TemporaryFolder()
    do {
      _ = try open(pickle, folder)
      return nil
    } catch { return error as? Fault }
  }

  private func text(_ string: String) -> [UInt8] {
    [0x8C, UInt8(string.utf8.count)] + Array(string.utf8)
  }

  private func name(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }

  /// A tensor `[1.0]` on storage 0.
  private var tensor: [UInt8] {
    name("torch._utils", "_rebuild_tensor_v2") + [0x28, 0x28] + text("storage")
      + name("torch", "FloatStorage") + text("0") + text("cpu") + [0x4B, 1, 0x74, 0x51, 0x4B, 0]
      + [0x4B, 1, 0x85, 0x4B, 1, 0x85, 0x89] + name("collections", "OrderedDict")
      + [0x29, 0x52, 0x74, 0x52]
  }

  /// A dictionary with the tensor `w` and, under `x`, the given value.
  private func dictionary(_ value: [UInt8], version: UInt8 = 2) -> [UInt8] {
    [0x80, version, 0x7D, 0x28] + text("w") + tensor + text("x") + value + [0x75, 0x2E]
  }

  @Test("a plain pickle is read") func plain() throws {
    let folder = TemporaryFolder()
    let source = try open(dictionary([0x4B, 7]), folder)
    #expect(try source.bytes(of: 0) == [0, 0, 128, 63])
    #expect(source.metadata == [MetadataEntry(key: "x", value: "7")])
    #expect(source.findings.isEmpty)
  }

  @Test("a call is refused with name and place, by whichever instruction")
  func calls() {
    let system = name("os", "system")
    let argument = text("echo")
    let ways: [String: [UInt8]] = [
      "REDUCE": system + argument + [0x85, 0x52],
      "NEWOBJ": system + argument + [0x85, 0x81],
      "NEWOBJ_EX": system + argument + [0x85, 0x7D, 0x92],
      "OBJ": [0x28] + system + argument + [0x6F],
      "INST": [0x28] + argument + Array("ios\nsystem\n".utf8),
      "STACK_GLOBAL": text("os") + text("system") + [0x93] + argument + [0x85, 0x52],
      "BUILD": system + [0x7D, 0x62],
      "after POP": [0x4B, 1, 0x30] + system + argument + [0x85, 0x52],
    ]
    for (way, code) in ways {
      let fault = fault(dictionary(code, version: 4))
      #expect(fault?.rule == .pickleRunsCode, "\(way)")
      #expect(
        fault?.sentence.hasPrefix(
          "the pickle calls os.system, which runs code when unpickled") == true, "\(way)")
      #expect((fault?.offset ?? 0) > 100, "\(way)")
    }
  }

  @Test("a call in the text instructions of protocol 0 is named, too") func protocolZero() {
    #expect(fault(Array("cos\nsystem\n(S'echo'\ntR.".utf8))?.rule == .pickleRunsCode)
    #expect(fault(Array("(dS'w'\nI1\ns.".utf8))?.rule == .pickleProtocol)
  }

  @Test("a name that is only mentioned is a warning") func mention() throws {
    let folder = TemporaryFolder()
    let source = try open(dictionary(name("os", "system")), folder)
    #expect(source.tensors.count == 1)
    #expect(source.findings.map(\.rule) == [.pickleUnknownName])
    #expect(
      source.findings.first?.message == "the pickle mentions os.system without calling it")
  }

  @Test("nesting a million deep neither overflows the stack nor takes long") func nesting() throws {
    let folder = TemporaryFolder()
    let tuples = [0x29] + [UInt8](repeating: 0x85, count: 1_000_000)
    #expect(try open(dictionary(tuples), folder).tensors.count == 1)
    // A list in a list in a list, each kept in the one before.
    let lists =
      [UInt8](repeating: 0x5D, count: 500_000) + [UInt8](repeating: 0x61, count: 499_999)
    #expect(try open(dictionary(lists), folder).tensors.count == 1)
  }

  @Test("an object that contains itself is refused") func cycle() {
    let list: [UInt8] = [0x5D, 0x71, 0, 0x68, 0, 0x61]
    #expect(fault(dictionary(list))?.rule == .pickleCycle)
  }

  @Test("a dictionary that stands for exponentially many names is bounded") func doubling() {
    // d0 = {"w": tensor}, d(n+1) = {"a": d(n), "b": d(n)}
    var pickle: [UInt8] = [0x80, 2, 0x7D, 0x28]
    for level in 0..<40 as Range<UInt8> {
      pickle += text("d\(level)")
      pickle +=
        level == 0
        ? [0x7D] + text("w") + tensor + [0x73]
        : [0x7D, 0x28] + text("a") + [0x68, level - 1] + text("b") + [0x68, level - 1, 0x75]
      pickle += [0x71, level]
    }
    #expect(fault(pickle + [0x75, 0x2E])?.rule == .pickleLimit)
  }

  @Test("every way to be malformed has its rule")
  func malformed() {
    let cases: [(Rule, [UInt8])] = [
      (.pickleTruncated, [0x80, 2, 0x7D]),
      (.pickleTruncated, [0x80, 2, 0x58, 0xFF, 0xFF, 0xFF, 0x7F]),
      (.pickleOpcode, dictionary([0xFF])),
      (.pickleOpcode, dictionary([0x4B, 1, 0x32, 0x30])),
      (.pickleProtocol, [0x80, 6, 0x7D, 0x2E]),
      (.pickleStack, [0x80, 2, 0x86, 0x2E]),
      (.pickleStack, [0x80, 2, 0x75, 0x2E]),
      (.pickleMemo, dictionary([0x68, 9])),
      (.pickleMemo, dictionary([0x6A, 0xFF, 0xFF, 0xFF, 0xFF])),
      (.pickleTrailing, dictionary([0x4E]) + [0x2E]),
      (.pickleValue, dictionary([0x58, 1, 0, 0, 0, 0xFF])),
      (.pickleType, dictionary([0x4B, 1] + text("a") + [0x4E, 0x73])),
      (.pickleType, dictionary(name("collections", "OrderedDict") + [0x5D, 0x52])),
      (.persistentID, dictionary(text("storage") + [0x85, 0x51])),
      (.noTensors, [0x80, 2, 0x7D, 0x2E]),
      (.noTensors, [0x80, 2] + tensor + [0x2E]),
    ]
    for (rule, pickle) in cases {
      #expect(fault(pickle)?.rule.id == rule.id, "\(pickle)")
    }
  }

  @Test("each rule has its own number") func rules() {
    let ids = Rule.checkpointRules.map(\.id)
    #expect(Set(ids).count == ids.count)
    #expect(ids.allSatisfy { $0.hasPrefix("PT") })
    #expect(ids == ids.sorted())
  }

  @Test(
    "damage never crashes the reader, and mostly is noticed",
    arguments: ["plain.ckpt", "views.pt", "legacy.ckpt"])
  func mutation(_ file: String) throws {
    let original = contents(of: Fixtures.path("torch/files/" + file))
    let folder = TemporaryFolder()
    var state: UInt64 = 15
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var refused = 0
    for _ in 0..<400 {
      var bytes = original
      for _ in 0...next(3) { bytes[next(bytes.count)] = UInt8(next(256)) }
      let path = folder.write(bytes, to: "damaged")
      do {
        let source = try openModel(path: path)
        for index in source.tensors.indices { _ = try source.bytes(of: index) }
        try source.verifyChecksums(width: 1)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 100, "seed 15")
  }
}
