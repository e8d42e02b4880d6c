import Glibc
import Inspection
import Synchronization

/// How far a merge is: a bar on a terminal, now and then a line elsewhere.
final class MergeProgress: Sendable {
  private let total: Int
  private let isInteractive: Bool
  private let start = ContinuousClock.now
  private let state = Mutex(State())

  private struct State {
    var done = 0
    var lastUpdate = 0.0
    var hasBar = false
  }

  /// Progress towards `total` bytes.
  init(total: Int) {
    self.total = max(1, total)
    isInteractive = isatty(STDERR_FILENO) == 1
  }

  /// The seconds since the beginning.
  var seconds: Double {
    let elapsed = ContinuousClock.now - start
    return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
  }

  /// Counts bytes that were written.
  func add(_ byteCount: Int) {
    state.withLock { state in
      state.done += byteCount
      let now = seconds
      guard now - state.lastUpdate >= (isInteractive ? 0.1 : 10) else { return }
      state.lastUpdate = now
      let share = min(1, Double(state.done) / Double(total))
      let speed = Written.fileSize(Int(Double(state.done) / max(now, 1e-3))) + "/s"
      let left = Written.duration(seconds: now / max(share, 1e-6) - now) + " left"
      let percent = "\(Int(share * 100))%"
      if isInteractive {
        let full = Int(share * 30)
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: 30 - full)
        Terminal.writeProgress("\r\u{1B}[K\(bar) \(percent)  \(speed)  \(left)")
        state.hasBar = true
      } else {
        Terminal.writeError("\(percent)  \(speed)  \(left)")
      }
    }
  }

  /// Removes the bar.
  func finish() {
    state.withLock { state in
      if state.hasBar { Terminal.writeProgress("\r\u{1B}[K") }
      state.hasBar = false
    }
  }
}
