public import Tensors

/// A prompt that may change from step to step.
///
/// `[from:to:when]` is `from` up to a step and `to` after it, `[to:when]` adds, `[from::when]`
/// removes; a `when` below 1 with a point is a share of all steps. `[a|b]` changes at every step.
///
///     let prompt = try EditedPrompt("a [cat:dog:0.5]", steps: 20)
///     prompt.phases.map(\.text)   // "a cat", "a dog"
///
/// Source: `get_learned_conditioning_prompt_schedules` of AUTOMATIC1111's web UI.
public struct EditedPrompt: Hashable, Sendable {
  /// A prompt for some of the steps.
  public struct Phase: Hashable, Sendable {
    /// The first step of it, from 0.
    public var start: Int
    /// The prompt, without anything that changes.
    public var text: String

    /// A prompt from a step on.
    public init(start: Int, text: String) {
      self.start = start
      self.text = text
    }
  }

  /// The prompts in the order of steps; there is one that begins at step 0.
  public let phases: [Phase]

  /// The phases of a prompt for a number of steps.
  ///
  /// - Throws: ``Tensors/Rule/promptSyntax`` for brackets nested more than 64 deep.
  public init(_ prompt: String, steps: Int) throws(Fault) {
    let scalars = Array(prompt.unicodeScalars)
    var phases: [Phase] = []
    // Most prompts do not change, and need not be looked at for each step.
    let changes = scalars.contains("[") && (scalars.contains(":") || scalars.contains("|"))
    for step in 0..<(changes ? max(1, steps) : 1) {
      let text = try changes ? Self.text(of: scalars, at: step, of: steps) : prompt
      if phases.last?.text != text { phases.append(Phase(start: step, text: text)) }
    }
    self.phases = phases
  }

  /// The prompt at a step, from 0.
  public func phase(at step: Int) -> Phase {
    phases.last { $0.start <= step } ?? phases[0]
  }

  /// Brackets that are still open.
  private struct Frame {
    var isSquare: Bool
    /// Between square brackets, what separators `:` or `|` cut.
    var parts: [String] = [""]
    var separators: [UnicodeScalar] = []

    mutating func append(_ text: String) { parts[parts.count - 1] += text }

    /// The text with its brackets, as it was.
    func whole(closing: String) -> String {
      var text = isSquare ? "[" : "("
      for (index, part) in parts.enumerated() {
        if index > 0 { text.unicodeScalars.append(separators[index - 1]) }
        text += part
      }
      return text + closing
    }
  }

  private static func text(
    of scalars: [UnicodeScalar], at step: Int, of steps: Int
  ) throws(Fault) -> String {
    var frames = [Frame(isSquare: false)]
    var position = 0
    while position < scalars.count {
      let scalar = scalars[position]
      position += 1
      switch scalar {
      case "\\":
        var text = "\\"
        if position < scalars.count {
          text.unicodeScalars.append(scalars[position])
          position += 1
        }
        frames[frames.count - 1].append(text)
      case "[", "(":
        guard frames.count <= 64 else {
          throw .promptSyntax("has brackets nested more than 64 deep")
        }
        frames.append(Frame(isSquare: scalar == "["))
      case "]", ")":
        guard frames.count > 1, frames[frames.count - 1].isSquare == (scalar == "]") else {
          frames[frames.count - 1].append(String(scalar))
          continue
        }
        let frame = frames.removeLast()
        let text =
          frame.isSquare
          ? chosen(frame, at: step, of: steps) : frame.whole(closing: ")")
        frames[frames.count - 1].append(text)
      case ":", "|":
        if frames[frames.count - 1].isSquare {
          frames[frames.count - 1].separators.append(scalar)
          frames[frames.count - 1].parts.append("")
        } else {
          frames[frames.count - 1].append(String(scalar))
        }
      default:
        frames[frames.count - 1].parts[frames[frames.count - 1].parts.count - 1]
          .unicodeScalars.append(scalar)
      }
    }
    // What was never closed is text.
    while frames.count > 1 {
      let frame = frames.removeLast()
      frames[frames.count - 1].append(frame.whole(closing: ""))
    }
    return frames[0].parts.joined()
  }

  /// What closed square brackets stand for at a step.
  private static func chosen(_ frame: Frame, at step: Int, of steps: Int) -> String {
    if !frame.separators.isEmpty, frame.separators.allSatisfy({ $0 == "|" }) {
      return frame.parts[step % frame.parts.count]
    }
    guard frame.separators.allSatisfy({ $0 == ":" }), (2...3).contains(frame.parts.count),
      let last = frame.parts.last, let border = border(last, steps: steps)
    else { return frame.whole(closing: "]") }
    let before = frame.parts.count == 3 ? frame.parts[0] : ""
    let after = frame.parts.count == 3 ? frame.parts[1] : frame.parts[0]
    return step < border ? before : after
  }

  /// The number of steps before the change that `text` asks for.
  private static func border(_ text: String, steps: Int) -> Int? {
    let text = text.filter { $0 != " " }
    guard !text.isEmpty, text.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
      let number = Double(text.hasPrefix(".") ? "0" + text : text), number < 1e6
    else { return nil }
    // A share where there is a point and the number is below 1, as the web UI has it.
    return min(steps, Int(number < 1 || text.hasPrefix("1.0") ? number * Double(steps) : number))
  }
}
