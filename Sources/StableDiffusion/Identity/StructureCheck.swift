public import Tensors

extension ModelIdentity {
  /// What is wrong with the structure of the model.
  ///
  /// - Parameters:
  ///   - expectation: what the model should be; `nil` to take it for what it is.
  ///   - required: the components that must be there, and to which the check is limited. Without
  ///     it a file with one component is taken for just that, unless `expectation` asks for a
  ///     model; any other must have all three.
  /// - Returns: findings in a fixed order: about the model, then component by component, then by
  ///   tensor in the order of the file. The number is at most proportional to that of tensors.
  public func check(
    expecting expectation: Expectation? = nil, components required: Set<Component>? = nil
  ) -> [Fault] {
    var check = StructureCheck(identity: self, expectation: expectation, required: required)
    check.run()
    return check.faults
  }
}

/// Goes through everything that can be wrong with the structure of one model.
private struct StructureCheck {
  let identity: ModelIdentity
  let expectation: Expectation?
  let required: Set<Component>?
  var faults: [Fault] = []

  private var schema: Schema { identity.schema }
  private var tensors: [TensorInfo] { identity.tensors }

  /// How many unexpected names are compared with the missing ones.
  private static let suggestionLimit = 32

  init(identity: ModelIdentity, expectation: Expectation?, required: Set<Component>?) {
    self.identity = identity
    self.expectation = expectation
    self.required = required
  }

  private func isChecked(_ component: Component) -> Bool { required?.contains(component) ?? true }

  mutating func run() {
    guard identity.kind == .stableDiffusion1 else { return checkKind() }
    checkExpectation()
    checkFit()
    for component in Component.allCases where isChecked(component) { check(component) }
    checkAverages()
    checkStrangers()
  }

  private mutating func checkKind() {
    if let expectation {
      faults.append(
        Fault(
          .wrongArchitecture, "is another kind of model", expected: expectation.title,
          found: identity.kind == .unknown ? "an unknown kind" : identity.title,
          hint: identity.reason))
    } else if identity.kind == .unknown {
      faults.append(
        Fault(.unknownModel, "is of no known kind", hint: identity.reason))
    } else if identity.kind == .adapter {
      let base = identity.adapter?.base.map { " for \($0.title)" } ?? ""
      faults.append(
        Fault(
          .otherModel, "is no model by itself", found: identity.title + base,
          hint: "it changes a model: sdtool lora-merge puts it in"))
    } else {
      faults.append(
        Fault(
          .otherModel, "is not a Stable Diffusion 1.x model", found: identity.title,
          hint: identity.reason))
    }
  }

  // MARK: The model

  private mutating func checkExpectation() {
    let hasUNet = identity.variant != nil && isChecked(.unet)
    guard let wanted = expectation?.dimensions else {
      let custom = identity.customWidths.filter { isChecked($0.component) }
      if !custom.isEmpty {
        let list = custom.prefix(4).map {
          "\($0.title) \(schema.dimensions[$0]) instead of \(Dimensions.sd15[$0])"
        }
        faults.append(
          Fault(
            .customWidths, "has other widths than Stable Diffusion 1.5",
            found: list.joined(separator: ", ") + (custom.count > 4 ? ", …" : "")))
      }
      if hasUNet, identity.variant == .custom {
        faults.append(
          Fault(
            .unknownVariant, "takes an unusual number of channels",
            tensor: name(of: "conv_in.weight"), expected: "4, 8 or 9",
            found: "\(schema.dimensions[.unetInput])"))
      }
      return
    }
    for width in Dimensions.Width.allCases {
      let found = schema.dimensions[width]
      guard found != wanted[width], isChecked(width.component),
        width.component == .unet ? hasUNet : identity[width.component] != nil
      else { continue }
      var fault = Fault(
        .wrongArchitecture, "has another width: \(width.title)", expected: "\(wanted[width])",
        found: "\(found)")
      if width == .unetInput {
        fault.tensor = name(of: "conv_in.weight")
        fault.message = "takes another number of channels"
        fault.hint =
          "\(found) input channels: this is \(Variant(inputChannels: found).title)"
      } else if width == .unetContext, let hint = Self.contextHint(found) {
        fault.hint = hint
      }
      faults.append(fault)
    }
  }

  private static func contextHint(_ width: Int) -> String? {
    switch width {
    case 1024: "Stable Diffusion 2.x has a context of 1024"
    case 2048: "SDXL has a context of 2048"
    default: nil
    }
  }

  private mutating func checkFit() {
    func fit(
      _ a: Dimensions.Width, _ b: Dimensions.Width, _ message: String
    ) -> Fault? {
      guard identity[a.component] != nil, identity[b.component] != nil, isChecked(a.component),
        isChecked(b.component), schema.dimensions[a] != schema.dimensions[b]
      else { return nil }
      return Fault(
        .unfitComponents, message, expected: "\(schema.dimensions[a])",
        found: "\(schema.dimensions[b])",
        hint: "one of them was taken from another kind of model")
    }
    faults += [
      fit(.unetContext, .text, "has a text encoder that does not make the U-Net's context"),
      fit(.unetOutput, .latent, "has a VAE that does not read the U-Net's latents"),
    ].compactMap(\.self)
  }

  // MARK: A component

  private mutating func check(_ component: Component) {
    guard let summary = identity[component] else { return checkAbsence(of: component) }
    if !summary.isComplete {
      faults.append(
        Fault(
          .incompleteComponent, "has an incomplete \(component.title)",
          expected: "\(summary.expectedCount) tensors",
          found: "\(summary.expectedCount - summary.missing.count)",
          hint: "take the \(component.title) from another model, or convert the original again"))
    }
    for position in summary.missing {
      let parameter = schema.parameters[position]
      faults.append(
        Fault(
          .missingTensor, "is missing", tensor: TensorName(spelled(parameter, summary.naming)),
          expected: "\(parameter.shape(in: summary.naming ?? .ldm))"))
    }
    for position in schema.range(of: component) { checkTensor(of: position, summary) }
    checkTypes(summary)
    checkSpelling(component)
  }

  private mutating func checkAbsence(of component: Component) {
    let isWanted: Bool
    if let required {
      isWanted = required.contains(component)
    } else {
      isWanted = expectation != nil || identity.components.count > 1 || identity.hasAveragesOnly
    }
    guard isWanted else { return }
    if component == .unet, identity.hasAveragesOnly {
      faults.append(
        Fault(
          .averagedWeightsOnly, "has the U-Net only as its moving average",
          expected: "names that begin with '\(Component.unet.ldmPrefix)'",
          found: "\(identity.averageCount) that begin with 'model_ema.'",
          hint: "rename them to take the U-Net's place"))
    } else if identity.hasAveragesOnly, identity.components.isEmpty, expectation == nil,
      required == nil
    {
      return
    } else {
      faults.append(
        Fault(
          .missingComponent, "has no \(component.title)",
          hint: "add one from another model of the same kind, or check with --component what is "
            + "there"))
    }
  }

  private mutating func checkTensor(of position: Int, _ summary: ComponentSummary) {
    guard let index = identity.tensor(of: position) else { return }
    let info = tensors[index], parameter = schema.parameters[position]
    if !info.dtype.isFloatingPoint {
      faults.append(
        Fault(
          .unusableType, "is not stored as floating-point numbers", tensor: info.name,
          expected: "F32, F16 or BF16", found: info.dtype.name))
    }
    guard info.shape != parameter.shape,
      !parameter.isMatrixInDiffusers || info.shape != parameter.shape(in: .diffusers)
    else { return }
    let expected = parameter.shape(in: identity.spellings[position]?.naming ?? .ldm)
    faults.append(
      Fault(
        .misshapenTensor, "has the wrong shape", tensor: info.name, expected: "\(expected)",
        found: Self.list(info.shape), hint: Self.hint(parameter, expected, info.shape)))
  }

  /// A shape for people; a hostile one may have any number of axes.
  private static func list(_ shape: [Int]) -> String {
    shape.count <= 8 ? "\(shape)" : "\(shape.count) axes"
  }

  private static func hint(_ parameter: Parameter, _ expected: [Int], _ found: [Int]) -> String? {
    if parameter.module.ldm.hasSuffix(".attn2.to_k")
      || parameter.module.ldm.hasSuffix(".attn2.to_v"),
      found.count == 2, let hint = contextHint(found[1])
    {
      return hint
    }
    if parameter.place == .in00, found.count == 4, found[0] == expected[0] {
      let variant = Variant(inputChannels: found[1])
      if variant != .custom { return "\(found[1]) input channels: this is \(variant.title)" }
    }
    if expected.count == 4, found.count == 2, Array(expected.prefix(2)) == found {
      return "Stable Diffusion 2.x and XL have a matrix here"
    }
    guard found.count <= 8, !found.contains(0) else {
      return found.contains(0) ? "it holds no values" : nil
    }
    if found != expected, found == expected.reversed() { return "its axes are reversed" }
    if found.count != expected.count, found.reduce(1, &*) == expected.reduce(1, &*) {
      return "the number of values is right: it was reshaped"
    }
    return nil
  }

  private mutating func checkTypes(_ summary: ComponentSummary) {
    let types = summary.types.filter(\.dtype.isFloatingPoint)
    guard types.count > 1, let main = types.first else { return }
    let rest = types.dropFirst().map { "\($0.dtype) in \($0.tensorCount)" }
    let example = schema.range(of: summary.component).first { position in
      guard let dtype = identity.tensor(of: position).map({ tensors[$0].dtype }) else {
        return false
      }
      return dtype != main.dtype && dtype.isFloatingPoint
    }.flatMap { identity.tensor(of: $0) }
    faults.append(
      Fault(
        .mixedPrecision, "stores its \(summary.component.title) in several precisions",
        found: "\(main.dtype) in \(main.tensorCount) tensors, " + rest.joined(separator: ", ")
          + (example.map { ", for example '\(tensors[$0].name)'" } ?? ""),
        hint: "convert it to one precision"))
  }

  private mutating func checkSpelling(_ component: Component) {
    let odd = schema.range(of: component).filter { identity.spellings[$0]?.isUsual == false }
    guard let first = odd.first, let index = identity.tensor(of: first) else { return }
    let parameter = schema.parameters[first]
    let naming = identity.spellings[first]?.naming
    faults.append(
      Fault(
        .aliasSpelling, "spells \(odd.count) tensors of its \(component.title) in another way",
        expected: "'\(spelled(parameter, naming))'", found: "'\(tensors[index].name)'"))
  }

  /// The usual name of a parameter in a file like this one.
  private func spelled(_ parameter: Parameter, _ naming: Naming?) -> String {
    switch identity.layout {
    case .checkpoint, nil: parameter.name(in: .ldm)
    case .diffusersFolder: parameter.folderName
    case .component:
      naming == .ldm ? parameter.component.bareName(parameter) : parameter.name(in: .diffusers)
    case .mixed: naming == .diffusers ? parameter.folderName : parameter.name(in: .ldm)
    }
  }

  // MARK: Everything else

  private mutating func checkAverages() {
    guard isChecked(.unet), identity.averageCount > 0 else { return }
    let missing = schema.range(of: .unet).filter {
      identity.average(of: $0) == nil && !schema.parameters[$0].isOptional
    }
    guard !missing.isEmpty, missing.count < schema.range(of: .unet).count else { return }
    let expected = schema.range(of: .unet).count { !schema.parameters[$0].isOptional }
    faults.append(
      Fault(
        .incompleteAverage, "has an incomplete moving average of the U-Net",
        expected: "\(expected) tensors", found: "\(expected - missing.count)",
        hint: "pruning removes it"))
  }

  private mutating func checkStrangers() {
    let missing = identity.components.flatMap { summary in
      summary.missing.map { spelled(schema.parameters[$0], summary.naming) }
    }
    var suggestions = Self.suggestionLimit
    for (index, use) in identity.uses.enumerated() {
      switch use {
      case .unexpected:
        var hint: String?
        if !missing.isEmpty, suggestions > 0 {
          suggestions -= 1
          hint = nearest(to: tensors[index].name.string, in: missing).map {
            "perhaps it is '\($0)', which is missing"
          }
        }
        faults.append(
          Fault(
            .unexpectedTensor, "is not expected", tensor: tensors[index].name,
            found: "\(tensors[index].dtype) \(Self.list(tensors[index].shape))", hint: hint))
      case .repeated(let position):
        let used = identity.tensor(of: position).map { tensors[$0].name.string } ?? ""
        faults.append(
          Fault(
            .repeatedParameter, "stands for the same parameter as another tensor",
            tensor: tensors[index].name, found: "'\(used)', which is used"))
      case .parameter, .average, .extra, .unmapped: break
      }
    }
  }

  private func name(of parameter: TensorName) -> TensorName? {
    schema.match(parameter).flatMap { match in
      (identity.tensor(of: match.parameter) ?? identity.average(of: match.parameter)).map {
        tensors[$0].name
      }
    }
  }
}

extension Component {
  /// The original name of a parameter in a file with nothing but this component.
  fileprivate func bareName(_ parameter: Parameter) -> String {
    String(parameter.name(in: .ldm).dropFirst(ldmPrefix.count))
  }
}
