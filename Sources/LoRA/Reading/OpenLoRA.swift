import Checkpoint
import Glibc
import JSON
public import Tensors

extension LoRAFile {
  /// Opens a LoRA: a safetensors file, a PyTorch checkpoint, or a folder as PEFT writes it.
  ///
  /// - Throws: what opening throws; ``Rule/loraNothing`` and ``Rule/loraIsModel`` if it is none,
  ///   ``Rule/loraUnmergeable`` if it is of a kind that changes no weights. Other errors are in
  ///   ``findings``.
  public init(path: String) throws(Fault) {
    let file = Self.fileInFolder(path) ?? path
    let source = try openModel(path: file)
    var settings: AdapterSettings
    do throws(Fault) {
      settings = try AdapterSettings(metadata: source.metadata)
      if settings.isEmpty, let config = try Self.config(beside: file) {
        settings = try AdapterSettings(config: config)
      }
    } catch { throw error.at(file) }
    try self.init(source, settings)
  }

  /// Reads names and shapes of a file that is open already.
  ///
  /// What lies beside the file is not looked at.
  public init(_ source: any TensorSource) throws(Fault) {
    let settings: AdapterSettings
    do throws(Fault) { settings = try AdapterSettings(metadata: source.metadata) } catch {
      throw error.at(source.path)
    }
    try self.init(source, settings)
  }

  private init(_ source: any TensorSource, _ settings: AdapterSettings) throws(Fault) {
    var reader = LoRAReader(source)
    self = try reader.file(settings)
  }

  /// The file with the tensors in a folder that PEFT or diffusers wrote.
  private static func fileInFolder(_ path: String) -> String? {
    ["adapter_model.safetensors", "pytorch_lora_weights.safetensors", "adapter_model.bin"]
      .map { path + "/" + $0 }.first { unsafe access($0, F_OK) == 0 }
  }

  /// PEFT's settings, if the file is one of PEFT's.
  private static func config(beside path: String) throws(Fault) -> JSONValue? {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[...$0]) } ?? ""
    let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
    guard name.hasPrefix("adapter_model.") else { return nil }
    let config = folder + "adapter_config.json"
    guard unsafe access(config, F_OK) == 0 else { return nil }
    let file = try InputFile(path: config)
    do throws(Fault) {
      return try JSONValue(parsing: file.read(at: 0, count: min(file.byteCount, 1 << 20)))
    } catch { throw error.at(config) }
  }
}
