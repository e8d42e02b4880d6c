import CForward
import COneDNN
import Synchronization
public import Tensors

/// How exactly a network computes.
public enum Precision: String, CaseIterable, Sendable {
  /// Single precision, direct algorithms, one order of summation: the same bits for any number of
  /// threads, on any processor.
  case reference
  /// Single precision, with faster algorithms that round differently; needs oneDNN.
  case f32
  /// Activations and weights in bfloat16, sums in single precision; needs oneDNN, and AVX-512 with
  /// BF16.
  case bf16

  /// How activations are stored.
  var activationType: cf_type { self == .bf16 ? CF_BF16 : CF_F32 }
}

/// What networks run on: threads, their memory, and a precision.
///
/// One runtime serves any number of models; they take turns.
///
///     let runtime = try Runtime(precision: .f32, threads: 2)
///     let unet = try UNetModel(model, runtime: runtime)
@safe public final class Runtime: @unchecked Sendable {
  /// How exactly is computed.
  public let precision: Precision
  /// The number of threads.
  public let threads: Int

  /// The threads; for whoever holds the lock.
  let pool: OpaquePointer
  /// oneDNN, once it is needed; for whoever holds the lock.
  private(set) var library: OpaquePointer?
  /// Memory of activations; for whoever holds the lock.
  let arena = Arena()
  private let turn = Mutex<Void>(())

  /// A runtime.
  ///
  /// - Throws: ``Rule/unsupportedPrecision`` when the processor cannot compute so,
  ///   ``Rule/outOfMemory``.
  public convenience init(
    precision: Precision = .f32, threads: Int = availableProcessors
  ) throws(Fault) {
    try self.init(precision: precision, threads: threads, path: cf_best_path())
  }

  /// A runtime whose inner loops use a chosen instruction set, for tests.
  package convenience init(
    precision: Precision, threads: Int, portable: Bool
  ) throws(Fault) {
    try self.init(
      precision: precision, threads: threads, path: portable ? CF_PORTABLE : cf_best_path())
  }

  private init(precision: Precision, threads: Int, path: cf_path) throws(Fault) {
    guard precision != .bf16 || path == CF_AVX512_BF16 else {
      throw Fault(
        .unsupportedPrecision, "this processor has no BF16 instructions",
        hint: "use --precision f32")
    }
    self.precision = precision
    self.threads = max(1, threads)
    guard let pool = unsafe cf_pool_create(Int32(clamping: self.threads), path) else {
      throw .noMemory()
    }
    unsafe self.pool = pool
  }

  deinit {
    unsafe od_destroy(library)
    unsafe cf_pool_destroy(pool)
  }

  /// Opens oneDNN, if layers in this precision need it.
  ///
  /// - Throws: ``Rule/libraryMissing``.
  func openLibrary() throws(Fault) {
    guard precision != .reference else { return }
    try exclusively { () throws(Fault) in
      guard unsafe library == nil else { return }
      guard od_load() == 0 else {
        throw Fault(
          .libraryMissing, "oneDNN, which computes in \(precision.rawValue), cannot be opened",
          expected: "libdnnl.so.3 or libdnnl.so.2", found: unsafe String(cString: od_library()),
          hint: "install it (Debian and Ubuntu: apt install libdnnl2, or libdnnl3 where there is "
            + "one), or use --precision reference, which does without")
      }
      guard let library = unsafe od_create(Int32(clamping: threads)) else { throw .noMemory() }
      unsafe self.library = library
    }
  }

  /// Whether this processor computes in `precision`.
  public static func supports(_ precision: Precision) -> Bool {
    precision != .bf16 || cf_best_path() == CF_AVX512_BF16
  }

  /// Waits for the threads and the memory, and calls `body`.
  func exclusively<Result>(_ body: () throws(Fault) -> sending Result) throws(Fault) -> Result {
    try turn.withLock { _ throws(Fault) in try body() }
  }

  /// Throws if `status`, which a loop or the library returned, is no success.
  func check(_ status: Int32) throws(Fault) {
    if status == OD_UNABLE.rawValue {
      throw Fault(
        .unsupportedPrecision, "oneDNN does not compute this in \(precision.rawValue) here",
        found: unsafe String(cString: od_library()),
        hint: "use --precision \(precision == .bf16 ? "f32" : "reference")")
    }
    guard status == 0 else { throw .noMemory() }
  }
}
