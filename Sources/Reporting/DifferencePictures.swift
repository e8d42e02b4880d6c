public import Comparison
public import Drawing
import Inspection
public import StableDiffusion
public import Tensors

extension Coloring {
  /// How far each parameter of the second model is from the first.
  ///
  /// - Parameters:
  ///   - difference: the models, compared.
  ///   - title: what the numbers are.
  ///   - schema: the network.
  /// - Returns: the colours.
  public static func change(
    _ difference: ModelDifference, title: String = "relative change, ‖B − A‖ ÷ ‖A‖ in %",
    schema: Schema
  ) -> Coloring {
    var samples: [Sample?] = Array(repeating: nil, count: schema.parameters.count)
    for tensor in difference.tensors {
      guard let match = schema.match(tensor.name) else { continue }
      var sample = Sample(tensor.state)
      if let measures = tensor.measures {
        sample.numerator = measures.squaresOfDifference
        sample.denominator = measures.squaresA
      }
      samples[match.parameter] = sample
    }
    var coloring = Coloring.change(title, samples: samples)
    coloring.absent = "in neither model"
    return coloring
  }
}

extension TensorDifference {
  /// Whether the tensor's change is a number.
  var state: Coloring.State {
    guard let measures else { return status == .identical ? .measured : .notCompared }
    if measures.nanCountA > 0 || measures.nanCountB > 0 { return .notANumber }
    return measures.nonFiniteCount > 0 ? .infinite : .measured
  }
}

extension ModelDifference {
  /// Checks that there are places to draw.
  ///
  /// - Throws: ``Rule/drawingModel`` where none of the tensors belongs to Stable Diffusion 1.x.
  public func checkDrawable() throws(Fault) {
    guard places.isEmpty else { return }
    throw Fault(
      .drawingModel, "has no tensors of Stable Diffusion 1.x", path: b.path,
      expected: "Stable Diffusion 1.x", found: b.title)
  }

  /// The relative change at each place and in each kind of layer.
  public var heatMap: HeatMap {
    let shown = Place.allCases.filter { places[$0] != nil }
    var states: [PlaceRole: Coloring.State] = [:]
    for tensor in tensors {
      guard let place = tensor.place, let role = tensor.role else { continue }
      let key = PlaceRole(place, role)
      states[key] = max(states[key] ?? .measured, tensor.state)
    }
    var map = HeatMap(
      "Where the models differ",
      remark: "relative change ‖B − A‖ ÷ ‖A‖ in %",
      rows: shown.map(\.description), columns: Role.allCases.map(\.className),
      values: shown.map { place in
        Role.allCases.map { role in
          guard let group = placeRoles[PlaceRole(place, role)] else { return nil }
          guard group.measures.finiteCount > 0 else { return 0 }
          return group.measures.relativeL2 ?? .infinity
        }
      })
    map.detail = "A \(lastPart(of: a.path)), B \(lastPart(of: b.path))"
    map.states = shown.map { place in
      Role.allCases.map { states[PlaceRole(place, $0)] ?? .measured }
    }
    return map
  }
}

/// Histograms of some values, side by side, each with an axis that shows 99.8 % of its values.
///
/// - Parameters:
///   - groups: for each panel its name and its values.
///   - title: what the picture is called.
/// - Returns: the picture.
public func histogramChart(
  of groups: [(name: String, values: WeightHistogram)], title: String
) -> HistogramChart {
  // What all names begin with is said once: it would take the room of what tells them apart.
  let start = commonStart(of: groups.map(\.name))
  var chart = HistogramChart(
    title,
    remark: "how often values lie where; each axis shows 99.8% of the panel's values"
      + (start.isEmpty ? "" : "; all names begin with \(start)"))
  chart.series = groups.map { name, values in
    let special = values.nanCount + values.infinityCount
    var remark = "\(Written.approximately(values.count)) values"
    if special > 0 { remark += ", \(Written.count(special)) NaN or infinite" }
    let range = shownRange(of: values)
    // The counts are as fine as 1/64 of the values: narrower bars would show steps.
    let width = range.upperBound - range.lowerBound
    let finest = max(abs(range.lowerBound), abs(range.upperBound)) / 64
    let bins = min(96, max(16, Int((width / finest).rounded(.down))))
    return HistogramChart.Series(
      String(name.dropFirst(start.count)), remark: remark, isAlarming: special > 0, range: range,
      counts: values.linear(in: range, bins: bins))
  }
  return chart
}

/// The values from the first to the last thousandth; some room where all are the same.
private func shownRange(of values: WeightHistogram) -> ClosedRange<Double> {
  guard let low = values.quantile(0.001), let high = values.quantile(0.999), low.isFinite,
    high.isFinite, low <= high
  else { return -1...1 }
  let least = max(abs(low), abs(high)) / 50
  guard high - low < least || high == low else { return low...high }
  let room = least > 0 ? least : 1
  return (low - room)...(high + room)
}
