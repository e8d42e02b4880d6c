import ArgumentParser
import Inspection

/// How a command writes to the terminal.
struct OutputOptions: ParsableArguments {
  /// When to use colour.
  enum Color: String, CaseIterable, ExpressibleByArgument { case auto, always, never }

  @Option(help: "Colour: auto (on a terminal, unless NO_COLOR is set), always or never.")
  var color: Color = .auto

  @Option(name: .customLong("width"), help: "Columns to fit the text to (default: the terminal's).")
  var requestedWidth: Int?

  func validate() throws {
    if let requestedWidth, !(40...1000).contains(requestedWidth) {
      throw ValidationError("--width must be from 40 to 1000")
    }
  }

  /// The number of columns to use for text.
  var width: Int { requestedWidth ?? Terminal.width }

  /// The number of columns to use for lists of names.
  ///
  /// Names are cut short on a terminal only: what goes to a file or another program is whole.
  var listWidth: Int { requestedWidth ?? (Terminal.isInteractive ? Terminal.width : .max) }

  /// Colours, or none.
  var style: Style {
    switch color {
    case .always: .colored
    case .never: .plain
    case .auto: Style(isTerminal: Terminal.isInteractive) { Terminal.environment($0) }
    }
  }
}

/// How much of the machine a command uses.
struct MachineOptions: ParsableArguments {
  @Option(help: "Number of threads (default: all processors).")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("--threads must be from 1 to 256")
    }
  }
}
