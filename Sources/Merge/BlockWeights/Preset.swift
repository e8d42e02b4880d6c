public import Tensors

/// Block weights under a name.
public struct Preset: Hashable, Sendable {
  /// The name, in capitals by custom.
  public let name: String
  /// The weights; their origin is this preset.
  public let weights: BlockWeights

  /// The weights under a name, which becomes their origin.
  public init(_ name: String, _ weights: BlockWeights) {
    self.name = name
    self.weights = BlockWeights(
      weights.base, weights.blocks, extras: weights.extras, origin: .preset(name))
  }

  /// A preset written in source code, with 25 numbers for the blocks.
  init(_ name: String, base: Double, _ blocks: [Double]) {
    self.init(name, BlockWeights(base, blocks, origin: .list))
  }
}

/// Presets by name: the classic ones, and those of files.
///
///     var library = PresetLibrary.classic
///     library.add(Preset("MINE", weights))
///     library["GRAD_V"]?.weights.blocks
///
/// Case does not count in names. A classic preset is also found under the name it has in sd-meh,
/// SD.Next and early versions of bbc-mc's list: `2SMOOTHSTEP` is `SMOOTHSTEP*2`.
public struct PresetLibrary: Sendable {
  /// The presets, in the order in which they were added.
  public private(set) var presets: [Preset] = []
  private var positions: [String: Int] = [:]

  /// No presets.
  public init() {}

  /// The classic presets.
  public static let classic: PresetLibrary = {
    var library = PresetLibrary()
    for preset in Preset.classic { library.add(preset) }
    return library
  }()

  /// Adds a preset; one that was there under the same name makes room for it.
  public mutating func add(_ preset: Preset) {
    let key = preset.name.uppercased()
    if let position = positions[key] {
      presets[position] = preset
    } else {
      positions[key] = presets.count
      presets.append(preset)
    }
  }

  /// The preset called `name`, or `nil`.
  public subscript(name: String) -> Preset? {
    let key = name.uppercased()
    if let position = positions[key] { return presets[position] }
    guard let other = Preset.classicAliases.first(where: { $0.alias == key }) else { return nil }
    return positions[other.name].map { presets[$0] }
  }

  /// The preset called `name`.
  ///
  /// - Throws: ``Tensors/Rule/unknownPreset``, with the nearest name.
  public func preset(named name: String) throws(Fault) -> Preset {
    if let preset = self[name] { return preset }
    let names = presets.map(\.name) + Preset.classicAliases.map(\.alias)
    throw Fault(
      .unknownPreset, "has no preset called '\(shortened(name))'",
      hint: suggestion(
        for: name, among: names,
        otherwise: "give 25 or 26 numbers with commas, or one of the names that --list-presets "
          + "prints"))
  }
}
