import Checkpoint
public import Tensors

/// Vectors that take the place of a word, as textual inversion learns them.
public struct TextualInversion: Hashable, Sendable {
  /// The word in a prompt that stands for it: the file's name without suffix.
  public let name: String
  /// One or more vectors, each as wide as the text encoder.
  public let vectors: [[Float]]

  /// Named vectors.
  public init(name: String, vectors: [[Float]]) {
    self.name = name
    self.vectors = vectors
  }

  /// Reads a safetensors file or PyTorch checkpoint of the web UIs or of diffusers.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - name: the word; by default the file's name without suffix.
  ///   - width: the width of the text encoder, 768 for Stable Diffusion 1.5.
  /// - Throws: what opening throws, and ``Tensors/Rule/notAnEmbedding``.
  public init(path: String, name: String? = nil, width: Int = 768) throws(Fault) {
    let source = try openModel(path: path)
    let wide = source.tensors.indices.filter {
      let tensor = source.tensors[$0]
      return tensor.dtype.isFloatingPoint && (1...2).contains(tensor.shape.count)
    }
    let fitting = wide.filter {
      let tensor = source.tensors[$0]
      // A prompt takes 75 vectors at once; no embedding is longer.
      return tensor.shape.last == width && (1...75).contains(tensor.elementCount / max(1, width))
    }
    guard fitting.count == 1, wide.count == 1, let index = fitting.first else {
      let shapes = source.tensors.prefix(3).map { "'\($0.name)' \($0.shape)" }
      throw Fault(
        .notAnEmbedding, "is not an embedding for this model", path: path,
        expected: "one tensor of vectors \(width) wide",
        found: shapes.isEmpty ? "no tensors" : shapes.joined(separator: ", "),
        hint: "an embedding belongs to one family of models")
    }
    let tensor = source.tensors[index]
    guard let conversion = Conversion(from: tensor.dtype, to: .f32) else {
      throw Fault(.notAnEmbedding, "has values of type \(tensor.dtype)", path: path)
    }
    let bytes = try source.bytes(of: index)
    var values = [Float](repeating: 0, count: tensor.elementCount)
    var span = values.mutableSpan
    var raw = unsafe span.mutableBytes
    _ = unsafe conversion.convert(bytes.span.bytes, into: &raw)
    try source.checkUnchanged()
    self.name = name ?? Self.stem(of: path)
    vectors = stride(from: 0, to: values.count, by: width).map {
      Array(values[$0..<$0 + width])
    }
  }

  private static func stem(of path: String) -> String {
    let file = path.split(separator: "/").last ?? ""
    guard let dot = file.lastIndex(of: "."), dot != file.startIndex else { return String(file) }
    return String(file[..<dot])
  }
}
