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
  /// When the last step ended, or the loading before the first.
  private var mark: Double?
  private var lastLine = 0.0
  private var hasLine = false
  /// The seconds that steps of the U-Net took, and how many those were.
  private(set) var steps: (seconds: Double, count: Int) = (0, 0)
  /// What was read for each model.
  private(set) var readings: [ModelReading] = []

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
      show("loading the \(part)", always: false)
    case .read(let parameters, let model):
      while readings.count <= model { readings.append(ModelReading()) }
      readings[model].add(parameters)
      // The first one has nothing to take over.
      readings[model].keptCount = readings[0].tensorCount - readings[model].tensorCount
      // Loading is no part of a step.
      mark = seconds
    case .encoding: show("encoding prompts", always: false)
    case .decoding: show("decoding", always: false)
    case .evaluated: step()
    }
  }

  /// Notes one more evaluation of the U-Net.
  func step() {
    done += 1
    let now = seconds
    defer { mark = now }
    guard let mark else {
      show("step \(done) of \(total)", always: true)
      return
    }
    steps.seconds += now - mark
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
