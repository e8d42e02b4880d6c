public import Tensors

extension MergedSource {
  /// What a model has other than this merge would give, one fault for each tensor.
  ///
  /// - Parameters:
  ///   - model: the model, in any layout.
  ///   - width: the number of threads.
  ///   - progress: called with the number of bytes compared since the last call.
  /// - Returns: the differences, in the order of ``tensors``, then what the model has beside.
  /// - Throws: what reading and computing throw.
  public func differences(
    from model: any TensorSource, width: Int, progress: @Sendable (Int) -> Void = { _ in }
  ) throws(Fault) -> [Fault] {
    let other = MergeInput(model)
    let found = Results<Fault?>(repeating: nil, count: tensors.count)
    try forEachIndex(
      below: tensors.count, width: width,
      local: {
        (Buffer(byteCount: Self.pieceByteCount), Buffer(byteCount: Self.pieceByteCount))
      }
    ) { (index, buffers: inout (Buffer, Buffer)) throws(Fault) in
      let tensor = tensors[index]
      func differs(_ message: String, _ expected: String? = nil, _ actual: String? = nil) {
        found[index] = Fault(
          .mergeDiffers, message, path: model.path, tensor: tensor.name, expected: expected,
          found: actual)
      }
      guard let position = other.positions[tensor.name] else { return differs("is missing") }
      let own = model.tensors[position]
      guard own.dtype == tensor.dtype else {
        return differs("has another type", "\(tensor.dtype)", "\(own.dtype)")
      }
      guard other.shape(of: position) == tensor.shape, own.byteCount == tensor.byteCount else {
        return differs("has another shape", "\(tensor.shape)", "\(own.shape)")
      }
      var offset = 0
      while offset < tensor.byteCount {
        let count = min(Self.pieceByteCount, tensor.byteCount - offset)
        let (first, second) = buffers
        var a = first.bytes(count)
        var b = second.bytes(count)
        try read(index, at: offset, into: &a)
        try model.read(position, at: offset, into: &b)
        guard Self.areEqual(a.bytes, b.bytes) else { return differs("has other values") }
        progress(count)
        offset += count
      }
    }
    let names = Set(tensors.map(\.name))
    let beside = other.positions.keys.filter { !names.contains($0) }.sorted().map {
      Fault(.mergeDiffers, "is not in the merge", path: model.path, tensor: $0)
    }
    return found.values.compactMap { $0 } + beside
  }

  private static func areEqual(_ a: RawSpan, _ b: RawSpan) -> Bool {
    unsafe a.withUnsafeBytes { a in unsafe b.withUnsafeBytes { b in unsafe a.elementsEqual(b) } }
  }
}
