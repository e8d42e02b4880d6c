public import StableDiffusion
public import Tensors

/// Everything that merging LoRAs into a model will do, known before any weight is read.
///
///     let plan = try LoRAMergePlan(base, LoRAMergeRequest([LoRAUse(lora)]), width: 2)
///     for problem in plan.problems { print(problem) }
///     try ModelWriter(layout: .safetensors).write(LoRAMergedSource(plan), to: "out.safetensors")
public struct LoRAMergePlan: Sendable {
  /// What one LoRA does to one tensor.
  struct Change: Sendable {
    let lora: Int
    let module: Int
    let isBias: Bool
    let strength: Double
  }

  /// The model.
  public let base: any TensorSource
  /// What its tensors say it is.
  public let identity: ModelIdentity
  /// What was asked for.
  public let request: LoRAMergeRequest
  /// For each LoRA what becomes of each of its tensors.
  public private(set) var ledgers: [[LedgerEntry]]
  /// What keeps it from being done.
  public private(set) var problems: [Fault] = []
  /// What is worth knowing.
  public private(set) var findings: [Fault] = []
  /// The changes of each tensor of the model, by its position.
  private(set) var changes: [Int: [Change]] = [:]

  /// Plans a merge.
  ///
  /// Reads all values of the LoRAs once, to find NaN, infinity and changes of nothing.
  ///
  /// - Throws: what reading throws; everything else is in ``problems``.
  public init(
    _ base: any TensorSource, _ request: LoRAMergeRequest, width: Int
  ) throws(Fault) {
    self.base = base
    self.request = request
    identity = ModelIdentity(base.tensors)
    ledgers = request.loras.map(\.file.ledger)
    guard identity.kind == .stableDiffusion1 else {
      problems.append(
        Fault(
          .loraBase, "is no model that LoRAs can be merged into", path: base.path,
          expected: "a Stable Diffusion 1.x model", found: identity.title))
      return
    }
    for index in request.loras.indices { try add(index, width: width) }
    checkTypes()
  }

  /// The number of tensors of the model that change.
  public var changedCount: Int { changes.count }

  private mutating func add(_ index: Int, width: Int) throws(Fault) {
    let use = request.loras[index], file = use.file
    for var finding in file.findings {
      if finding.rule == .loraUnmatched { finding.hint = request.wording.allowUnmatched }
      let isAllowed = finding.rule == .loraUnmatched && request.allowsUnmatched
      if finding.severity >= .error, !isAllowed {
        problems.append(finding.at(file.path))
      } else {
        findings.append(finding.at(file.path))
      }
    }
    let values = try LoRAValues(file, width: width)
    problems += values.problems
    findings += values.findings
    var missing: [(tensors: [Int], name: String)] = []
    let changedBefore = changes.values.reduce(0) { $0 + $1.count }
    var misfits: [Fault] = []
    for (position, module) in file.modules.enumerated() {
      let strength = self.strength(use, module)
      let weight = module.target.weightTensor(in: identity)
      let changesBias = module.bias != nil || module.scalesBias
      let bias = changesBias ? module.target.biasTensor(in: identity) : nil
      var absent: [Int] = []
      if module.adapter != .biasOnly {
        if let weight {
          if let fault = try misfit(module, weight, file) {
            misfits.append(fault.at(file.path))
          } else if strength != 0 {
            add(Change(lora: index, module: position, isBias: false, strength: strength), weight)
          }
        } else {
          absent = module.tensors.filter { $0 != module.bias?.tensor }
        }
      }
      if changesBias {
        if let bias {
          if let fault = module.biasMisfit(base.tensors[bias].elementCount) {
            misfits.append(fault.at(file.path))
          } else if strength != 0 {
            add(Change(lora: index, module: position, isBias: true, strength: strength), bias)
          }
        } else if let own = module.bias {
          absent.append(own.tensor)
        }
      }
      if !absent.isEmpty { missing.append((absent, module.name)) }
    }
    if !file.modules.isEmpty, missing.isEmpty, misfits.isEmpty, values.findings.isEmpty,
      changes.values.reduce(0, { $0 + $1.count }) == changedBefore
    {
      findings.append(
        Fault(
          .loraZero, "changes nothing: its strength is 0 in every block that it has",
          path: file.path, hint: "look at the strengths and the block weights"))
    }
    report(missing, index)
    report(misfits, file)
  }

  /// What keeps a module from changing a weight, if anything.
  private mutating func misfit(
    _ module: LoRAModule, _ tensor: Int, _ file: LoRAFile
  ) throws(Fault) -> Fault? {
    let form = form(of: module, tensor)
    if form != WeightForm(shape(of: tensor)) {
      findings.append(
        Fault(
          .loraShape, "is for the four channels of a picture", severity: .note, path: file.path,
          tensor: TensorName(module.name),
          found: "a first convolution with \(shape(of: tensor)[1]), of which the others stay"))
    } else if var fault = module.misfit(shape(of: tensor), axis: request.magnitudeAxis) {
      if fault.rule == .loraAxis { fault.hint = request.wording.axis }
      return fault
    }
    guard let sparse = module.sparse else { return nil }
    do throws(Fault) { _ = try SparseChange.entries(of: sparse, in: file, form) } catch {
      guard error.rule == .loraFactors else { throw error }
      return error
    }
    return nil
  }

  /// The form of the part of a weight that a module changes: all of it, but for a first convolution
  /// of four channels in a model for inpainting, where it is that of the picture's channels, as in
  /// web UIs.
  func form(of module: LoRAModule, _ tensor: Int) -> WeightForm {
    let own = shape(of: tensor)
    let whole = WeightForm(own)
    guard module.target.path.diffusers == "conv_in", own.count == 4, own[1] > 4,
      module.misfit(own, axis: request.magnitudeAxis) != nil,
      case let picture = [own[0], 4, own[2], own[3]],
      module.misfit(picture, axis: request.magnitudeAxis) == nil
    else { return whole }
    return WeightForm(picture)
  }

  private func strength(_ use: LoRAUse, _ module: LoRAModule) -> Double {
    var strength = use.strength
    if request.compatibility.contains(.kohyaBlockRest) { strength.vector?.rest = 1 }
    let value = strength(module.target)
    return request.compatibility.contains(.kohyaRatioSquared) ? value * abs(value) : value
  }

  private mutating func add(_ change: Change, _ tensor: Int) {
    changes[tensor, default: []].append(change)
  }

  /// The shape of a weight as original checkpoints have it.
  func shape(of tensor: Int) -> [Int] {
    identity.originalShape(of: tensor, stored: base.tensors[tensor].shape)
  }

  /// Weights and biases that the model does not have.
  private mutating func report(_ missing: [(tensors: [Int], name: String)], _ index: Int) {
    guard let first = missing.first else { return }
    let file = request.loras[index].file
    for tensor in missing.flatMap(\.tensors) {
      ledgers[index][tensor] = .unmatched("the model has no such weight or bias")
    }
    let more = missing.count == 1 ? "is" : "and \(missing.count - 1) more are"
    let fault = Fault(
      .loraUnmatched, "\(more) for weights that the model does not have", path: file.path,
      tensor: TensorName(first.name), found: identity.title,
      hint: request.wording.allowUnmatched)
    if request.allowsUnmatched { findings.append(fault) } else { problems.append(fault) }
  }

  private mutating func report(_ misfits: [Fault], _ file: LoRAFile) {
    guard var first = misfits.first else { return }
    if misfits.count > 1 { first.message += " (\(misfits.count) modules in all)" }
    problems.append(first)
  }

  /// Checks that the changed weights can be computed and stored.
  private mutating func checkTypes() {
    for tensor in changes.keys.sorted() {
      let info = base.tensors[tensor], type = storedType(of: tensor)
      guard
        Conversion(from: info.dtype, to: .f32) == nil || ![.f16, .bf16, .f32, .f64].contains(type)
      else { continue }
      problems.append(
        Fault(
          .loraType, "cannot hold a merged weight", path: base.path, tensor: info.name,
          expected: "F16, BF16, F32 or F64", found: type.name,
          hint: "give --dtype f16 to store it in another type"))
      return
    }
  }

  /// The type in which a tensor of the model is stored afterwards.
  func storedType(of tensor: Int) -> DType {
    let own = base.tensors[tensor].dtype
    guard changes[tensor] != nil, case .parameter(let position) = identity.uses[tensor] else {
      return own
    }
    return request.types[identity.schema.parameters[position].component] ?? own
  }
}

extension Rule {
  /// The model cannot take LoRAs.
  public static let loraBase = Rule(
    "LR021", .error, "no model for LoRAs",
    "LoRAs for Stable Diffusion 1.5 are merged into Stable Diffusion 1.x models, whole or a "
      + "component by itself, in any layout.")
  /// A result is too large for its type.
  public static let loraOverflow = Rule(
    "LR022", .error, "merged weight too large for its type",
    "A merged value is beyond the range of the type that it is stored in. Nothing was written. "
      + "--overflow clamp stores the largest number instead; --dtype bf16 or f32 has room for it; "
      + "a smaller strength keeps the weights smaller.")
}
