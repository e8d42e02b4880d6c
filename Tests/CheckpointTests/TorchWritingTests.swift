import Checkpoint
import Tensors
import TestSupport
import Testing

@Suite("Written checkpoints")
struct TorchWritingTests {
  private static let names = ["plain.ckpt", "views.pt", "many.pt", "types.pt", "embedding.pt"]

  private func source(_ name: String) throws -> any TensorSource {
    try openModel(path: Fixtures.path("torch/files/" + name))
  }

  @Test("a zip checkpoint reads back the same", arguments: names)
  func zip(_ name: String) throws {
    let folder = TemporaryFolder()
    let source = try source(name)
    let path = folder.path("a.ckpt")
    let writer = try TorchZipWriter(
      path: path, tensors: source.tensors, metadata: source.metadata)
    try copy(source, to: writer, pieceSize: 1000)
    let back = try TorchZipSource(file: InputFile(path: path))
    #expect(try read(back) == read(source))
    #expect(back.metadata == source.metadata)
    #expect(back.findings.isEmpty)
    try back.verifyChecksums(width: 1)
    for index in back.tensors.indices {
      #expect((back.extent(of: index)?.offset ?? 1) % 64 == 0)
    }
  }

  @Test("a legacy checkpoint reads back the same", arguments: names.filter { $0 != "types.pt" })
  func legacy(_ name: String) throws {
    let folder = TemporaryFolder()
    let source = try source(name)
    let writer = try TorchLegacyWriter(
      path: folder.path("a.ckpt"), tensors: source.tensors, metadata: source.metadata)
    try copy(source, to: writer, pieceSize: 1000)
    let back = try TorchLegacySource(file: InputFile(path: folder.path("a.ckpt")))
    #expect(try read(back) == read(source))
    #expect(back.metadata == source.metadata)
  }

  @Test("an unpacked checkpoint reads back the same, also one folder down", arguments: names)
  func unpacked(_ name: String) throws {
    let folder = TemporaryFolder()
    let source = try source(name)
    let inner = try OutputFolder(path: folder.path("outer"))
    try inner.commit()
    let path = folder.path("outer/archive")
    let writer = try TorchFolderWriter(path: path, tensors: source.tensors, isNested: false)
    try copy(source, to: writer, pieceSize: 1000)
    for path in [path, folder.path("outer")] {
      let back = try TorchFolderSource(path: path)
      #expect(try read(back) == read(source))
      #expect(back.findings.isEmpty)
      #expect(back.files.count == source.tensors.count + 1)
    }
  }

  @Test("the order in which pieces arrive does not matter")
  func order() throws {
    let folder = TemporaryFolder()
    let source = try source("views.pt")
    for (name, size, backwards) in [("a", 1 << 20, false), ("b", 3, false), ("c", 5, true)] {
      let writer = try TorchZipWriter(path: folder.path(name), tensors: source.tensors)
      try copy(source, to: writer, pieceSize: size, backwards: backwards)
    }
    let bytes = contents(of: folder.path("a"))
    #expect(!bytes.isEmpty)
    #expect(bytes == contents(of: folder.path("b")))
    #expect(bytes == contents(of: folder.path("c")))
  }

  @Test("a tensor that was not written completely is an error, and leaves no file")
  func incomplete() throws {
    let folder = TemporaryFolder()
    let tensor = try TensorInfo(name: "w", dtype: .f32, shape: [4])
    let writer = try TorchZipWriter(path: folder.path("a"), tensors: [tensor])
    try unsafe writer.write(0, at: 0, bytes: ([1, 2, 3, 4] as [UInt8]).span.bytes)
    let fault = #expect(throws: Fault.self) { try writer.commit() }
    #expect(fault?.rule == .checkpointUnwritable)
    #expect(contents(of: folder.path("a")).isEmpty)
  }

  @Test("what PyTorch has no tensors of is refused before anything is written")
  func types() throws {
    let folder = TemporaryFolder()
    let four = try TensorInfo(name: "w", dtype: .f4, shape: [4])
    let fault = #expect(throws: Fault.self) {
      _ = try TorchZipWriter(path: folder.path("a"), tensors: [four])
    }
    #expect(
      fault?.sentence == "'w' has a type that PyTorch has no tensors of: found F4; "
        + "write a safetensors file instead")
    let young = try TensorInfo(name: "w", dtype: .u16, shape: [4])
    #expect(throws: Fault.self) {
      _ = try TorchLegacyWriter(path: folder.path("a"), tensors: [young])
    }
    let twice = try TensorInfo(name: "w", dtype: .f16, shape: [4])
    #expect(throws: Fault.self) {
      _ = try TorchFolderWriter(path: folder.path("a"), tensors: [twice, twice])
    }
  }

  @Test("more entries than the old directory can count are written and read")
  func zip64() throws {
    let folder = TemporaryFolder()
    let tensors = try (0..<66_000).map { index in
      try TensorInfo(name: TensorName("w.\(index)"), dtype: .u8, shape: [1])
    }
    let writer = try TorchZipWriter(path: folder.path("a"), tensors: tensors)
    for index in tensors.indices {
      let value = [UInt8(truncatingIfNeeded: index)]
      try unsafe writer.write(index, at: 0, bytes: value.span.bytes)
    }
    try writer.commit()
    let back = try TorchZipSource(file: InputFile(path: folder.path("a")))
    #expect(back.tensors == tensors)
    #expect(try back.bytes(of: 65_999) == [UInt8(truncatingIfNeeded: 65_999)])
  }
}
