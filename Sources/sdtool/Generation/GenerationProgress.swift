import Generation
import Inspection

/// How far pictures are: what is being done, and the time that is left.
///
/// On a terminal one line that is drawn again and again, elsewhere a line every ten seconds.
final class GenerationProgress {
  private let total: Int
  private let isShown: Bool
  private let start = ContinuousClock.now
  private var done = 0
  private var firstStep: Double?
  private var lastLine = 0.0
  private var hasLine = false
  /// The seconds until the first step of the U-Net was done, and all steps until then.
  private(set) var steps: (seconds: Double, count: Int) = (0, 0)

  /// The progress of something that evaluates the U-Net `total` times.
  init(total: Int, isShown: Bool) {
    self.total = max(1, total)
    self.isShown = isShown
  }

  /// The seconds since the beginning.
  var seconds: Double {
    let elapsed = ContinuousClock.now - start
    return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
  }

  /// Notes what is being done.
  func note(_ stage: ImageGenerator.Stage) {
    switch stage {
    case .loading(let part):
      if part == "U-Net" { firstStep = nil }
      show("loading the \(part)", always: false)
    case .encoding: show("encoding prompts", always: false)
    case .decoding: show("decoding", always: false)
    case .evaluated: step()
    }
  }

  /// Notes one more evaluation of the U-Net.
  func step() {
    done += 1
    let now = seconds
    guard let firstStep else {
      firstStep = now
      show("step \(done) of \(total)", always: true)
      return
    }
    steps.seconds = now - firstStep
    steps.count += 1
    let each = steps.seconds / Double(max(1, steps.count))
    let left = Written.duration(seconds: each * Double(max(0, total - done)))
    show(
      "step \(done) of \(total), \(Written.duration(seconds: each)) each, \(left) left",
      always: false)
  }

  /// Removes the line.
  func finish() {
    if hasLine { Terminal.writeProgress("\r\u{1B}[K") }
    hasLine = false
  }

  private func show(_ text: String, always: Bool) {
    guard isShown else { return }
    let now = seconds
    guard Terminal.isErrorInteractive else {
      guard now - lastLine >= 10 else { return }
      lastLine = now
      return Terminal.writeError(text)
    }
    let full = min(24, done * 24 / total)
    let bar = String(repeating: "█", count: full) + String(repeating: "░", count: 24 - full)
    Terminal.writeProgress("\r\u{1B}[K\(bar) \(text)")
    hasLine = true
  }
}
