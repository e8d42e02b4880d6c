import Checkpoint
public import StableDiffusion
public import Tensors

/// An open model and what it is.
///
///     let model = try InspectedModel(path: "v1-5-pruned-emaonly.safetensors")
///     print(model.identity.title, model.source.tensors.count)
public struct InspectedModel: Sendable {
  /// The open model.
  public let source: any TensorSource
  /// What its tensors say it is.
  public let identity: ModelIdentity

  /// Opens the model at `path` and judges it by its headers.
  ///
  /// - Parameters:
  ///   - path: a model file or folder.
  ///   - variant: which variant to prefer in folders, for example `fp16`.
  /// - Throws: what ``openModel(path:variant:)`` throws.
  public init(path: String, variant: String? = nil) throws(Fault) {
    self.init(try openModel(path: path, variant: variant))
  }

  /// Judges an open model by its headers.
  public init(_ source: any TensorSource) {
    self.source = source
    identity = ModelIdentity(source.tensors)
  }

  /// What it is and what it lies in: `Stable Diffusion 1.x model, safetensors file`.
  public var title: String { identity.title + ", " + source.container.title }

  /// The bytes of all tensors.
  public var tensorByteCount: Int {
    source.tensors.reduce(0) { $0.addingReportingOverflow($1.byteCount).partialValue }
  }

  /// The bytes of all files.
  public var fileByteCount: Int {
    source.files.reduce(0) { $0.addingReportingOverflow($1.byteCount).partialValue }
  }
}
