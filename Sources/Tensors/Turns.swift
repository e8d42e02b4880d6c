import Dispatch
import Synchronization

/// Lets threads act in the order of their indices, whichever comes first.
///
///     forEachIndex(below: count, width: 2) { index in
///       let part = compute(index)
///       turns.take(index) { total.append(part) }
///     }
///
/// Whoever holds the lowest index never waits, so that threads that take indices in rising order
/// cannot wait for one another for ever.
final class Turns: Sendable {
  private struct State {
    var next = 0
    var isOver = false
    var waiting: [Int: DispatchSemaphore] = [:]
  }

  private let state = Mutex(State())

  /// Calls `body` once all lower indices have had their turn, unless ``end()`` was called.
  func take(_ index: Int, _ body: () -> Void) {
    let gate = state.withLock { state -> DispatchSemaphore? in
      guard state.next != index, !state.isOver else { return nil }
      let gate = DispatchSemaphore(value: 0)
      state.waiting[index] = gate
      return gate
    }
    gate?.wait()
    guard !state.withLock({ $0.isOver }) else { return }
    body()
    state.withLock { state in
      state.next = index + 1
      state.waiting.removeValue(forKey: index + 1)?.signal()
    }
  }

  /// Lets everybody go on without a turn: an index will never come.
  func end() {
    state.withLock { state in
      state.isOver = true
      for gate in state.waiting.values { gate.signal() }
      state.waiting = [:]
    }
  }
}
