import Checkpoint
import Glibc
import JSON
import SafeTensors
import Tensors

/// The reader under test; set once before libFuzzer begins, which uses one thread.
nonisolated(unsafe) var chosenTarget = Target.file

/// The readers that can be fuzzed.
enum Target: String, CaseIterable {
  /// The header of a safetensors file.
  case header
  /// Configurations and shard indexes.
  case json
  /// The pickle in an otherwise sound checkpoint.
  case pickle
  /// A whole file of any format: safetensors, zip, legacy, foreign.
  case file
  /// Names, types and shapes of a LoRA, and everything that is made of them.
  case lora

  /// Gives `bytes` to the reader; returns however it ends, unless it traps.
  func run(_ bytes: [UInt8]) {
    switch self {
    case .header: readHeader(bytes)
    case .json: _ = try? JSONValue(parsing: bytes)
    case .pickle: readFile(checkpoint(pickle: bytes))
    case .file: readFile(bytes)
    case .lora: readLoRA(bytes)
    }
  }
}

/// Reads a header whose first two bytes say how much data follows it.
private func readHeader(_ bytes: [UInt8]) {
  guard bytes.count >= 2 else { return }
  let dataByteCount = Int(bytes[0]) | Int(bytes[1]) << 8
  guard
    let header = try? SafeTensorsHeader(
      parsing: Array(bytes.dropFirst(2)), dataByteCount: dataByteCount)
  else { return }
  // What every reader of the header relies on.
  precondition(Set(header.tensors.map(\.name)).count == header.tensors.count)
  var end = 0
  for (tensor, offset) in zip(header.tensors, header.offsets) {
    precondition(offset == end)
    end += tensor.byteCount
  }
  precondition(end == dataByteCount)
}

/// Opens a file with the given contents and reads all that it offers.
private func readFile(_ bytes: [UInt8]) {
  Scratch.shared.fill(bytes)
  guard let source = try? openModel(path: Scratch.shared.path) else { return }
  precondition(!source.tensors.isEmpty || source.container == .safetensors)
  for index in source.tensors.indices.prefix(64) {
    let tensor = source.tensors[index]
    precondition(tensor.shape.allSatisfy { $0 >= 0 })
    if let extent = source.extent(of: index) {
      precondition(extent.offset >= 0 && extent.byteCount == tensor.byteCount)
      precondition(extent.offset <= bytes.count - extent.byteCount)
    }
    var buffer = [UInt8](repeating: 0, count: min(tensor.byteCount, 1 << 16))
    var span = buffer.mutableSpan
    var raw = unsafe span.mutableBytes
    try? source.read(index, at: 0, into: &raw)
    try? source.read(index, at: tensor.byteCount - raw.byteCount, into: &raw)
  }
  try? source.verifyChecksums(width: 1)
  for fault in source.findings { precondition(!fault.description.isEmpty) }
}

/// A file in memory that is written again for every input.
private struct Scratch {
  static let shared = Scratch()

  private let descriptor: CInt
  let path: String

  private init() {
    let name = "/dev/shm/sdtool-fuzz-\(getpid())"
    descriptor = unsafe open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    precondition(descriptor >= 0, "no file in memory")
    unsafe unlink(name)
    path = "/proc/self/fd/\(descriptor)"
  }

  func fill(_ bytes: [UInt8]) {
    precondition(ftruncate(descriptor, off_t(bytes.count)) == 0)
    let written = unsafe bytes.withUnsafeBytes {
      unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0)
    }
    precondition(written == bytes.count)
  }
}
