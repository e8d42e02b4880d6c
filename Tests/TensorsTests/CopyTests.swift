import Synchronization
import Tensors
import TestSupport
import Testing

/// Tensors in memory; reading one outside its bytes is a failure.
private struct MemorySource: TensorSource {
  let tensors: [TensorInfo]
  let contents: [[UInt8]]
  var failing: Int?
  var path: String { "memory" }
  var container: Container { .safetensors }
  var metadata: [MetadataEntry] { [] }
  var findings: [Fault] { [] }
  var files: [InputFile] { [] }
  func extent(of index: Int) -> FileExtent? { nil }
  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    if index == failing { throw Fault(.fileTruncated, "ends early", tensor: tensors[index].name) }
    for position in 0..<buffer.byteCount {
      buffer.storeBytes(
        of: contents[index][offset + position], toByteOffset: position, as: UInt8.self)
    }
  }
}

/// Tensors of one file, one after another.
private struct FileSource: TensorSource {
  let file: InputFile
  let tensors: [TensorInfo]
  let offsets: [Int]
  var path: String { file.path }
  var container: Container { .safetensors }
  var metadata: [MetadataEntry] { [] }
  var findings: [Fault] { [] }
  var files: [InputFile] { [file] }
  func extent(of index: Int) -> FileExtent? {
    FileExtent(file: file, offset: offsets[index], byteCount: tensors[index].byteCount)
  }
  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    try file.read(at: offsets[index] + offset, into: &buffer)
  }
}

/// Puts tensors into a file, one after another.
private struct FileSink: TensorSink {
  let tensors: [TensorInfo]
  let offsets: [Int]
  let file: OutputFile
  let isDirect: Bool
  func descriptorAndOffset(of index: Int) -> (descriptor: Int32, offset: Int)? {
    isDirect ? (file.descriptor, offsets[index]) : nil
  }
  func write(_ index: Int, at offset: Int, bytes: RawSpan) throws(Fault) {
    try file.write(bytes, at: offsets[index] + offset)
  }
  func commit() throws(Fault) { try file.commit() }
}

@Suite("Copying") struct CopyTests {
  private static func model() throws -> MemorySource {
    let counts = [0, 1, 700_000, 262_144, 3, 262_145]
    let tensors = try counts.enumerated().map { index, count in
      try TensorInfo(name: TensorName("t\(index)"), dtype: .u8, shape: [count])
    }
    let contents = counts.enumerated().map { randomBytes($1, seed: UInt64($0)) }
    return MemorySource(tensors: tensors, contents: contents)
  }

  private static func sink(_ model: MemorySource, _ path: String, isDirect: Bool) throws -> FileSink
  {
    var end = 0
    let offsets = model.tensors.map { tensor in
      defer { end += tensor.byteCount }
      return end
    }
    return FileSink(
      tensors: model.tensors, offsets: offsets, file: try OutputFile(path: path, byteCount: end),
      isDirect: isDirect)
  }

  @Test("every byte arrives, whatever the width", arguments: [1, 2, 7])
  func memory(width: Int) throws {
    let folder = TemporaryFolder()
    let model = try Self.model()
    let copied = Mutex(0)
    try copy(
      model, to: Self.sink(model, folder.path("a"), isDirect: false), width: width
    ) { count in copied.withLock { $0 += count } }
    let all = Array(model.contents.joined())
    #expect(contents(of: folder.path("a")) == all)
    #expect(copied.withLock { $0 } == all.count)
  }

  @Test("the operating system copies from file to file", arguments: [true, false])
  func files(isDirect: Bool) throws {
    let folder = TemporaryFolder()
    let model = try Self.model()
    let sink = try Self.sink(model, folder.path("b"), isDirect: isDirect)
    let all = Array(model.contents.joined())
    let file = try InputFile(path: folder.write(all, to: "a"))
    let source = FileSource(file: file, tensors: model.tensors, offsets: sink.offsets)
    try copy(source, to: sink, width: 2)
    #expect(contents(of: folder.path("b")) == all)
  }

  @Test("when reading fails, nothing appears", arguments: [1, 2])
  func failure(width: Int) throws {
    let folder = TemporaryFolder()
    var model = try Self.model()
    model.failing = 3
    let sink = try Self.sink(model, folder.path("a"), isDirect: false)
    let fault = #expect(throws: Fault.self) { try copy(model, to: sink, width: width) }
    #expect(fault?.tensor == "t3")
    #expect(throws: Fault.self) { try InputFile(path: folder.path("a")) }
  }

  @Test("statistics of a source are those of its bytes, whatever the width", arguments: [1, 2, 5])
  func statistics(width: Int) throws {
    let model = try Self.model()
    let found = try model.statistics(width: width)
    for (statistics, bytes) in zip(found, model.contents) {
      #expect(statistics.count == bytes.count)
      #expect(statistics.maximum == bytes.max().map { Double($0) })
      #expect(statistics.zeroCount == bytes.count { $0 == 0 })
    }
  }
}
