public import StableDiffusion

/// How much of the network a LoRA changes, beside the sets of modules that trainers use.
///
/// Source: the modules that sd-scripts and LyCORIS target in Stable Diffusion 1.5.
public struct LoRACensus: Sendable {
  /// Modules of the U-Net that are changed, and of the text encoder.
  public let unetCount: Int
  /// Modules of the text encoder that are changed.
  public let textEncoderCount: Int
  /// Modules by place.
  public let places: [Place: Int]
  /// How often each algebra is used, most frequent first.
  public let kinds: [(kind: AdapterKind, count: Int)]
  /// Whether any module is weight-decomposed (DoRA).
  public let decomposedCount: Int
  /// The ranks that occur, with how often, in rising order.
  public let ranks: [(rank: Int, count: Int)]
  /// The values of α/r that occur, with how often, in rising order.
  public let scales: [(scale: Double, count: Int)]

  /// The layers of all transformers: what sd-scripts trains by default.
  public static let usualUNet = 192
  /// The same with residual blocks and samplers (`conv_dim`).
  public static let withConvolutions = 278
  /// The same with first and last convolution and time embedding (LyCORIS' `full`).
  public static let full = 282
  /// The layers of the text encoder.
  public static let usualTextEncoder = 72

  /// Counts the modules of `file`.
  public init(_ file: LoRAFile) {
    var places: [Place: Int] = [:], kinds: [AdapterKind: Int] = [:]
    var ranks: [Int: Int] = [:], scales: [Double: Int] = [:]
    var unet = 0, text = 0, decomposed = 0
    for module in file.modules {
      places[module.target.place, default: 0] += 1
      kinds[module.adapter.kind, default: 0] += 1
      if module.target.component == .unet { unet += 1 } else { text += 1 }
      if module.magnitude != nil { decomposed += 1 }
      if let rank = module.scale.rank {
        ranks[rank, default: 0] += 1
        scales[module.scale.value, default: 0] += 1
      }
    }
    unetCount = unet
    textEncoderCount = text
    decomposedCount = decomposed
    self.places = places
    self.kinds = AdapterKind.allCases.compactMap { kind in kinds[kind].map { (kind, $0) } }
      .sorted { $0.count > $1.count }
    self.ranks = ranks.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    self.scales = scales.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// What the modules of the U-Net are, as trainers call it.
  public var unetSet: String? {
    switch unetCount {
    case 0: nil
    case Self.usualUNet: "all transformers"
    case Self.withConvolutions: "transformers, residual blocks and samplers"
    case Self.full: "everything but normalisations"
    case 128: "the attention of all transformers"
    case 144: "attention and feed-forward input, as cloneofsimo's"
    default: nil
    }
  }
}
