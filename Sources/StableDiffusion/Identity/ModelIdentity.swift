public import Tensors

/// What a model is, judged by the names, types and shapes of its tensors.
///
///     let identity = ModelIdentity(source.tensors)
///     identity.title     // "Stable Diffusion 1.x model"
///     identity.reason    // "'model.diffusion_model.input_blocks.0.0.weight' is [320, 4, 3, 3]; …"
///     for fault in identity.check() { print(fault) }
public struct ModelIdentity: Sendable {
  /// The tensors that were judged.
  public let tensors: [TensorInfo]
  /// What it is.
  public let kind: ModelKind
  /// A sentence that names the evidence.
  public let reason: String
  /// What the U-Net takes beside the latent; `nil` without a U-Net.
  public let variant: Variant?
  /// How the names are arranged; `nil` for other kinds than Stable Diffusion 1.x.
  public let layout: Layout?
  /// What is known about an adapter; `nil` for other kinds.
  public let adapter: AdapterIdentity?
  /// The network with the widths of this model.
  ///
  /// Those of Stable Diffusion 1.5 where the model has none or is of another kind.
  public let schema: Schema
  /// What each of ``tensors`` is for.
  public let uses: [TensorUse]
  /// The components of which anything is there, in the order of the network.
  public let components: [ComponentSummary]

  /// For each parameter of ``schema`` its tensor and how that is spelled.
  let tensorOfParameter: [Int?]
  let spellings: [Spelling?]
  private let averageOfParameter: [Int?]

  /// The fewest tensors of one component that make a file more than a coincidence of names.
  static let fewestTensors = 20

  /// Judges a model by its tensors.
  public init(_ tensors: [TensorInfo]) {
    let census = Census(tensors)
    self.tensors = tensors
    let verdict = census.verdict()
    kind = verdict.kind
    reason = verdict.reason
    adapter = verdict.adapter
    guard kind == .stableDiffusion1 else {
      (variant, layout) = (nil, nil)
      schema = .sd15
      uses = Array(repeating: .unmapped, count: tensors.count)
      components = []
      tensorOfParameter = Array(repeating: nil, count: schema.parameters.count)
      averageOfParameter = tensorOfParameter
      spellings = Array(repeating: nil, count: schema.parameters.count)
      return
    }
    let dimensions = census.election.dimensions
    let schema = dimensions == .sd15 ? Schema.sd15 : Schema(dimensions)
    let mapping = Mapping(census, schema: schema)
    self.schema = schema
    uses = mapping.uses
    tensorOfParameter = mapping.tensorOfParameter
    averageOfParameter = mapping.averageOfParameter
    spellings = mapping.spellings
    components = Component.allCases.compactMap { component in
      let range = schema.range(of: component)
      guard mapping.tensorOfParameter[range].contains(where: { $0 != nil }) else { return nil }
      return ComponentSummary(
        component, schema: schema, tensors: tensors, of: mapping.tensorOfParameter,
        naming: Self.naming(mapping.spellings[range]))
    }
    let hasUNet = components.contains { $0.component == .unet } || mapping.hasAverages
    variant = hasUNet ? Variant(inputChannels: dimensions[.unetInput]) : nil
    layout = Self.layout(mapping.spellings, components)
  }

  /// The naming of most tensors among those that only one naming spells so.
  private static func naming(_ spellings: ArraySlice<Spelling?>) -> Naming? {
    var ldm = 0, diffusers = 0
    for case let spelling? in spellings {
      switch spelling.naming {
      case .ldm: ldm += 1
      case .diffusers: diffusers += 1
      case nil: break
      }
    }
    return ldm == 0 && diffusers == 0 ? nil : ldm >= diffusers ? .ldm : .diffusers
  }

  private static func layout(_ spellings: [Spelling?], _ components: [ComponentSummary]) -> Layout {
    var counts = [Int](repeating: 0, count: Spelling.Container.allCases.count)
    for case let spelling? in spellings { counts[spelling.container.rawValue] += 1 }
    let most = Spelling.Container.allCases.max { counts[$0.rawValue] < counts[$1.rawValue] }
    switch most {
    case .folder where counts[Spelling.Container.folder.rawValue] > 0: return .diffusersFolder
    case .bare, .other:
      guard components.count == 1, let only = components.first else { return .mixed }
      return .component(only.component, only.naming)
    default: return .checkpoint
    }
  }
}

extension ModelIdentity {
  /// The tensor that is the parameter at `position` of ``schema``, if it is there.
  public func tensor(of position: Int) -> Int? { tensorOfParameter[position] }

  /// The tensor that is the moving average of the parameter at `position`, if it is there.
  public func average(of position: Int) -> Int? { averageOfParameter[position] }

  /// The number of moving averages.
  public var averageCount: Int { averageOfParameter.count { $0 != nil } }

  /// The summary of `component`, or `nil` if nothing of it is there.
  public subscript(component: Component) -> ComponentSummary? {
    components.first { $0.component == component }
  }

  /// Whether all three components are there, each complete.
  public var isComplete: Bool {
    components.count == Component.allCases.count && components.allSatisfy(\.isComplete)
  }

  /// Whether the U-Net is there only as its moving average.
  public var hasAveragesOnly: Bool {
    kind == .stableDiffusion1 && self[.unet] == nil && averageCount > 0
  }

  /// Whether the widths are those of Stable Diffusion 1.5; the variant does not matter.
  public var hasStandardWidths: Bool { customWidths.isEmpty }

  /// The widths that are not those of Stable Diffusion 1.5, without the channels of the variant.
  public var customWidths: [Dimensions.Width] {
    Dimensions.Width.allCases.filter {
      $0 != .unetInput && schema.dimensions[$0] != Dimensions.sd15[$0]
    }
  }

  /// The extras that are there, each with its tensors, in the order of ``KnownExtra/all``.
  public var extras: [(extra: KnownExtra, tensors: [Int])] {
    var found: [KnownExtra: [Int]] = [:]
    for (index, use) in uses.enumerated() {
      if case .extra(let extra) = use { found[extra, default: []].append(index) }
    }
    return KnownExtra.all.compactMap { extra in found[extra].map { (extra, $0) } }
  }

  /// The tensor with the token positions, if it is there.
  public var positionIDs: Int? { uses.firstIndex(of: .extra(.positionIDs)) }

  /// The tensors that belong to nothing known.
  public var unexpected: [Int] { uses.indices.filter { uses[$0] == .unexpected } }

  /// The tensors with running statistics, which only batch and instance normalisations have.
  public var runningStatistics: [Int] {
    tensors.indices.filter { index in
      if case .parameter = uses[index] { return false }
      let name = tensors[index].name
      return name.hasSuffix(".running_mean") || name.hasSuffix(".running_var")
        || name.hasSuffix(".num_batches_tracked")
    }
  }

  /// What it is, in a few words: `Stable Diffusion 1.x inpainting model`.
  public var title: String {
    guard kind == .stableDiffusion1 else {
      return adapter.map { $0.families.map(\.rawValue).joined(separator: ", ") } ?? kind.title
    }
    var text = kind.title
    switch variant {
    case .inpainting: text += " inpainting"
    case .instructPix2Pix: text += " InstructPix2Pix"
    case .base, .custom, nil: break
    }
    if components.isEmpty {
      text += " U-Net, moving average only"
    } else if components.count == Component.allCases.count {
      text += " model"
    } else {
      text += " " + components.map(\.component.title).joined(separator: " and ")
    }
    return hasStandardWidths ? text : text + " with other widths"
  }
}
