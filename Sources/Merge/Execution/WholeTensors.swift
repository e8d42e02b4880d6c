import StableDiffusion
import Synchronization
import Tensors

/// The results of tensors that can only be computed in one piece, until all of them has been read.
///
/// Who reads a tensor first computes it. Who finds it being computed computes the next one
/// meanwhile, so that all threads are busy though each tensor is computed by one.
final class WholeTensors: Sendable {
  /// One tensor.
  private final class Cell: Sendable {
    let state = Mutex(State())
  }

  private struct State {
    /// The result, while it is needed.
    var bytes: WholeBytes?
    /// How many of its bytes have been read.
    var pulled = 0
    /// Whether it was computed before.
    var wasComputed = false
  }

  /// For each tensor, if it is computed in one piece.
  private let cells: [Cell?]
  /// The tensors in the order in which a file is written.
  private let order: [Int]
  private let ranks: [Int]
  /// How far ahead tensors are computed.
  private static let reach = 3

  init(_ plan: MergePlan) {
    let isWhole = plan.request.method.reach != .elements
    cells = plan.tensors.map { tensor in
      switch tensor.operation {
      case .merge: isWhole ? Cell() : nil
      case .mergeChannels: Cell()
      case .copy, .positions: nil
      }
    }
    let cells = cells
    order = plan.tensors.indices.filter { cells[$0] != nil }.sorted {
      let (a, b) = (plan.tensors[$0].info, plan.tensors[$1].info)
      return (b.dtype, a.name) < (a.dtype, b.name)
    }
    var ranks = [Int](repeating: 0, count: plan.tensors.count)
    for (rank, index) in order.enumerated() { ranks[index] = rank }
    self.ranks = ranks
  }

  /// Whether a tensor is computed in one piece.
  func isNeeded(for index: Int) -> Bool { cells[index] != nil }

  /// Reads a range of a tensor's bytes.
  func read(
    _ index: Int, at offset: Int, into buffer: inout MutableRawSpan,
    _ compute: (Int) throws(Fault) -> WholeBytes
  ) throws(Fault) {
    guard let cell = cells[index] else { return }
    let count = buffer.byteCount
    func take(_ state: inout State) throws(Fault) -> WholeBytes {
      let bytes: WholeBytes
      if let known = state.bytes {
        bytes = known
      } else {
        bytes = try compute(index)
        state.pulled = 0
        state.wasComputed = true
      }
      state.pulled += count
      state.bytes = state.pulled < bytes.byteCount ? bytes : nil
      return bytes
    }
    let ready = try cell.state.withLockIfAvailable { state throws(Fault) in try take(&state) }
    let bytes: WholeBytes
    if let ready {
      bytes = ready
    } else {
      computeNext(after: index, compute)
      bytes = try cell.state.withLock { state throws(Fault) in try take(&state) }
    }
    let memory = bytes.memory
    let all = memory.bytes(bytes.byteCount)
    buffer.copy(all.bytes, from: offset)
  }

  /// Computes a tensor that will be read soon; a fault shows again when it is read.
  private func computeNext(after index: Int, _ compute: (Int) throws(Fault) -> WholeBytes) {
    for next in order[(ranks[index] + 1)...].prefix(Self.reach) {
      let isDone = cells[next]?.state.withLockIfAvailable { state -> Bool in
        guard !state.wasComputed, let bytes = try? compute(next) else { return false }
        state.bytes = bytes
        state.wasComputed = true
        return true
      }
      if isDone == true { return }
    }
  }
}

/// The bytes of a whole tensor, which nobody changes any more.
@safe final class WholeBytes: @unchecked Sendable {
  let memory: Buffer
  let byteCount: Int
  private let pool: WholeScratchPool

  init(_ memory: Buffer, byteCount: Int, of pool: WholeScratchPool) {
    self.memory = memory
    self.byteCount = byteCount
    self.pool = pool
  }

  deinit { pool.recycle(memory) }
}
