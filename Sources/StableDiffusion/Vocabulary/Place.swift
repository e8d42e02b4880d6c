/// A place in the network to which merge recipes give a weight of its own.
///
/// The 29 places of SD 1.5, and `LABEL`, which only SDXL has. The usual lists of 25 or 26 weights
/// know the places `IN00` to `OUT11`; where text encoder, VAE, time embedding and output layers
/// belong differs from tool to tool, so that they are places of their own here.
///
///     Place("IN04")               // .in04
///     "\(Place.output(11)!)"      // OUT11
public enum Place: UInt8, CaseIterable, Sendable {
  /// The whole text encoder.
  case clip
  /// The whole VAE.
  case vae
  /// The U-Net's time embedding.
  case time
  /// The blocks that go down: convolution, then two or three blocks for each of four levels.
  case in00, in01, in02, in03, in04, in05, in06, in07, in08, in09, in10, in11
  /// The block at the bottom.
  case m00
  /// The blocks that go up again: three for each of four levels.
  case out00, out01, out02, out03, out04, out05, out06, out07, out08, out09, out10, out11
  /// The U-Net's last normalisation and convolution.
  case out
  /// SDXL's embedding of image sizes; no parameter of SD 1.5 is there.
  case label

  /// `IN00` to `IN11`, or `nil` for another number.
  public static func input(_ number: Int) -> Place? { at(number, from: .in00) }

  /// `OUT00` to `OUT11`, or `nil` for another number.
  public static func output(_ number: Int) -> Place? { at(number, from: .out00) }

  private static func at(_ number: Int, from first: Place) -> Place? {
    (0..<12).contains(number) ? Place(rawValue: first.rawValue + UInt8(number)) : nil
  }

  /// The place spelled `name`, for example `IN04`; case does not count.
  public init?(_ name: some StringProtocol) {
    let name = name.uppercased()
    guard let match = Self.allCases.first(where: { $0.description == name }) else { return nil }
    self = match
  }
}

extension Place: Comparable {
  /// Whether `a` comes first in the order above.
  public static func < (a: Place, b: Place) -> Bool { a.rawValue < b.rawValue }
}

extension Place: CustomStringConvertible {
  /// The spelling of merge recipes: `CLIP`, `VAE`, `TIME`, `IN00`, …, `M00`, `OUT00`, …, `OUT`.
  public var description: String {
    func numbered(_ prefix: String, from first: Place) -> String {
      let number = rawValue - first.rawValue
      return prefix + (number < 10 ? "0" : "") + String(number)
    }
    return switch self {
    case .clip: "CLIP"
    case .vae: "VAE"
    case .time: "TIME"
    case .in00 ... .in11: numbered("IN", from: .in00)
    case .m00: "M00"
    case .out00 ... .out11: numbered("OUT", from: .out00)
    case .label: "LABEL"
    default: "OUT"
    }
  }
}
