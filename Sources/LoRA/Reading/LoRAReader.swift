import StableDiffusion
import Tensors

/// Sorts the tensors of a file into modules, and keeps account of every one.
struct LoRAReader {
  let source: any TensorSource
  private var groups: [ModuleGroup] = []
  private var positions: [TensorName: Int] = [:]
  private var ledger: [LedgerEntry]
  private var findings: [Fault] = []
  private var suffixes: [SuffixStyle: Int] = [:]
  /// Tensors that belong nowhere, with the name of the module that they would be for.
  private var strangers: [(tensor: Int, stem: TensorName?, slot: Slot?)] = []

  init(_ source: any TensorSource) {
    self.source = source
    ledger = Array(repeating: .unmatched(""), count: source.tensors.count)
  }

  /// Reads everything; see ``LoRAFile/init(_:settings:)``.
  mutating func file(_ settings: AdapterSettings) throws(Fault) -> LoRAFile {
    try refuseUnmergeable()
    try sort()
    guard !groups.isEmpty || !strangers.isEmpty && strangers.contains(where: { $0.slot != nil })
    else { throw nothing() }
    let modules = try assemble(settings)
    reportStrangers(modules)
    return LoRAFile(
      source: source, spelling: spelling(), modules: modules, ledger: ledger,
      findings: findings)
  }

  private func refuseUnmergeable() throws(Fault) {
    for tensor in source.tensors {
      if tensor.name == "lora_controlnet" {
        throw Fault(
          .loraUnmergeable, "is a Control-LoRA, a control network of its own",
          path: source.path, tensor: tensor.name,
          hint: "use it in a program that runs control networks")
      }
      if Suffixes.split(tensor.name)?.slot == .timeDependent {
        throw Fault(
          .loraUnmergeable, "belongs to a T-LoRA, which changes with the time step",
          path: source.path, tensor: tensor.name,
          hint: "use it in a program that loads LyCORIS adapters")
      }
    }
  }

  /// What to say of a file without a tensor of an adapter.
  private func nothing() -> Fault {
    let identity = ModelIdentity(source.tensors)
    switch identity.kind {
    case .adapter, .unknown, .textualInversion, .hypernetwork:
      return Fault(
        .loraNothing, "is not a LoRA", path: source.path,
        found: identity.kind == .unknown
          ? "no tensor named like one of an adapter" : identity.title,
        hint: "sdtool inspect says what it is")
    default:
      return Fault(
        .loraIsModel, "is a model, not a LoRA", path: source.path, found: identity.title,
        hint: "use sdtool merge to combine models, or sdtool lora-extract to make a LoRA of it")
    }
  }

  private mutating func sort() throws(Fault) {
    let numbered = try numberedModules()
    let scaled = Set(
      source.tensors.lazy.compactMap { Suffixes.split($0.name) }.filter { $0.slot == .onInput }
        .map(\.stem))
    for (index, tensor) in source.tensors.enumerated() {
      if let reason = Self.preserved(tensor.name) {
        ledger[index] = .preserved(reason)
      } else if let (component, number, slot) = split(numbered: tensor.name) {
        addNumbered(index, component, number, slot, numbered)
      } else if let split = Suffixes.split(tensor.name),
        split.slot != .weight || scaled.contains(split.stem)
      {
        add(index, split)
      } else {
        strangers.append((index, nil, nil))
      }
    }
  }

  /// Why a tensor that changes no weight is kept, or `nil`.
  private static func preserved(_ name: TensorName) -> String? {
    if name.hasPrefix("bundle_emb.") { return "embedding bundled with the LoRA" }
    if name.hasPrefix("<"), name.hasSuffix(">") { return "embedding of a token" }
    switch name.string {
    case "clip_l", "clip_l_out", "clip_g", "clip_g_out", "emb_params": return "embedding"
    default: return nil
    }
  }

  private mutating func add(_ index: Int, _ split: SplitName) {
    let paths = ModulePaths.shared
    guard split.slot != .reshape, let match = paths[split.stem] else {
      if paths.isUnusedProjection(split.stem) {
        ledger[index] = .ignored("no program ever used this one of the four projections")
      } else {
        strangers.append((index, split.stem, split.slot))
      }
      return
    }
    suffixes[split.style, default: 0] += 1
    let style = split.style == .hcp ? .hcp : match.style
    add(index, split.stem, split.slot, match.target, style)
  }

  private mutating func add(
    _ index: Int, _ stem: TensorName, _ slot: Slot, _ target: Int, _ style: PathStyle
  ) {
    let position: Int
    if let known = positions[stem] {
      position = known
    } else {
      position = groups.count
      positions[stem] = position
      groups.append(ModuleGroup(stem: stem, target: target, style: style))
    }
    guard !groups[position].add(index, slot) else { return }
    ledger[index] = .unmatched("the module has another tensor for the same purpose")
    findings.append(
      Fault(
        .loraDuplicate, "is there twice, under two spellings", path: source.path,
        tensor: source.tensors[index].name))
  }

  private func split(
    numbered name: TensorName
  ) -> (component: Component, number: Int, slot: Slot)? {
    if source.container == .safetensors { return NumberedModules.split(name) }
    let listed = NumberedModules.name(ofListed: name, in: source.path)
    return NumberedModules.split(listed ?? name)
  }

  private func numberedModules() throws(Fault) -> [Component: [Int]] {
    var ups: [Component: [Int: [Int]]] = [:]
    for tensor in source.tensors {
      guard let (component, number, slot) = split(numbered: tensor.name), slot == .up else {
        continue
      }
      ups[component, default: [:]][number] = tensor.shape
    }
    var all: [Component: [Int]] = [:]
    if ups[.textEncoder] != nil { all[.textEncoder] = NumberedModules.text.targets }
    if let unet = ups[.unet] {
      let width = unet[0]?.first ?? 0
      let first = (unet[4]?.first ?? 0) == width.multipliedReportingOverflow(by: 8).partialValue
      let plain = NumberedModules.unet(withResiduals: false, feedForwardFirst: first)
      let last = unet.keys.max() ?? 0
      all[.unet] =
        last < plain.targets.count
        ? plain.targets
        : NumberedModules.unet(withResiduals: true, feedForwardFirst: first).targets
    }
    return all
  }

  private mutating func addNumbered(
    _ index: Int, _ component: Component, _ number: Int, _ slot: Slot,
    _ modules: [Component: [Int]]
  ) {
    guard let targets = modules[component], number < targets.count else {
      strangers.append((index, nil, nil))
      return
    }
    suffixes[.numbered, default: 0] += 1
    let stem = TensorName("\(component == .unet ? "unet" : "text_encoder"):\(number)")
    add(index, stem, slot, targets[number], .numbered)
  }

  private mutating func assemble(_ settings: AdapterSettings) throws(Fault) -> [LoRAModule] {
    var modules: [LoRAModule] = []
    var owners: [Int: TensorName] = [:]
    for group in groups.sorted(by: { ($0.target, $0.stem) < ($1.target, $1.stem) }) {
      var problem: Fault?
      if let other = owners[group.target] {
        problem = Fault(
          .loraDuplicate, "is the same module as '\(other)'", tensor: group.stem,
          hint: "keep one of them")
      } else {
        owners[group.target] = group.stem
        do throws(Fault) {
          modules.append(try ModuleAssembly(group, source).module(settings))
        } catch {
          // What cannot be read at all ends it; what makes no sense is listed.
          guard Rule.loraRules.contains(error.rule) else { throw error }
          problem = error
        }
      }
      if let problem {
        findings.append(problem.at(source.path))
        for tensor in group.tensors { ledger[tensor] = .unmatched(problem.message) }
      } else {
        for tensor in group.tensors { ledger[tensor] = .applied(module: modules.count - 1) }
      }
    }
    return modules
  }

  private mutating func reportStrangers(_ modules: [LoRAModule]) {
    for (tensor, stem, _) in strangers {
      ledger[tensor] = .unmatched(
        stem == nil
          ? "its name does not end like a tensor of an adapter"
          : "no module of Stable Diffusion 1.5 is called so")
    }
    if let fault = OtherModels.fault(modules, strangers.map { ($0.tensor, $0.slot) }, source) {
      findings.insert(fault, at: 0)
    } else if let lost = strangers.first(where: {
      $0.stem.map(ModulePaths.shared.isTail) ?? false
    }) {
      let count = strangers.count { $0.stem.map(ModulePaths.shared.isTail) ?? false }
      findings.append(
        Fault(
          .loraTruncated, "and \(count - 1) more lost what stands before them", path: source.path,
          tensor: source.tensors[lost.tensor].name,
          expected: "a path from the beginning, like down_blocks.0.attentions.0.…",
          hint: "convert the file again from its source"))
    } else if let first = strangers.first {
      let more = strangers.count == 1 ? "fits" : "and \(strangers.count - 1) more fit"
      findings.append(
        Fault(
          .loraUnmatched, "\(more) nothing in Stable Diffusion 1.5", path: source.path,
          tensor: source.tensors[first.tensor].name,
          hint: "--allow-unmatched goes on without them"))
    }
    let ignored = ledger.indices.filter { if case .ignored = ledger[$0] { true } else { false } }
    if let first = ignored.first {
      findings.append(
        Fault(
          .loraIgnored, "and \(ignored.count - 1) more have no effect", path: source.path,
          tensor: source.tensors[first].name))
    }
    if !modules.isEmpty,
      modules.allSatisfy({ $0.scale.origin == .missing || $0.scale.origin == .none }),
      modules.contains(where: { $0.scale.origin == .missing })
    {
      findings.append(
        Fault(
          .loraNoAlpha, "says nothing about α; the factors count as they are", path: source.path))
    }
  }

  private func spelling() -> LoRASpelling {
    var paths: [PathStyle: Int] = [:]
    for group in groups { paths[group.style, default: 0] += 1 }
    return LoRASpelling(
      paths: PathStyle.allCases.filter { paths[$0] != nil }.sorted {
        paths[$0, default: 0] > paths[$1, default: 0]
      },
      suffixes: SuffixStyle.allCases.filter { suffixes[$0] != nil }.sorted {
        suffixes[$0, default: 0] > suffixes[$1, default: 0]
      })
  }
}
