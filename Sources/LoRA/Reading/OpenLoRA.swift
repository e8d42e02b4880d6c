import Checkpoint
public import Tensors

extension LoRAFile {
  /// Opens a LoRA: a safetensors file, a PyTorch checkpoint, or a folder as PEFT writes it.
  ///
  /// - Throws: what opening throws; ``Rule/loraNothing`` and ``Rule/loraIsModel`` if it is none,
  ///   ``Rule/loraUnmergeable`` if it is of a kind that changes no weights. Other errors are in
  ///   ``findings``.
  public init(path: String) throws(Fault) { try self.init(openModel(path: path)) }

  /// Reads names and shapes; ``init(path:)`` for one that is open already.
  public init(_ source: any TensorSource) throws(Fault) {
    self.init(
      source: source, spelling: LoRASpelling(paths: [], suffixes: []), modules: [], ledger: [],
      findings: [])
  }
}
