import Dispatch
import Glibc
import Synchronization

/// The number of processors this process may use.
public var availableProcessors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

/// Calls `body` once for each index below `count`, from at most `width` threads.
///
/// Which thread runs an index is not specified, so what `body` computes must not depend on it.
///
/// - Throws: the error of the lowest failing index.
public func forEachIndex<Failure: Error>(
  below count: Int, width: Int, _ body: @Sendable (Int) throws(Failure) -> Void
) throws(Failure) {
  try forEachIndex(below: count, width: width, local: {}) {
    (index, _: inout Void) throws(Failure) in
    try body(index)
  }
}

/// Calls `body` once for each index below `count`, from at most `width` threads, each with a value
/// of its own that it can use again and again, such as a ``Buffer``.
///
/// - Throws: the error of the lowest failing index.
public func forEachIndex<Local, Failure: Error>(
  below count: Int, width: Int, local: @Sendable () -> Local,
  _ body: @Sendable (Int, inout Local) throws(Failure) -> Void
) throws(Failure) {
  guard count > 0 else { return }
  if width <= 1 || count == 1 {
    var own = local()
    for index in 0..<count { try body(index, &own) }
    return
  }
  let state = Mutex((next: 0, failure: (index: Int, error: Failure)?.none))
  DispatchQueue.concurrentPerform(iterations: min(width, count)) { _ in
    var own = local()
    while let index = state.withLock({ s -> Int? in
      guard s.failure == nil, s.next < count else { return nil }
      defer { s.next += 1 }
      return s.next
    }) {
      do throws(Failure) {
        try body(index, &own)
      } catch {
        state.withLock { s in
          if s.failure.map({ index < $0.index }) ?? true { s.failure = (index, error) }
        }
      }
    }
  }
  if let failure = state.withLock({ $0.failure }) { throw failure.error }
}
