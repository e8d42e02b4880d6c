import StableDiffusion
import Tensors

/// Decides for every tensor what becomes of it.
struct MergePlanner {
  private(set) var tensors: [PlannedTensor] = []
  private(set) var dropped: [DroppedTensor] = []
  private(set) var problems: [Fault] = []

  private let inputs: [MergeInput]
  private let request: MergeRequest
  /// The number of inputs that the formula takes.
  private let formulaCount: Int
  /// The settings that were checked, or found wrong, already.
  private var checked = Set<MergeSettings>()
  /// How many tensors had other shapes, of which only the first few are reported.
  private var misshapenCount = 0
  private static let maximumReports = 5

  init(_ inputs: [MergeInput], _ request: MergeRequest) {
    self.inputs = inputs
    self.request = request
    formulaCount = inputs.count - (request.bakesVAE ? 1 : 0)
  }

  mutating func plan() {
    for input in inputs { check(input) }
    check(request.settings)
    guard problems.isEmpty else { return }
    for (input, model) in inputs.prefix(formulaCount).enumerated() {
      for (index, use) in model.identity.uses.enumerated() {
        guard case .repeated = use else { continue }
        dropped.append(
          DroppedTensor(
            input: input, name: model.source.tensors[index].name, reason: .repeated))
      }
    }
    for name in orderedNames() { plan(name) }
    if misshapenCount > Self.maximumReports,
      let last = problems.lastIndex(where: {
        $0.rule == .mergeShape
      })
    {
      problems[last].hint =
        "\(misshapenCount - Self.maximumReports) more tensors differ: the models have other widths"
    }
  }

  private mutating func check(_ input: MergeInput) {
    guard input.identity.kind == .stableDiffusion1 else {
      problems.append(
        Fault(
          .mergeArchitecture, "cannot be merged", path: input.source.path,
          expected: "a Stable Diffusion 1.x model", found: input.identity.title))
      return
    }
    if let index = input.identity.uses.firstIndex(of: .extra(.quantisation)) {
      problems.append(
        Fault(
          .mergeType, "shows that weights are stored as 8-bit numbers with separate scales",
          path: input.source.path, tensor: input.source.tensors[index].name,
          hint: "convert the model to f16 first"))
    }
  }

  /// Whether the method accepts `settings`; a problem is reported once.
  @discardableResult
  private mutating func check(_ settings: MergeSettings) -> Bool {
    guard checked.insert(settings).inserted else { return true }
    do throws(Fault) {
      try request.method.check(inputs: formulaCount, settings: settings)
      return true
    } catch {
      if !problems.contains(error) { problems.append(error) }
      return false
    }
  }

  /// All names: parameters in the order of the network, then the others by name.
  private func orderedNames() -> [TensorName] {
    var ranks: [TensorName: Int] = [:]
    var names = Set<TensorName>()
    for input in inputs {
      names.formUnion(input.positions.keys)
      for (index, parameter) in input.identity.schema.parameters.enumerated() {
        let name = TensorName(parameter.name(in: .ldm))
        ranks[name] = min(ranks[name] ?? .max, index)
      }
    }
    return names.sorted { (ranks[$0] ?? .max, $0) < (ranks[$1] ?? .max, $1) }
  }
}

// MARK: One tensor

extension MergePlanner {
  private mutating func plan(_ name: TensorName) {
    var operands = inputs.enumerated().map { index, input in
      input.positions[name].map {
        MergeOperand(input: index, tensor: $0, dtype: input.source.tensors[$0].dtype)
      }
    }
    guard let first = operands.lazy.compactMap({ $0 }).first else { return }
    let identity = inputs[first.input].identity
    if request.discards(name) {
      drop(operands, .discarded)
      return
    }
    if request.bakesVAE {
      guard let own = operands.removeLast() else {
        return plan(name, operands, first, identity)
      }
      if case .parameter(let position) = identity.uses[first.tensor],
        identity.schema.parameters[position].component == .vae
      {
        add(name, [own], own, .parameter(.vae), place: .vae, weight: .kept, beta: nil)
      } else if first.input < formulaCount {
        plan(name, operands, first, identity)
      }
      return
    }
    plan(name, operands, first, identity)
  }

  private mutating func plan(
    _ name: TensorName, _ operands: [MergeOperand?], _ first: MergeOperand,
    _ identity: ModelIdentity
  ) {
    switch identity.uses[first.tensor] {
    case .parameter(let position):
      let parameter = identity.schema.parameters[position]
      let weight = request.alpha.weight(for: parameter)
      let beta = request.beta?.weight(for: parameter)
      add(
        name, operands, first, .parameter(parameter.component), place: parameter.place,
        weight: weight, beta: beta)
    case .average:
      let beta = request.beta?.places.ema
      add(
        name, operands, first, .average, place: nil, weight: request.alpha.places.ema, beta: beta)
    case .extra(.positionIDs): addPositions(name, operands, first)
    case .extra(let extra):
      if request.policies.unknown == .drop, extra.policy == .drop {
        drop(operands, .leftOver)
      } else {
        add(name, operands, first, .extra, place: nil, weight: .kept, beta: nil)
      }
    case .unexpected, .unmapped, .repeated: addUnknown(name, operands, first)
    }
  }

  private mutating func addUnknown(
    _ name: TensorName, _ operands: [MergeOperand?], _ first: MergeOperand
  ) {
    let isNumeric = Conversion(from: first.dtype, to: .f32) != nil && first.dtype.isFloatingPoint
    switch request.policies.unknown {
    case .drop: drop(operands, .unknown)
    case .merge where isNumeric && operands.allSatisfy({ $0 != nil }):
      add(
        name, operands, first, .unknown, place: nil, weight: request.alpha.places[.clip],
        beta: request.beta?.places[.clip])
    case .error:
      problems.append(
        Fault(
          .mergeUnknown, "belongs to nothing known", path: inputs[first.input].source.path,
          tensor: name, hint: "--unknown keep copies it, --unknown drop leaves it out"))
    case .keep, .merge: add(name, operands, first, .unknown, place: nil, weight: .kept, beta: nil)
    }
  }

  private mutating func drop(_ operands: [MergeOperand?], _ reason: DroppedTensor.Reason) {
    for case let operand? in operands {
      dropped.append(
        DroppedTensor(
          input: operand.input, name: inputs[operand.input].source.tensors[operand.tensor].name,
          reason: reason))
    }
  }

  private mutating func addPositions(
    _ name: TensorName, _ operands: [MergeOperand?], _ first: MergeOperand
  ) {
    let own = inputs[first.input].source.tensors[first.tensor]
    // 77 in every model; a table of another size is copied for what it is.
    guard own.elementCount <= 1 << 16,
      let info = try? TensorInfo(name: name, dtype: .i64, shape: own.shape)
    else {
      add(name, operands, first, .extra, place: nil, weight: .kept, beta: nil)
      return
    }
    tensors.append(
      PlannedTensor(
        info: info, purpose: .positions, place: .clip, operation: .positions,
        holders: operands.compactMap { $0?.input }, originalType: own.dtype))
  }

  /// Adds a tensor that is copied or computed.
  private mutating func add(
    _ name: TensorName, _ operands: [MergeOperand?], _ first: MergeOperand,
    _ purpose: PlannedTensor.Purpose, place: Place?, weight: PlaceWeight, beta: PlaceWeight?
  ) {
    let present = operands.compactMap { $0 }
    let holders = present.map(\.input)
    if present.count < operands.count, request.policies.missing == .error, purpose.isOfNetwork {
      let lacking = operands.indices.filter { !holders.contains($0) }
      problems.append(
        Fault(
          .mergeMissing, "is missing", path: inputs[lacking[0]].source.path, tensor: name,
          hint: "--missing keep takes it from the first model that has it"))
      return
    }
    var operation = MergeOperation.copy(first)
    var shape = inputs[first.input].shape(of: first.tensor)
    if case .weight(let alpha) = weight, present.count == formulaCount {
      var settings = request.settings
      settings.alpha = alpha
      if case .weight(let beta)? = beta { settings.beta = beta }
      guard check(settings) else { return }
      guard let (computed, widest) = computed(name, present, settings) else { return }
      operation = computed
      shape = widest
    }
    let original = inputs[first.input].originalTypes[first.tensor]
    var dtype = type(purpose, original, first.dtype, isMerged: operation.isMerge)
    if case .copy(let operand) = operation, Conversion(from: operand.dtype, to: dtype) == nil {
      dtype = operand.dtype
    }
    guard let info = try? TensorInfo(name: name, dtype: dtype, shape: shape) else { return }
    tensors.append(
      PlannedTensor(
        info: info, purpose: purpose, place: place, operation: operation, holders: holders,
        originalType: original))
  }

  /// How a tensor that all inputs have is computed, and its shape; `nil` if it cannot be.
  private mutating func computed(
    _ name: TensorName, _ operands: [MergeOperand], _ settings: MergeSettings
  ) -> (MergeOperation, [Int])? {
    let shapes = operands.map { inputs[$0.input].shape(of: $0.tensor) }
    guard shapes.dropFirst().allSatisfy({ $0 == shapes[0] }) else {
      return computedChannels(name, operands, shapes, settings)
    }
    if let single = request.method.passthrough(settings), operands.indices.contains(single) {
      return (.copy(operands[single]), shapes[0])
    }
    guard areNumbers(name, operands) else { return nil }
    return (.merge(operands, settings), shapes[0])
  }

  /// The first convolution of models that take different numbers of channels.
  private mutating func computedChannels(
    _ name: TensorName, _ operands: [MergeOperand], _ shapes: [[Int]], _ settings: MergeSettings
  ) -> (MergeOperation, [Int])? {
    let most = shapes.map { $0.count > 1 ? $0[1] : 0 }.max() ?? 0
    let alike = shapes.allSatisfy { shape in
      shape.count == 4 && shape[0] == shapes[0][0] && shape[2...] == shapes[0][2...]
        && (shape[1] == most || shape[1] == Self.latentChannels)
    }
    guard name == Self.firstConvolution, alike,
      let widest = shapes.firstIndex(where: {
        $0[1] == most
      }), most > Self.latentChannels
    else {
      reportShapes(name, operands, shapes)
      return nil
    }
    switch request.policies.convIn {
    case .keep: return (.copy(operands[widest]), shapes[widest])
    case .error:
      reportShapes(
        name, operands, shapes,
        hint: "--conv-in merge4 merges the channels that all have, --conv-in keep takes it from "
          + "the model with most channels")
      return nil
    case .merge4:
      guard areNumbers(name, operands) else { return nil }
      let operation = MergeOperation.mergeChannels(
        operands, settings, channels: Self.latentChannels, rest: operands[widest])
      return (operation, shapes[widest])
    }
  }

  private static let firstConvolution: TensorName =
    "model.diffusion_model.input_blocks.0.0.weight"
  private static let latentChannels = 4

  private mutating func reportShapes(
    _ name: TensorName, _ operands: [MergeOperand], _ shapes: [[Int]], hint: String? = nil
  ) {
    misshapenCount += 1
    guard misshapenCount <= Self.maximumReports,
      let other = shapes.firstIndex(where: { $0 != shapes[0] })
    else { return }
    problems.append(
      Fault(
        .mergeShape, "has another shape than in \(inputs[operands[0].input].source.path)",
        path: inputs[operands[other].input].source.path, tensor: name, expected: "\(shapes[0])",
        found: "\(shapes[other])", hint: hint))
  }

  /// Whether all operands hold numbers that can be computed with.
  private mutating func areNumbers(_ name: TensorName, _ operands: [MergeOperand]) -> Bool {
    for operand in operands
    where !operand.dtype.isFloatingPoint || Conversion(from: operand.dtype, to: .f32) == nil {
      problems.append(
        Fault(
          .mergeType, "holds values that cannot be merged",
          path: inputs[operand.input].source.path, tensor: name,
          expected: "floating-point numbers", found: "\(operand.dtype)"))
      return false
    }
    return true
  }

  /// How a tensor is stored.
  private func type(
    _ purpose: PlannedTensor.Purpose, _ original: DType, _ current: DType, isMerged: Bool
  ) -> DType {
    if request.types.isForMerged, !isMerged { return current }
    let wanted: DType? =
      switch purpose {
      case .parameter(let component): request.types.type(for: component)
      case .average: request.types.type(for: .unet)
      case .positions, .extra, .unknown: nil
      }
    if let wanted, original.isFloatingPoint, Conversion(from: original, to: wanted) != nil {
      return wanted
    }
    guard isMerged else { return original }
    switch original {
    case .f16, .bf16, .f32: return original
    case .f64: return .f32
    default: return .f16
    }
  }
}

extension MergeOperation {
  /// Whether values are computed from several inputs.
  fileprivate var isMerge: Bool {
    switch self {
    case .merge, .mergeChannels: true
    case .copy, .positions: false
    }
  }
}

extension PlannedTensor.Purpose {
  /// Whether it belongs to the network, so that every complete model has it.
  var isOfNetwork: Bool {
    switch self {
    case .parameter, .positions: true
    case .average, .extra, .unknown: false
    }
  }
}
