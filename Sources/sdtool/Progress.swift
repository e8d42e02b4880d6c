import Dispatch
import Inspection
import Synchronization

/// Shows on standard error how far a long operation is.
///
/// On a terminal one line that is drawn again and again, elsewhere a line every few seconds.
final class Progress: Sendable {
  private let total: Int
  private let label: String
  private let isShown: Bool
  private let isInteractive: Bool
  private let start = DispatchTime.now()
  private let state = Mutex((done: 0, drawn: UInt64(0)))

  /// The progress of something that takes `total` bytes.
  init(total: Int, isShown: Bool, label: String) {
    self.total = total
    self.label = label
    self.isShown = isShown
    isInteractive = Terminal.isErrorInteractive
  }

  /// Notes that `count` more bytes are done; from any thread.
  @Sendable func add(_ count: Int) {
    let now = DispatchTime.now().uptimeNanoseconds
    let interval: UInt64 = isInteractive ? 100_000_000 : 5_000_000_000
    let done: Int? = state.withLock { state in
      state.done += count
      let last = max(state.drawn, start.uptimeNanoseconds)
      guard isShown, now >= last + interval else { return nil }
      state.drawn = now
      return state.done
    }
    guard let done else { return }
    let line = line(done: done, seconds: seconds(until: now))
    Terminal.writeProgress(isInteractive ? "\r\u{1B}[K" + line : line + "\n")
  }

  /// Removes what was drawn, and returns the seconds that passed.
  func finish() -> Double {
    if isShown, isInteractive { Terminal.writeProgress("\r\u{1B}[K") }
    return seconds(until: DispatchTime.now().uptimeNanoseconds)
  }

  private func seconds(until now: UInt64) -> Double {
    Double(now - start.uptimeNanoseconds) / 1e9
  }

  private func line(done: Int, seconds: Double) -> String {
    let share = min(1, Double(done) / Double(max(1, total)))
    let speed = seconds > 0 ? Double(done) / seconds : 0
    let left = speed > 0 ? Double(max(0, total - done)) / speed : 0
    var text = label + " "
    if isInteractive {
      let filled = Int(share * 24)
      text += String(repeating: "█", count: filled)
      text += String(repeating: "░", count: 24 - filled) + " "
    }
    return text
      + "\(Int(share * 100))% of \(Written.fileSize(total)), \(Written.fileSize(Int(speed)))/s, "
      + "\(Written.duration(seconds: left)) left"
  }
}
