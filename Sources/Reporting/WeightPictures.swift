public import Drawing
import Inspection
public import Merge
import StableDiffusion

extension PlaceTable {
  /// The weight of each place as a bar.
  ///
  /// - Parameter name: what the weights are called, if they have a name.
  /// - Returns: the chart.
  public func barChart(named name: String?) -> BarChart {
    let words = name.map { $0.contains(",") ? "Block weights" : $0 } ?? "Block weights"
    var chart = BarChart(
      words, remark: "weight of the second model at each place; dialect \(dialect.name)")
    chart.bars = rows.map { row in
      let values = Written.count(row.parameterCount, "value")
      let tooltip = "\(row.place): \(row.weight), from \(row.source); \(values)"
      switch row.weight {
      case .weight(let weight):
        return BarChart.Bar(
          "\(row.place)", weight, label: Self.short(weight), tooltip: tooltip)
      case .kept: return BarChart.Bar("\(row.place)", nil, label: "keep", tooltip: tooltip)
      }
    }
    return chart
  }

  /// At most two digits, none that says nothing: `1`, `0.5`, `0.25`.
  private static func short(_ weight: Double) -> String {
    var text = Written.decimal(weight, digits: 2)
    while text.hasSuffix("0"), text.contains(".") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }
}

/// Presets side by side, with a bar for each of the 25 blocks.
///
/// - Parameters:
///   - presets: what is shown, in reading order.
///   - title: what the picture is called.
/// - Returns: the picture.
public func presetGrid(of presets: [Preset], title: String) -> Scene {
  var grid = BarGrid(
    title,
    remark: "weight of the second model, IN00 to OUT11; lines at 0, 0.5 and 1",
    names: BlockWeights.places.map(\.description))
  grid.cards = presets.map { preset in
    BarGrid.Card(
      preset.name,
      remark: preset.weights.base.map { "BASE \(Written.decimal($0, digits: 2))" } ?? "",
      values: preset.weights.blocks)
  }
  return grid.scene(columns: presets.count <= 4 ? min(2, presets.count) : 3)
}
