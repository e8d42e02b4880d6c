import StableDiffusion
import Synchronization
import Tensors

/// The results of tensors that can only be computed in one piece, until all of them has been read.
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
  }

  /// For each tensor, if it is computed in one piece.
  private let cells: [Cell?]

  init(_ plan: MergePlan) {
    let isWhole = plan.request.method.reach != .elements
    cells = plan.tensors.map { tensor in
      switch tensor.operation {
      case .merge: isWhole ? Cell() : nil
      case .mergeChannels: Cell()
      case .copy, .positions: nil
      }
    }
  }

  /// Whether a tensor is computed in one piece.
  func isNeeded(for index: Int) -> Bool { cells[index] != nil }

  /// Reads a range of a tensor's bytes; who comes first computes it, the others wait.
  func read(
    _ index: Int, at offset: Int, into buffer: inout MutableRawSpan,
    _ compute: () throws(Fault) -> WholeBytes
  ) throws(Fault) {
    guard let cell = cells[index] else { return }
    let bytes = try cell.state.withLock { state throws(Fault) -> WholeBytes in
      let bytes: WholeBytes
      if let known = state.bytes {
        bytes = known
      } else {
        bytes = try compute()
        state.pulled = 0
      }
      state.pulled += buffer.byteCount
      state.bytes = state.pulled < bytes.byteCount ? bytes : nil
      return bytes
    }
    let memory = bytes.memory
    let all = memory.bytes(bytes.byteCount)
    buffer.copy(all.bytes, from: offset)
  }
}

/// The bytes of a whole tensor, which nobody changes any more.
@safe final class WholeBytes: @unchecked Sendable {
  let memory: Buffer
  let byteCount: Int

  init(_ memory: Buffer, byteCount: Int) {
    self.memory = memory
    self.byteCount = byteCount
  }
}
