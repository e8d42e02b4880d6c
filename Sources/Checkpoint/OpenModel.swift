import Glibc
import JSON
import SafeTensors
public import Tensors

/// Opens a model file or folder, whatever it is: told by its contents, never by its suffix.
///
///     let model = try openModel(path: "v1-5-pruned-emaonly.ckpt")
///     print(model.container.title, model.tensors.count)
///
/// - Parameters:
///   - path: a safetensors file, a shard index, a PyTorch checkpoint, an unpacked checkpoint, a
///     diffusers folder or one of its components.
///   - variant: which variant to prefer in folders, for example `fp16`; by default the plain files.
/// - Returns: the model; its values are read on demand.
/// - Throws: what is wrong with it, in one sentence; ``Rule/foreignFile`` and
///   ``Rule/downloadFailed`` when it is something else.
public func openModel(path: String, variant: String? = nil) throws(Fault) -> any TensorSource {
  var status = stat()
  guard unsafe stat(path, &status) == 0 else { throw .refused("open", path) }
  if status.st_mode & S_IFMT == S_IFDIR {
    return try DiffusersFolder.open(path: path, variant: variant)
  }
  return try openFile(InputFile(path: path))
}

/// Whether the folder at `path` is one model, rather than a folder of models.
public func isModelFolder(path: String) -> Bool { DiffusersFolder.isModel(path: path) }

/// Opens a model that is one file.
func openFile(_ file: InputFile) throws(Fault) -> any TensorSource {
  let start = try file.read(at: 0, count: min(file.byteCount, 1024))
  // First, because the length of a header may begin like any other format: 640 like a pickle.
  if isSafeTensors(start, byteCount: file.byteCount) { return try SafeTensorsFile(file) }
  if start.starts(with: [0x50, 0x4B, 0x03, 0x04]) || start.starts(with: [0x50, 0x4B, 0x05, 0x06]) {
    return try TorchZipSource(file: file)
  }
  if TorchLegacySource.begins(start) { return try TorchLegacySource(file: file) }
  if TorchLegacySource.isTar(start) { throw TorchLegacySource.tarFault(file) }
  if start.first == 0x80, start.count > 1, (2...5).contains(start[1]) {
    throw Fault(
      .foreignFile, "is a plain Python pickle, not a PyTorch checkpoint", path: file.path,
      offset: 0,
      hint: "save it with torch.save or as safetensors")
  }
  if let index = try shardIndex(file, start) { return index }
  if let fault = ForeignFile.fault(start, of: file) { throw fault }
  return try SafeTensorsFile(file)
}

/// Whether the file begins with a possible header length and a brace, or only white space so far.
private func isSafeTensors(_ start: [UInt8], byteCount: Int) -> Bool {
  guard start.count > 8 else { return false }
  let length = start.prefix(8).reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
  guard length > 0, length <= UInt64(SafeTensorsHeader.maximumByteCount) else { return false }
  let blank: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]
  return start[8...].first { !blank.contains($0) } ?? UInt8(ascii: "{") == UInt8(ascii: "{")
}

/// The model whose shard index the file is, or `nil` if it is no index.
private func shardIndex(_ file: InputFile, _ start: [UInt8]) throws(Fault) -> CompositeSource? {
  let blank: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]
  guard start.first(where: { !blank.contains($0) }) == UInt8(ascii: "{"),
    file.byteCount <= 64 << 20,
    let json = try? JSONValue(reading: file), json["weight_map"] != nil
  else { return nil }
  let slash = file.path.lastIndex(of: "/")
  let parent = slash.map { $0 == file.path.startIndex ? "/" : String(file.path[..<$0]) } ?? "."
  return try ShardIndex(file).open(in: ModelFolder(path: parent))
}
