import StableDiffusion
import Tensors

/// Works out a ``ConversionPlan``.
///
/// In two steps: first the model is edited, as if its file held other tensors; then what is left
/// gets the names, shapes and types of the output.
struct ConversionPlanner {
  /// A tensor between the two steps.
  private struct Edited {
    let origin: PlannedTensor.Origin
    /// The position in the joined sources.
    let index: Int
    let original: TensorInfo
    /// The tensor as if the model's file held it.
    let seen: TensorInfo
  }

  let model: any TensorSource
  let vae: (any TensorSource)?
  let request: ConversionRequest
  let identity: ModelIdentity
  private(set) var sources: [any TensorSource]
  private(set) var alone: Component?
  private(set) var tensors: [PlannedTensor] = []
  private(set) var dropped: [DroppedTensor] = []
  private(set) var problems: [Fault] = []
  private(set) var dimensions = Dimensions.sd15
  private var edited: [Edited] = []

  init(model: any TensorSource, vae: (any TensorSource)?, request: ConversionRequest) {
    self.model = model
    self.vae = vae
    self.request = request
    identity = ModelIdentity(model.tensors)
    sources = [model]
  }

  private var isMapped: Bool { identity.kind == .stableDiffusion1 }

  private mutating func fail(_ fault: Fault) { problems.append(fault.at(model.path)) }

  // MARK: Editing

  /// Leaves out and puts in what the request says.
  mutating func edit(_ isDiscarded: (TensorName) -> Bool) {
    checkKind()
    let kept = model.tensors.indices.filter { index in
      guard isDiscarded(model.tensors[index].name) else { return true }
      dropped.append(DroppedTensor(info: model.tensors[index], reason: .discarded))
      return false
    }
    // What is discarded takes no part in what follows: not as an average, not as a parameter.
    let identity =
      kept.count == model.tensors.count
      ? self.identity : ModelIdentity(kept.map { model.tensors[$0] })
    if request.usesAverages { checkAverages(identity) }
    if request.prunes, !request.usesAverages, identity.hasAveragesOnly {
      fail(
        Fault(
          .averagedWeightsOnly, "has the U-Net only as its moving average, which pruning removes",
          hint: "add --ema to put it in the U-Net's place"))
    }
    for (position, index) in kept.enumerated() { edit(position, index, identity) }
    if let vae { put(vae, into: identity) }
    if request.fixesPositionIDs { addPositionIDs(identity) }
  }

  private mutating func checkKind() {
    guard !isMapped else { return }
    var options: [String] = []
    if request.layout == .diffusers { options.append("--layout diffusers") }
    if request.only != nil { options.append("--only") }
    if request.usesAverages { options.append("--ema") }
    if request.prunes { options.append("--prune") }
    if vae != nil { options.append("--vae") }
    if request.fixesPositionIDs { options.append("--fix-position-ids") }
    if request.types.dependsOnComponent { options.append("the --dtype of a component") }
    guard !options.isEmpty else { return }
    fail(
      Fault(
        .unmappedModel,
        "is of a kind whose structure is not known, which it must be for "
          + options.joined(separator: ", "),
        expected: "a Stable Diffusion 1.x model",
        found: identity.kind == .unknown ? "an unknown kind" : identity.title,
        hint: identity.reason))
  }

  private mutating func checkAverages(_ identity: ModelIdentity) {
    guard isMapped else { return }
    let needed = identity.schema.range(of: .unet).filter {
      !identity.schema.parameters[$0].isOptional
    }
    let missing = needed.filter { identity.average(of: $0) == nil }
    guard let first = missing.first else { return }
    fail(
      Fault(
        .noAverage,
        identity.averageCount == 0
          ? "has no moving average of the U-Net" : "has an incomplete moving average of the U-Net",
        expected: "\(needed.count) tensors", found: "\(needed.count - missing.count)",
        hint: identity.averageCount == 0
          ? "leave out --ema"
          : "'\(identity.schema.parameters[first].averageName ?? "")' is missing; leave out --ema"))
  }

  private mutating func edit(_ position: Int, _ index: Int, _ identity: ModelIdentity) {
    let tensor = identity.tensors[position]
    func drop(_ reason: DroppedTensor.Reason) {
      dropped.append(DroppedTensor(info: tensor, reason: reason))
    }
    func keep(as name: TensorName? = nil, _ origin: PlannedTensor.Origin = .model) {
      edited.append(
        Edited(
          origin: origin, index: index, original: tensor,
          seen: name.map { tensor.renamed($0) } ?? tensor))
    }
    switch identity.uses[position] {
    case .average(let parameter):
      if request.usesAverages, identity.average(of: parameter) == position {
        keep(as: name(of: parameter, identity), .average)
      } else if request.prunes || request.usesAverages {
        drop(.pruned("moving average"))
      } else {
        keep()
      }
    case .parameter(let parameter):
      if request.usesAverages, identity.average(of: parameter) != nil {
        drop(.average)
      } else if vae != nil, identity.schema.parameters[parameter].component == .vae {
        drop(.vae)
      } else {
        keep()
      }
    case .extra(let extra):
      if extra == .averageCounters, request.usesAverages {
        drop(.average)
      } else if request.prunes, extra.policy == .drop {
        drop(.pruned(extra.title))
      } else if extra == .positionIDs, request.fixesPositionIDs,
        !isRight(index, identity.schema.dimensions)
      {
        drop(.fixed)
      } else {
        keep()
      }
    case .repeated(let parameter):
      if request.prunes {
        drop(.pruned("second copy of a parameter"))
      } else if vae != nil, identity.schema.parameters[parameter].component == .vae {
        drop(.vae)
      } else {
        keep()
      }
    case .unexpected, .unmapped: keep()
    }
  }

  /// What the model calls a parameter, or would.
  private func name(of parameter: Int, _ identity: ModelIdentity) -> TensorName {
    if let index = identity.tensor(of: parameter) { return identity.tensors[index].name }
    let meaning = identity.schema.parameters[parameter]
    return TensorName(
      identity.layout == .diffusersFolder ? meaning.folderName : meaning.name(in: .ldm))
  }

  /// Puts the VAE of another model in the place of the model's own.
  private mutating func put(_ donor: any TensorSource, into identity: ModelIdentity) {
    let other = ModelIdentity(donor.tensors)
    func unfit(_ message: String, expected: String? = nil, found: String? = nil) {
      problems.append(
        Fault(.unfitVAE, message, path: donor.path, expected: expected, found: found))
    }
    guard let summary = other[.vae] else {
      return unfit("has no VAE of Stable Diffusion 1.x", found: other.title)
    }
    guard summary.isComplete else {
      return unfit(
        "has an incomplete VAE", expected: "\(summary.expectedCount) tensors",
        found: "\(summary.expectedCount - summary.missing.count)")
    }
    for width in Dimensions.Width.allCases where width.component == .vae {
      let found = other.schema.dimensions[width]
      // Without a VAE of its own, a model still says how many channels its latents have.
      let expected =
        identity[.vae] != nil
        ? identity.schema.dimensions[width]
        : width == .latent && identity[.unet] != nil
          ? identity.schema.dimensions[.unetOutput] : found
      guard found == expected else {
        return unfit(
          "has another width: \(width.title)", expected: "\(expected)", found: "\(found)")
      }
    }
    let start = sources.reduce(0) { $0 + $1.tensors.count }
    sources.append(donor)
    for position in other.schema.range(of: .vae) {
      guard let index = other.tensor(of: position) else { continue }
      let tensor = donor.tensors[index]
      // With the same widths both schemas have the same VAE, in the same order.
      let own = identity.schema.range(of: .vae).lowerBound
      let offset = position - other.schema.range(of: .vae).lowerBound
      let name =
        identity[.vae] != nil
        ? self.name(of: own + offset, identity)
        : TensorName(
          identity.layout == .diffusersFolder
            ? other.schema.parameters[position].folderName
            : other.schema.parameters[position].name(in: .ldm))
      edited.append(
        Edited(
          origin: .vae, index: start + index, original: tensor, seen: tensor.renamed(name)))
    }
  }

  // MARK: Token positions

  /// Whether tensor `index` holds 0, 1, 2, … as int64 `[1, positions]`.
  private func isRight(_ index: Int, _ dimensions: Dimensions) -> Bool {
    let count = dimensions[.positions]
    let tensor = model.tensors[index]
    guard tensor.dtype == .i64, tensor.shape == [1, count],
      let right = try? KnownTensor.positionIDs(count: count, name: tensor.name),
      let found = try? model.bytes(of: index), let expected = try? right.bytes(of: 0)
    else { return false }
    return found == expected
  }

  private mutating func addPositionIDs(_ identity: ModelIdentity) {
    let wasThere = identity.positionIDs != nil
    let isThere = edited.contains { KnownExtra.named($0.seen.name) == .positionIDs }
    guard identity[.textEncoder] != nil, !isThere, wasThere || request.layout != .diffusers else {
      return
    }
    let name =
      identity.positionIDs.map { identity.tensors[$0].name }
      ?? Arrangement.Names(
        layout: .safetensors, alone: Arrangement(identity, layout: .safetensors).alone
      )
      .positionIDs
    do throws(Fault) {
      let known = try KnownTensor.positionIDs(
        count: identity.schema.dimensions[.positions], name: name)
      let start = sources.reduce(0) { $0 + $1.tensors.count }
      sources.append(known)
      edited.append(
        Edited(
          origin: .known, index: start, original: known.tensors[0], seen: known.tensors[0]))
    } catch { fail(error) }
  }

  // MARK: Arranging

  /// Gives what is left the names, shapes and types of the output.
  mutating func arrange() {
    let identity = ModelIdentity(edited.map(\.seen))
    let arrangement = Arrangement(identity, layout: request.layout, alone: request.only)
    alone = arrangement.alone
    dimensions = identity.schema.dimensions
    if isMapped, let only = request.only, identity[only] == nil {
      fail(Fault(.missingComponent, "has no \(only.title)", found: identity.title))
    }
    var names = Set<TensorName>()
    var hasScales = false
    for (position, tensor) in edited.enumerated() {
      let use = identity.uses[position]
      if let only = request.only, !belongs(use, to: only, identity.schema) {
        dropped.append(DroppedTensor(info: tensor.original, reason: .otherComponent))
        continue
      }
      guard let info = arrangement.tensors[position] else {
        dropped.append(DroppedTensor(info: tensor.original, reason: .noPlace))
        continue
      }
      hasScales = hasScales || KnownExtra.named(tensor.seen.name) == .quantisation
      var planned = PlannedTensor(
        origin: tensor.origin, original: tensor.original, info: info,
        component: component(of: use, identity.schema), index: tensor.index)
      do throws(Fault) {
        planned.info = try info.stored(as: type(of: info, use, identity.schema))
      } catch { fail(error) }
      if !names.insert(planned.info.name).inserted {
        fail(
          Fault(
            .nameClash, "would be written twice", tensor: planned.info.name,
            hint: "leave one out with --discard"))
      }
      tensors.append(planned)
    }
    checkScales(hasScales || dropped.contains { KnownExtra.named($0.info.name) == .quantisation })
    if tensors.isEmpty {
      fail(
        Fault(
          .nothingToWrite, "would be left without tensors",
          hint: identity.hasAveragesOnly ? "it has moving averages only: add --ema" : nil))
    }
  }

  private func belongs(_ use: TensorUse, to only: Component, _ schema: Schema) -> Bool {
    switch use {
    case .parameter(let position): schema.parameters[position].component == only
    case .extra(.positionIDs): only == .textEncoder
    case .average, .extra, .repeated, .unexpected, .unmapped: false
    }
  }

  private func component(of use: TensorUse, _ schema: Schema) -> Component? {
    guard case .parameter(let position) = use else { return nil }
    return schema.parameters[position].component
  }

  /// The type in which a tensor is written.
  private func type(of tensor: TensorInfo, _ use: TensorUse, _ schema: Schema) -> DType {
    guard tensor.dtype.isFloatingPoint else { return tensor.dtype }
    let types = request.types
    let choice: DType?
    switch use {
    case .parameter(let position), .repeated(let position):
      choice = types[schema.parameters[position].component]
    case .average: choice = types[.unet]
    // Few numbers that something else depends on.
    case .extra(.positionIDs), .extra(.scheduler), .extra(.averageCounters), .extra(.training),
      .extra(.predictionMarkers), .extra(.quantisation):
      choice = nil
    case .extra, .unexpected, .unmapped: choice = types.usual
    }
    return choice ?? tensor.dtype
  }

  private mutating func checkScales(_ hasScales: Bool) {
    guard hasScales,
      let tensor = tensors.first(where: {
        $0.original.dtype.bitCount <= 8 && ($0.isCast || $0.isRenamed || $0.isReshaped)
      })
    else { return }
    fail(
      Fault(
        .scaledWeights, "is scaled by another tensor and cannot be renamed or converted",
        tensor: tensor.original.name, found: tensor.original.dtype.name))
  }
}
