import Checkpoint
import Tensors
import TestSupport
import Testing

@Suite("Checkpoints that PyTorch wrote")
struct TorchReadingTests {
  @Test("there are files to compare with") func presence() {
    #expect(TorchFile.all.count >= 28)
  }

  @Test("names, types, shapes and values are those that PyTorch reads", arguments: TorchFile.all)
  func values(_ file: TorchFile) throws {
    let source = try openModel(path: file.path)
    #expect(try read(source) == file.tensors)
    #expect(source.metadata == file.metadata)
    try source.verifyChecksums(width: 2)
  }

  @Test("nothing is reported but shared storages", arguments: TorchFile.all)
  func quiet(_ file: TorchFile) throws {
    let findings = try openModel(path: file.path).findings
    #expect(findings.map(\.rule) == Array(repeating: .tensorShared, count: file.sharedCount))
  }

  @Test("the state of a training is counted, not listed", arguments: TorchFile.all)
  func trainingState(_ file: TorchFile) throws {
    let input = try InputFile(path: file.path)
    let count =
      contents(of: file.path).starts(with: [0x50, 0x4B])
      ? try TorchZipSource(file: input).trainingStateTensorCount
      : try TorchLegacySource(file: input).trainingStateTensorCount
    #expect(count == file.trainingStateCount)
  }

  @Test("any piece of a tensor is the same part of the whole", arguments: TorchFile.all)
  func pieces(_ file: TorchFile) throws {
    let source = try openModel(path: file.path)
    for index in source.tensors.indices {
      let whole = try source.bytes(of: index)
      // Odd sizes cut values apart; the large files take larger steps.
      let step = max(7, whole.count / 9 | 1)
      for start in stride(from: 0, to: whole.count, by: step).reversed() {
        var piece = [UInt8](repeating: 0xAA, count: min(step, whole.count - start))
        var span = piece.mutableSpan
        var raw = unsafe span.mutableBytes
        try source.read(index, at: start, into: &raw)
        #expect(piece == Array(whole[start..<start + piece.count]), "\(file) \(index) \(start)")
      }
    }
  }

  @Test("many threads read the same values", arguments: ["deflated.pt", "large_deflated.pt"])
  func threads(_ name: String) throws {
    let source = try openModel(path: Fixtures.path("torch/files/" + name))
    let whole = try source.tensors.indices.map { try source.bytes(of: $0) }
    try forEachIndex(below: 16, width: 4) { turn throws(Fault) in
      let index = turn % whole.count
      let bytes = try source.bytes(of: index)
      #expect(bytes == whole[index])
    }
  }

  @Test("an extent is given exactly where the file holds the values as they are")
  func extents() throws {
    let contiguous: Set<TensorName> = ["whole", "row", "pointwise", "nothing"]
    for name in ["views.pt", "views_legacy.pt"] {
      let source = try openModel(path: Fixtures.path("torch/files/" + name))
      for (index, tensor) in source.tensors.enumerated() {
        let extent = source.extent(of: index)
        #expect((extent != nil) == contiguous.contains(tensor.name), "\(tensor.name)")
        if let extent {
          let bytes = try extent.file.read(at: extent.offset, count: extent.byteCount)
          #expect(try bytes == source.bytes(of: index))
        }
      }
    }
    let turned = try openModel(path: Fixtures.path("torch/files/big_endian.pt"))
    for (index, tensor) in turned.tensors.enumerated() {
      #expect((turned.extent(of: index) != nil) == (tensor.dtype.bitCount == 8))
    }
  }

  @Test("tensors on the same bytes are named together")
  func shared() throws {
    let source = try openModel(path: Fixtures.path("torch/files/views.pt"))
    #expect(
      source.findings.first?.sentence
        == "'whole' shares its values with 'transposed', 'row', 'column' and 2 more")
  }
}
