import Tensors

/// The tensors of a checkpoint, whatever container its storages lie in.
struct TorchContents: Sendable {
  let tensors: [TensorInfo]
  let metadata: [MetadataEntry]
  let findings: [Fault]
  /// The tensors that belong to the state of a training and are not among ``tensors``.
  let trainingStateTensorCount: Int

  private let views: [StridedView]
  let storages: [TorchStorage]

  /// Makes sense of an unpickled object.
  ///
  /// - Parameters:
  ///   - graph: the object.
  ///   - storages: where each of the graph's storages lies; sizes are checked already.
  ///   - isBigEndian: whether the values must be turned around.
  ///   - byteCount: the size of the container, which bounds what may be made of it.
  ///   - findings: what was noticed before.
  /// - Throws: rules PT030, PT031 and PT041 to PT047.
  init(
    _ graph: borrowing PickleGraph, storages: [TorchStorage], isBigEndian: Bool, byteCount: Int,
    findings: [Fault]
  ) throws(Fault) {
    let state = try StateDict(graph)
    metadata = state.metadata
    var resolver = TensorResolver(storages: storages, isBigEndian: isBigEndian)
    for (name, index) in state.tensors {
      do throws(Fault) {
        try resolver.add(name, graph.tensors[index], graph)
      } catch {
        var fault = error
        fault.tensor = name
        throw fault
      }
    }
    try resolver.checkExpansion(fileSize: byteCount)
    tensors = resolver.tensors
    views = resolver.views
    self.storages = resolver.storages
    let used = Set(state.tensors.map(\.index))
    trainingStateTensorCount = graph.tensors.count - used.count
    var findings = findings
    for name in graph.names where name.known == nil {
      findings.append(
        Fault(
          .pickleUnknownName, "the pickle mentions \(name.name) without calling it",
          offset: name.offset,
          hint: "unpickling imports it; load the file only with weights_only=True"))
    }
    findings += resolver.sharedStorages()
    self.findings = findings
  }

  /// Where the values of a tensor lie as they are.
  func extent(of index: Int) -> FileExtent? {
    let view = views[index]
    guard view.isContiguous, view.swapWidth == 1,
      case .file(let file, let start) = storages[view.storage].location
    else { return nil }
    return FileExtent(
      file: file, offset: start + view.offset, byteCount: tensors[index].byteCount)
  }

  /// Fills `buffer` with the bytes of tensor `index` from `offset`.
  func read(_ index: Int, at offset: Int, into buffer: inout MutableRawSpan) throws(Fault) {
    precondition(offset >= 0 && buffer.byteCount <= tensors[index].byteCount - offset)
    let view = views[index]
    let reader = ViewReader(view: view, storage: storages[view.storage])
    try unsafe buffer.withUnsafeMutableBytes { bytes throws(Fault) in
      try unsafe reader.read(at: offset, into: bytes)
    }
  }
}

/// Turns tensors as a pickle describes them into views of storages.
private struct TensorResolver {
  var tensors: [TensorInfo] = []
  var views: [StridedView] = []
  var storages: [TorchStorage]
  let isBigEndian: Bool

  init(storages: [TorchStorage], isBigEndian: Bool) {
    self.storages = storages
    self.isBigEndian = isBigEndian
  }

  mutating func add(
    _ name: TensorName, _ tensor: PickledTensor, _ graph: borrowing PickleGraph
  ) throws(Fault) {
    switch tensor.content {
    case .unsupported(let function):
      throw Fault(
        .tensorKind, "is not a plain tensor", offset: tensor.offset, found: function,
        hint: "convert it to an ordinary tensor with PyTorch")
    case .view(let index, let type, let offset, let shape, let strides):
      let info = try info(name, type, shape, tensor)
      let part = graph.storageViews[index]
      let storage = part.storage ?? 0
      guard
        let view = StridedView(
          storage: storage, byteCount: (part.start + part.count) * part.type.byteCount,
          start: part.start * part.type.byteCount, dtype: info.dtype, offset: offset,
          shape: shape, strides: strides, count: info.elementCount, isSwapped: isBigEndian)
      else {
        throw Fault(
          .tensorOutOfStorage, "reaches outside its storage", offset: tensor.offset,
          expected: "at most \(part.count) values",
          found: "shape \(shape) with strides \(strides) from value \(offset)")
      }
      tensors.append(info)
      views.append(view)
    case .inline(let bytes, let type, let shape, let isFortranOrder):
      let info = try info(name, type, shape, tensor)
      let contents = Self.contents(bytes, graph)
      guard contents.count == info.byteCount else {
        throw Fault(
          .recordSize, "has the wrong number of bytes", offset: tensor.offset,
          expected: "\(info.byteCount)", found: "\(contents.count)")
      }
      var strides = [Int](repeating: 1, count: shape.count)
      var step = 1
      for axis in isFortranOrder ? Array(shape.indices) : shape.indices.reversed() {
        strides[axis] = step
        step = max(1, step &* shape[axis])
      }
      guard
        let view = StridedView(
          storage: storages.count, byteCount: contents.count, start: 0, dtype: info.dtype,
          offset: 0, shape: shape, strides: strides, count: info.elementCount, isSwapped: false)
      else { throw Fault(.tensorMalformed, "is malformed", offset: tensor.offset) }
      storages.append(TorchStorage(location: .memory(contents), byteCount: contents.count))
      tensors.append(info)
      views.append(view)
    }
  }

  private func info(
    _ name: TensorName, _ type: ElementType, _ shape: [Int], _ tensor: PickledTensor
  ) throws(Fault) -> TensorInfo {
    switch type {
    case .plain(let dtype):
      guard let info = try? TensorInfo(name: name, dtype: dtype, shape: shape) else {
        throw Fault(
          .tensorMalformed, "has more values than can be counted", offset: tensor.offset,
          found: "shape \(shape)")
      }
      return info
    case .foreign(let name, _):
      throw Fault(
        .storageType, "has values of an unsupported type", offset: tensor.offset, found: name,
        hint: "convert it with PyTorch, for example to float32")
    case .untyped:
      throw Fault(.tensorMalformed, "has no type", offset: tensor.offset)
    }
  }

  /// The bytes of a NumPy array in the pickle.
  private static func contents(_ value: PickleValue, _ graph: borrowing PickleGraph) -> [UInt8] {
    switch value {
    case .bytes(let range): return Array(graph.bytes[range.range])
    case .latin1(let range):
      // Characters beyond 255 cannot be bytes; the length then does not match.
      return graph.text(range).unicodeScalars.compactMap { UInt8(exactly: $0.value) }
    default: return []
    }
  }

  /// Checks that no views make a small file large.
  ///
  /// - Throws: ``Rule/tensorExpansion``.
  func checkExpansion(fileSize: Int) throws(Fault) {
    let stored = storages.reduce(0) { $0.addingReportingOverflow($1.byteCount).partialValue }
    let (quadruple, overflow) = max(fileSize, stored).multipliedReportingOverflow(by: 4)
    let limit = overflow ? .max : max(64 << 20, quadruple)
    var total = 0
    for tensor in tensors {
      let (sum, overflow) = total.addingReportingOverflow(tensor.byteCount)
      guard !overflow, sum <= limit else {
        throw Fault(
          .tensorExpansion, "makes the tensors far larger than the file", tensor: tensor.name,
          expected: "at most \(limit) bytes in all", found: "shape \(tensor.shape)")
      }
      total = sum
    }
  }

  /// A finding for each group of tensors that lie on the same bytes.
  func sharedStorages() -> [Fault] {
    var groups: [Int: [Int]] = [:]
    for (index, view) in views.enumerated() where view.count > 0 {
      groups[view.storage, default: []].append(index)
    }
    var findings: [Fault] = []
    for storage in groups.keys.sorted() {
      guard let members = groups[storage], members.count > 1 else { continue }
      let ordered = members.sorted {
        (views[$0].range.lowerBound, $0) < (views[$1].range.lowerBound, $1)
      }
      var cluster: [Int] = []
      var end = 0
      for index in ordered + [-1] {
        if index >= 0, !cluster.isEmpty, views[index].range.lowerBound < end {
          cluster.append(index)
          end = max(end, views[index].range.upperBound)
          continue
        }
        if cluster.count > 1 { findings.append(finding(cluster)) }
        if index >= 0 {
          cluster = [index]
          end = views[index].range.upperBound
        }
      }
    }
    return findings
  }

  private func finding(_ cluster: [Int]) -> Fault {
    let names = cluster.sorted().map { tensors[$0].name }
    let shown = names.dropFirst().prefix(3).map { "'\($0)'" }.joined(separator: ", ")
    let rest = names.count > 4 ? " and \(names.count - 4) more" : ""
    return Fault(.tensorShared, "shares its values with \(shown)\(rest)", tensor: names.first)
  }
}
