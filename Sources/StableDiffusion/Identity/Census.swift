import Tensors

/// A first look at every tensor of a model: whose name it bears, and what else it may be.
struct Census {
  /// What the name of a tensor says.
  enum Finding {
    case parameter(NameTable.Match)
    case average(Int)
    case extra(KnownExtra)
    case stranger
  }

  let tensors: [TensorInfo]
  private(set) var findings: [Finding] = []
  private(set) var election = WidthElection()
  private var counts: [Component: Int] = [:]
  private var averages = 0
  private var adapters = AdapterCensus()
  private var markers = ForeignMarkers()
  /// The transformers' input projections by rank: 4 in Stable Diffusion 1.x, 2 in later ones.
  private var projections = (matrices: 0, convolutions: 0)
  private var matrix: Int?
  private var firstContext: Int?
  private var firstOf: [Component: Int] = [:]
  private var inputConv: Int?

  init(_ tensors: [TensorInfo]) {
    self.tensors = tensors
    findings.reserveCapacity(tensors.count)
    var averaged: [(index: Int, parameter: Int)] = []
    for (index, info) in tensors.enumerated() {
      if let match = NameTable.shared.match(info.name) {
        findings.append(.parameter(match))
        count(match.parameter, info, index)
      } else if let parameter = NameTable.shared.average(info.name) {
        findings.append(.average(parameter))
        averages += 1
        averaged.append((index, parameter))
      } else if let extra = KnownExtra.named(info.name) {
        findings.append(.extra(extra))
        markers.look(at: info, index)
      } else {
        findings.append(.stranger)
        adapters.look(at: info)
        markers.look(at: info, index)
      }
    }
    // The averages speak only where the U-Net itself does not.
    if counts[.unet] == nil {
      for (index, parameter) in averaged {
        election.count(tensors[index].shape, for: parameter)
        if Schema.complete.parameters[parameter].place == .in00, inputConv == nil {
          inputConv = index
        }
      }
    }
  }

  private mutating func count(_ parameter: Int, _ info: TensorInfo, _ index: Int) {
    let meaning = Schema.complete.parameters[parameter]
    counts[meaning.component, default: 0] += 1
    if firstOf[meaning.component] == nil { firstOf[meaning.component] = index }
    election.count(info.shape, for: parameter)
    guard meaning.component == .unet, meaning.slot == .weight else { return }
    if meaning.place == .in00 { inputConv = index }
    if meaning.module.ldm.hasSuffix(".proj_in") {
      if info.shape.count == 2 {
        projections.matrices += 1
        matrix = matrix ?? index
      } else if info.shape.count == 4 {
        projections.convolutions += 1
      }
    }
    if firstContext == nil, meaning.module.ldm.hasSuffix(".attn2.to_k") { firstContext = index }
  }

  /// What the model is.
  struct Verdict {
    let kind: ModelKind
    let reason: String
    var adapter: AdapterIdentity?
  }

  /// Weighs what was seen.
  func verdict() -> Verdict {
    if let adapter = adapters.identity(among: tensors.count), let name = adapters.evidence {
      var reason = "'\(name)' is part of an adapter (\(adapter.dialect))"
      if let base = adapter.base { reason += " for \(base.title), by the width of its context" }
      return Verdict(kind: .adapter, reason: reason, adapter: adapter)
    }
    let dimensions = election.dimensions
    // Every part of a whole model may be in there too, except what looks like its own U-Net.
    let isWhole = (counts[.unet] ?? 0) * 10 >= Schema.sd15.range(of: .unet).count * 9
    let isPart = !isWhole && (counts[.vae] ?? 0) < 240 && (counts[.textEncoder] ?? 0) < 190
    if var (kind, meaning, index) = markers.verdict(part: isPart, tensors: tensors),
      !isWhole || (kind == .stableDiffusion2 && (counts[.textEncoder] ?? 0) < 190)
    {
      if kind == .sdxlBase, dimensions[.unetContext] == 1280, election.knows(.unetContext) {
        kind = .sdxlRefiner
        meaning = "a context of 1280"
        index = firstContext ?? index
      }
      return Verdict(kind: kind, reason: "it has \(meaning): \(describe(index))")
    }
    if let verdict = laterUNet(dimensions) ?? laterVAE(dimensions) ?? embedding() { return verdict }
    let enough = ModelIdentity.fewestTensors
    if counts.values.contains(where: { $0 >= enough }) || averages >= enough {
      return Verdict(kind: .stableDiffusion1, reason: reason(dimensions))
    }
    return Verdict(kind: .unknown, reason: unknownReason)
  }

  /// Stable Diffusion 2.x, whose U-Net has the same names.
  private func laterUNet(_ dimensions: Dimensions) -> Verdict? {
    if projections.matrices > projections.convolutions, let matrix {
      return Verdict(
        kind: .stableDiffusion2,
        reason: "its transformers begin with a matrix, not a convolution: \(describe(matrix))")
    }
    guard projections.convolutions == 0, let firstContext, dimensions[.unetContext] == 1024,
      dimensions[.unet0] == 320
    else { return nil }
    return Verdict(
      kind: .stableDiffusion2, reason: "its context has 1024 values: \(describe(firstContext))")
  }

  /// The VAE of Stable Diffusion 3 and Flux, which is built alike but for two layers.
  private func laterVAE(_ dimensions: Dimensions) -> Verdict? {
    guard counts[.unet] == nil, counts[.textEncoder] == nil, let count = counts[.vae], count >= 200,
      dimensions[.latent] == 16, let index = firstOf[.vae]
    else { return nil }
    return Verdict(
      kind: .stableDiffusion3,
      reason: "its VAE makes 16 latent channels, as in Stable Diffusion 3 and Flux: "
        + describe(index))
  }

  /// A textual-inversion embedding that is called by its own word.
  private func embedding() -> Verdict? {
    guard (1...2).contains(tensors.count), counts.isEmpty,
      let index = tensors.indices.first(where: { index in
        let info = tensors[index]
        guard info.dtype.isFloatingPoint, (1...2).contains(info.shape.count),
          let width = info.shape.last, [768, 1024, 1280].contains(width),
          info.elementCount / width <= 512
        else { return false }
        let name = info.name
        return name.hasPrefix("<") || name == "clip_l" || name == "clip_g" || tensors.count == 1
      })
    else { return nil }
    return Verdict(
      kind: .textualInversion,
      reason: "it has few vectors of the width of a text encoder: \(describe(index))")
  }

  private func reason(_ dimensions: Dimensions) -> String {
    var clauses: [String] = []
    if let inputConv {
      let variant = Variant(inputChannels: dimensions[.unetInput])
      clauses.append(
        "\(describe(inputConv)) takes \(dimensions[.unetInput]) channels, as \(variant.title) does")
    }
    let found = Component.allCases.compactMap { component in
      counts[component].map {
        "\($0) of \(Schema.sd15.range(of: component).count) \(component.title) tensors"
      }
    }
    if !found.isEmpty { clauses.append("it has " + found.joined(separator: ", ")) }
    if counts[.unet] == nil, averages > 0 {
      clauses.append("\(averages) moving averages of the U-Net, but not the U-Net itself")
    }
    if counts.count == 1, let only = counts.keys.first, only != .unet, averages == 0 {
      clauses.append("other models of the family have the same \(only.title)")
    }
    return clauses.joined(separator: "; ")
  }

  private var unknownReason: String {
    guard !tensors.isEmpty else { return "it has no tensors" }
    let known = counts.values.reduce(averages, +)
    guard known == 0 else {
      return "only \(known) of its \(tensors.count) tensors are called as in Stable Diffusion 1.x"
    }
    return "none of its \(tensors.count) tensors has a known name; the first is \(describe(0))"
  }

  /// A tensor with its shape: `'out.2.bias' [4]`.
  private func describe(_ index: Int) -> String {
    let info = tensors[index]
    // By bytes: any number of them can make up one character.
    let bytes = info.name.utf8
    let name =
      bytes.count > 100
      ? String(decoding: bytes.prefix(100), as: UTF8.self) + "…" : info.name.string
    let shape = info.shape.count > 8 ? "of \(info.shape.count) axes" : "\(info.shape)"
    return "'\(name)' \(shape)"
  }
}
