import Crypto
import SafeTensors
import Tensors
import TestSupport
import Testing

@Suite("Against files of the reference serializer")
struct ReferenceTests {
  @Test("every name, type, shape and byte is read as it was written")
  func reading() throws {
    let files = try ReferenceFile.all()
    #expect(files.count == 3)
    for reference in files {
      let file = try SafeTensorsFile(path: reference.path)
      #expect(file.tensors.count == reference.tensors.count)
      let index = file.indexByName()
      for tensor in reference.tensors {
        let position = try #require(index[TensorName(tensor.name)])
        let info = file.tensors[position]
        #expect(info.dtype.name == tensor.dtype)
        #expect(info.shape == tensor.shape)
        let digest = try SHA256.hash(data: file.bytes(of: position))
        #expect(
          digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == tensor.sha256)
      }
      #expect(file.header.metadata?.count == reference.metadata?.count)
      for entry in file.metadata { #expect(reference.metadata?[entry.key] == entry.value) }
    }
  }

  @Test("a file written from the same tensors, in any order, has the same bytes")
  func writing() throws {
    let folder = TemporaryFolder()
    for reference in try ReferenceFile.all() {
      let file = try SafeTensorsFile(path: reference.path)
      let order = Array(file.tensors.indices.reversed())
      let path = folder.path("out.safetensors")
      let writer = try SafeTensorsWriter(
        path: path, tensors: order.map { file.tensors[$0] }, metadata: file.header.metadata,
        replacing: true)
      for (position, index) in order.enumerated() {
        let bytes = try file.bytes(of: index)
        try unsafe writer.write(position, at: 0, bytes: bytes.span.bytes)
      }
      try writer.commit()
      #expect(contents(of: path) == contents(of: reference.path))
    }
  }

  @Test("texts that are known last replace those that held their place", arguments: [5, 1, 50])
  func finalMetadata(length: Int) throws {
    let folder = TemporaryFolder()
    func texts(_ text: Character, _ count: Int) -> [MetadataEntry] {
      [MetadataEntry(key: "hash", value: String(repeating: text, count: count))]
    }
    for reference in try ReferenceFile.all() {
      let file = try SafeTensorsFile(path: reference.path)
      let late = folder.path("late.safetensors")
      let early = folder.path("early.safetensors")
      let none = folder.path("none.safetensors")
      try SafeTensorsFile.write(
        file, to: late, metadata: texts("-", 5), replacing: true, width: 2,
        finalMetadata: { texts("7", length) })
      try SafeTensorsFile.write(
        file, to: early, metadata: texts("7", length), replacing: true, width: 2)
      let written = try SafeTensorsFile(path: late)
      #expect(written.metadata == texts("7", length))
      for index in file.tensors.indices {
        #expect(try written.bytes(of: index) == file.bytes(of: index))
      }
      // A header that became shorter keeps its length.
      if length >= 5 { #expect(contents(of: late) == contents(of: early)) }
      #expect(throws: Fault.self) {
        try SafeTensorsFile.write(
          file, to: none, metadata: texts("-", 5), width: 2,
          finalMetadata: { () throws(Fault) in throw Fault(.fileChanged, "changed") })
      }
      #expect(contents(of: none).isEmpty)
    }
  }
}
