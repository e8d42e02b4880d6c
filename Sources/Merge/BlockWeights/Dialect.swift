public import StableDiffusion
public import Tensors

/// A merging tool's convention: which of the block weights each place takes.
///
/// All tools agree about `IN00` to `OUT11` (but for SD.Next, which is off by one) and differ in the
/// time embedding, the last layers, the VAE and the text encoder. The conventions were read from
/// the tools' sources and confirmed by running them.
///
///     try Dialect(named: "chattiori").slot(for: .time)   // .block(.out11)
///     Dialect.mbw.slot(for: .time)                       // .block(.in00)
public struct Dialect: Hashable, Sendable {
  /// Where the weight of a place comes from.
  public enum Slot: Hashable, Sendable {
    /// The number for `BASE`.
    case base
    /// The number for a place from `IN00` to `OUT11`.
    case block(Place)
    /// Nowhere: the tensors are the first model's.
    case kept
  }

  /// The name on the command line and in recipes.
  public let name: String
  /// Other names it is found under.
  public let aliases: [String]
  /// Whose convention it is, and what is special about it.
  public let summary: String
  /// Whether numbers are shares of the first model, not of the second one.
  public let invertsWeights: Bool
  /// What the averaged weights `model_ema.*` take.
  public let ema: Slot

  private let time: Slot
  private let outLayers: Slot
  private let clip: Slot
  private let vae: Slot
  private let label: Slot
  private let isOffByOne: Bool

  init(
    _ name: String, aliases: [String] = [], _ summary: String, time: Slot,
    outLayers: Slot = .block(.out11), clip: Slot = .base, vae: Slot = .base, label: Slot = .base,
    ema: Slot = .base, isOffByOne: Bool = false, invertsWeights: Bool = false
  ) {
    self.name = name
    self.aliases = aliases
    self.summary = summary
    self.time = time
    self.outLayers = outLayers
    self.clip = clip
    self.vae = vae
    self.label = label
    self.ema = ema
    self.isOffByOne = isOffByOne
    self.invertsWeights = invertsWeights
  }

  /// Which number the tensors at `place` take.
  public func slot(for place: Place) -> Slot {
    switch place {
    case .clip: clip
    case .vae: vae
    case .time: time
    case .label: label
    case .out: outLayers
    case .in00 where isOffByOne: .base
    case _ where isOffByOne:
      Place(rawValue: place.rawValue - 1).map { .block($0) } ?? .base
    default: .block(place)
    }
  }

  /// The name in the tool's own block lists for tensors at `place`: `BASE`, or `IN00` to `OUT11`.
  ///
  /// Elemental rules select by it. Unlike ``slot(for:)`` it does not shift, and knows no exceptions.
  public func block(of place: Place) -> Place? {
    switch place {
    case .clip, .vae: nil
    case .time, .label, .out:
      if case .block(let block) = slot(for: place) { place == .out ? .out11 : block } else { nil }
    default: place
    }
  }
}

extension Dialect: CustomStringConvertible {
  /// ``name``.
  public var description: String { name }
}

extension Dialect {
  /// The classic convention, and the default: the time embedding with `IN00`, text encoder and VAE
  /// with `BASE`.
  public static let mbw = Dialect(
    "mbw", aliases: ["bbc-mc", "sd-meh", "meh", "supermerger"],
    "bbc-mc's merge-block-weighted, sd-meh, and SuperMerger until July 2023: the time embedding "
      + "takes IN00, the last layers take OUT11, text encoder and VAE take BASE.",
    time: .block(.in00))

  /// SuperMerger from 21 July 2023 to 26 November 2025.
  public static let supermerger2023 = Dialect(
    "supermerger-2023",
    "SuperMerger from July 2023 to November 2025: as mbw, but the time embedding takes OUT11, by "
      + "accident of a negative index.",
    time: .block(.out11), label: .kept)

  /// Chattiori's model merger.
  public static let chattiori = Dialect(
    "chattiori",
    "Chattiori's model merger: as supermerger-2023, and the VAE stays the first model's.",
    time: .block(.out11), vae: .kept, label: .kept)

  /// sd-mecha.
  public static let mecha = Dialect(
    "mecha", aliases: ["sd-mecha"],
    "sd-mecha: the time embedding takes BASE, as do text encoder and VAE; the last layers take "
      + "OUT11.",
    time: .base)

  /// SD.Next.
  public static let sdnext = Dialect(
    "sdnext", aliases: ["sd.next", "sd-next"],
    "SD.Next: its list is read one place late, so that IN00 takes BASE, IN01 takes IN00 and so on "
      + "to OUT11 and the last layers, which take OUT10; the time embedding takes BASE and the VAE "
      + "stays the first model's.",
    time: .base, outLayers: .block(.out10), vae: .kept, label: .block(.out11), ema: .kept,
    isOffByOne: true)

  /// sd-webui-model-mixer.
  public static let modelMixer = Dialect(
    "model-mixer", aliases: ["modelmixer"],
    "model-mixer with block weights on: the time embedding and the last layers take OUT11, the VAE "
      + "stays the first model's.",
    time: .block(.out11), vae: .kept, label: .kept, ema: .kept)

  /// ComfyUI's merge nodes.
  public static let comfyui = Dialect(
    "comfyui", aliases: ["comfy"],
    "ComfyUI's merge nodes: every number is the share of the FIRST model. Takes 3 ratios (input, "
      + "middle, out) or 30 (one for each slider of ModelMergeSD1); of 25 or 26, which ComfyUI does "
      + "not know, the time embedding takes IN00 and the last layers OUT11. The VAE stays the "
      + "first model's.",
    time: .block(.in00), vae: .kept, label: .block(.in00), ema: .kept, invertsWeights: true)

  /// All dialects; the default one first.
  public static let all: [Dialect] = [
    .mbw, .supermerger2023, .chattiori, .mecha, .sdnext, .modelMixer, .comfyui,
  ]

  /// The dialect called `name`; case does not count.
  ///
  /// - Throws: ``Tensors/Rule/unknownDialect``, with the nearest name.
  public init(named name: String) throws(Fault) {
    let lowercased = name.lowercased()
    guard
      let match = Self.all.first(where: {
        $0.name == lowercased || $0.aliases.contains(lowercased)
      })
    else {
      throw Fault(
        .unknownDialect, "has no dialect called '\(shortened(name))'",
        expected: Self.all.map(\.name).joined(separator: ", "),
        hint: suggestion(for: name, among: Self.all.flatMap { [$0.name] + $0.aliases }))
    }
    self = match
  }
}
