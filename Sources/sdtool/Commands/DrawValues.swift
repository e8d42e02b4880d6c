import ArgumentParser
import Comparison
import Drawing
import Inspection
import LoRA
import Reporting
import StableDiffusion
import Tensors

/// What histograms are made for.
enum HistogramGrouping: String, CaseIterable, ExpressibleByArgument {
  case all, component, role, place, tensor
}

extension SDTool.Draw {
  private var threads: Int { machine.threads ?? availableProcessors }

  /// The network's colours for the change from this model to another one.
  func difference(_ model: InspectedModel, from other: String) throws(Fault) -> Coloring {
    let second = try InspectedModel(path: other, variant: variant)
    try check(second.source)
    let difference = try ModelDifference.compare(model.source, second.source, width: threads)
    try difference.checkDrawable()
    return .change(
      difference, title: "relative change to \(fileName(of: other)) in %",
      schema: model.identity.schema)
  }

  /// The network's colours for what a LoRA does to a model.
  func effect(
    of path: String, on model: InspectedModel?, schema: Schema
  ) throws(Fault) -> Coloring {
    guard let model else {
      throw Fault(
        .unknownColoring, "needs a model to colour by a LoRA's effect", path: path,
        hint: "sdtool draw MODEL --color-by lora:FILE")
    }
    let file = try LoRAFile(path: path)
    try check(file.source)
    let plan = try LoRAMergePlan(
      model.source, LoRAMergeRequest([LoRAUse(file)]), width: threads)
    if let problem = plan.problems.first { throw problem }
    let difference = try ModelDifference.compare(
      model.source, LoRAMergedSource(plan), width: threads)
    return .change(
      difference, title: "relative change by \(fileName(of: path)) in %", schema: schema)
  }

  /// A histogram or a heat map.
  func valueChart(_ model: InspectedModel?) throws(Fault) -> Scene {
    guard let model else { throw Fault(.drawingModel, "is missing", hint: "name a model") }
    if chart == .heatmap, let other {
      let second = try InspectedModel(path: other, variant: variant)
      try check(second.source)
      let difference = try ModelDifference.compare(model.source, second.source, width: threads)
      try difference.checkDrawable()
      return difference.heatMap.scene
    }
    let pattern = Glob(tensors)
    let selection = model.source.tensors.indices.filter { index in
      let tensor = model.source.tensors[index]
      return tensor.dtype.isFloatingPoint && pattern.matches(tensor.name)
    }
    guard !selection.isEmpty else {
      throw Fault(
        .drawingModel, "has no floating-point tensor that fits '\(tensors.prefix(80))'",
        path: model.source.path, hint: "sdtool inspect --tensors '*' lists them")
    }
    if by == .tensor, selection.count > 64 {
      throw Fault(
        .drawingModel, "has too many tensors for a panel each", path: model.source.path,
        expected: "at most 64", found: "\(selection.count)",
        hint: "choose some with --tensors PATTERN")
    }
    // In the order of the network, which is not that of the names in a file.
    let order = by == .tensor || by == .all ? [] : names(inOrderFor: by)
    let histograms = try model.source.histograms(of: selection, width: threads)
    var names: [String] = [], groups: [String: WeightHistogram] = [:]
    for (index, histogram) in zip(selection, histograms) {
      let name = groupName(of: index, in: model)
      if groups[name] == nil { names.append(name) }
      groups[name, default: WeightHistogram()].append(histogram)
    }
    let ranks = Dictionary(zip(order, order.indices), uniquingKeysWith: { first, _ in first })
    let places = names.enumerated().map { (ranks[$1] ?? Int.max, $0) }
    names = zip(places, names).sorted { $0.0 < $1.0 }.map(\.1)
    return histogramChart(
      of: names.compactMap { name in groups[name].map { (name, $0) } },
      title: "Weights of \(fileName(of: model.source.path))"
    ).scene(columns: names.count > 9 ? 3 : 2)
  }

  /// The names of panels in the order of the network; none where the file's order is as good.
  private func names(inOrderFor grouping: HistogramGrouping) -> [String] {
    switch grouping {
    case .component: Component.allCases.map(\.title)
    case .place: Place.allCases.map(\.description)
    default: Role.allCases.flatMap { [$0.className, $0.className + " bias"] }
    }
  }

  /// The panel that a tensor belongs to.
  private func groupName(of index: Int, in model: InspectedModel) -> String {
    if by == .all { return "all tensors" }
    if by == .tensor { return model.source.tensors[index].name.string }
    guard case .parameter(let position) = model.identity.uses[index] else {
      return model.identity.kind == .stableDiffusion1 ? "other tensors" : "all tensors"
    }
    let parameter = model.identity.schema.parameters[position]
    switch by {
    case .component: return parameter.component.title
    case .place: return "\(parameter.place)"
    default: return parameter.role.className + (parameter.slot == .bias ? " bias" : "")
    }
  }
}
