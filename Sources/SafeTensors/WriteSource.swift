public import Tensors

extension SafeTensorsFile {
  /// Writes all tensors of `source` to a safetensors file.
  ///
  /// The file is filled in windows of a megabyte, each assembled from whatever tensors lie in
  /// it, so that memory stays small however large the model, and the bytes are the same for every
  /// `width`.
  ///
  /// - Parameters:
  ///   - source: where the values come from; may compute them as they are asked for.
  ///   - path: the file to make.
  ///   - metadata: the texts of `__metadata__`; none at all if `nil`.
  ///   - order: in which order the data lies.
  ///   - replacing: whether an existing file is replaced.
  ///   - width: the number of threads that compute.
  ///   - observers: each sees all bytes in their order; without `finalMetadata` those of the file
  ///     as it stays.
  ///   - progress: called with the number of bytes written since the last call, from any thread.
  ///   - finalMetadata: called once all tensors are written, for texts that are not known before,
  ///     such as hashes of what was read; `metadata` holds texts of at least their length.
  /// - Throws: what reading, computing and writing throw; then nothing stands under `path`.
  public static func write(
    _ source: any TensorSource, to path: String, metadata: [MetadataEntry]?,
    order: SafeTensorsLayout.Order = .canonical, replacing: Bool = false, width: Int,
    observers: [OutputFile.Observer] = [], progress: @Sendable (Int) -> Void = { _ in },
    finalMetadata: (() throws(Fault) -> [MetadataEntry])? = nil
  ) throws(Fault) {
    func layout(
      _ metadata: [MetadataEntry]?, minimum: Int = 0
    ) throws(Fault) -> SafeTensorsLayout {
      do throws(Fault) {
        return try SafeTensorsLayout(
          tensors: source.tensors, metadata: metadata, order: order,
          minimumHeaderByteCount: minimum)
      } catch { throw error.at(path) }
    }
    func filled(_ layout: SafeTensorsLayout) throws(Fault) -> OutputFile {
      let file = try OutputFile(
        path: path, byteCount: layout.byteCount, replacing: replacing, isDirect: true)
      let segments = layout.segments(of: source.tensors)
      try file.fill(width: width, observers: observers) { (offset, window) throws(Fault) in
        try layout.fill(&window, at: offset, segments, from: source)
        progress(window.byteCount)
      }
      try source.checkUnchanged()
      return file
    }
    let provisional = try layout(metadata)
    var file = try filled(provisional)
    if let finalMetadata {
      let final = try layout(try finalMetadata(), minimum: provisional.header.count)
      if final.header.count == provisional.header.count {
        try unsafe file.amend(final.header.span.bytes, at: 0)
      } else {
        // Longer texts move the data; it is rare enough to write it again.
        file = try filled(final)
      }
    }
    try file.commit()
  }
}

extension SafeTensorsLayout {
  /// A tensor's place in the file.
  struct Segment: Sendable {
    let tensor: Int
    let range: Range<Int>
  }

  /// The places of all tensors that have bytes, in the order of the file.
  func segments(of tensors: [TensorInfo]) -> [Segment] {
    tensors.indices.filter { tensors[$0].byteCount > 0 }
      .map { Segment(tensor: $0, range: offsets[$0]..<offsets[$0] + tensors[$0].byteCount) }
      .sorted { $0.range.lowerBound < $1.range.lowerBound }
  }

  /// Fills `window` with the bytes of the file from `offset`.
  func fill(
    _ window: inout MutableRawSpan, at offset: Int, _ segments: [Segment],
    from source: any TensorSource
  ) throws(Fault) {
    let end = offset + window.byteCount
    for position in offset..<min(max(offset, header.count), end) {
      window.storeBytes(of: header[position], toByteOffset: position - offset, as: UInt8.self)
    }
    // The first segment that ends inside or behind the window.
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].range.upperBound <= offset { low = middle + 1 } else { high = middle }
    }
    for segment in segments[low...] {
      guard segment.range.lowerBound < end else { return }
      let part = segment.range.clamped(to: offset..<end)
      var bytes = window._mutatingExtracting(part.lowerBound - offset..<part.upperBound - offset)
      try source.read(segment.tensor, at: part.lowerBound - segment.range.lowerBound, into: &bytes)
    }
  }
}
