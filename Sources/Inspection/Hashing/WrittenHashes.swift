import Crypto
import Synchronization
public import Tensors

/// The hashes of a file that is being written, computed while it is.
///
///     let hashes = WrittenHashes()
///     try plan.write(to: "model.safetensors", width: 2, observers: hashes.observers)
///     hashes.known().autoV2
///
/// The file and what follows its header are two streams, which two threads can hash at once.
public final class WrittenHashes: Sendable {
  private let whole = Mutex(SHA256())
  private let data = Mutex(SHA256())
  /// Where the data begins: told by the first eight bytes.
  private let start = Mutex(0)

  /// Begins.
  public init() {}

  /// What must see the bytes of the file in their order, each by itself.
  public var observers: [OutputFile.Observer] {
    [
      { _, bytes in self.whole.withLock { $0.update(bytes) } },
      { offset, bytes in
        if offset == 0, bytes.byteCount >= 8 {
          let length = unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(as: UInt64.self) }
          self.start.withLock { $0 = 8 + (Int(exactly: UInt64(littleEndian: length)) ?? 0) }
        }
        let start = self.start.withLock { $0 }
        guard offset + bytes.byteCount > start else { return }
        self.data.withLock { $0.update(bytes.extracting(max(0, start - offset)...)) }
      },
    ]
  }

  /// The hashes of a safetensors file, once all of it was seen.
  public func known() -> KnownHashes {
    KnownHashes(sha256: Digest(whole.withLock { $0 }), dataSHA256: Digest(data.withLock { $0 }))
  }
}

/// The hashes by which programs and sites know a file.
public struct KnownHashes: Hashable, Sendable {
  /// SHA-256 of the whole file.
  public let sha256: Digest
  /// SHA-256 of all that follows a safetensors header; `nil` for other files.
  public let dataSHA256: Digest?

  init(sha256: Digest, dataSHA256: Digest?) {
    self.sha256 = sha256
    self.dataSHA256 = dataSHA256
  }

  /// Those of a file that was read.
  public init(_ hashes: FileHashes) {
    self.init(sha256: hashes.sha256, dataSHA256: hashes.dataSHA256)
  }

  /// The ten digits that the web UI shows.
  public var autoV2: String { sha256.hexadecimal(5) }
  /// The twelve digits that the web UI gives a LoRA, or `nil` for other files than safetensors.
  public var autoV3: String? { dataSHA256?.hexadecimal(6) }
}
