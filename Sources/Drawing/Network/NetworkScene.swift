import Inspection
public import StableDiffusion

extension Scene {
  /// How a picture of the network is arranged.
  public enum Arrangement: Hashable, Sendable {
    /// Everything side by side: 1.3 times as wide as high.
    case wide
    /// One component below the other, for screens that are higher than wide.
    case narrow
  }

  /// The network of a schema: text encoder, U-Net with its skip connections, VAE.
  ///
  ///     Scene.network(.sd15).svg(theme: .light)
  ///
  /// - Parameters:
  ///   - schema: the network.
  ///   - title: what the picture is called.
  ///   - resolution: the size of the picture that the shapes are for.
  ///   - coloring: what fields are coloured by; their kind if `nil`.
  ///   - arrangement: how the parts are arranged.
  /// - Returns: the picture.
  public static func network(
    _ schema: Schema, title: String = "Stable Diffusion 1.5",
    resolution: Resolution = .standard, coloring: Coloring? = nil,
    arrangement: Arrangement = .wide
  ) -> Scene {
    let plan = NetworkPlan(schema, at: resolution)
    let fields = Component.allCases.flatMap { plan.stages(of: $0) }.flatMap(\.modules)
      .map(\.node.parameters)
    let coloring = coloring?.fitted(to: fields)
    let panels = NetworkPanels(
      plan: plan, box: StageBox(plan: plan, coloring: coloring), isNarrow: arrangement == .narrow)
    let total = schema.parameters.reduce(0) { $0 &+ $1.elementCount }
    let remark =
      "\(Written.count(total)) values · a picture of \(resolution) pixels"
      + (arrangement == .wide ? coloring.map { " · coloured by \($0.title)" } ?? "" : "")
    let summary =
      "The text encoder with \(Dimensions.textLayers) layers, the U-Net with 12 stages down, one "
      + "in the middle and 12 up, joined by skip connections, and the VAE; with shapes, numbers of "
      + "values and normalisations."
    let text = panels.textEncoder(), unet = panels.unet(), vae = panels.vae()
    let res = panels.anatomy(
      of: "ResNetBlock", "Inside Res",
      formula: "skip(x) + conv(SiLU(norm(conv(SiLU(norm x)) + time)))",
      width: vae.size.width)
    let attention = panels.anatomy(
      of: "SpatialTransformer", "Inside Attn",
      formula: "self-attention, attention to the prompt, feed-forward; each added to its input",
      width: vae.size.width)
    let inside = [res, attention].compactMap { $0 }
    let columns: [[Panel]] =
      arrangement == .wide ? [[text], [unet], [vae] + inside] : [[unet, text, vae] + inside]
    return arranged(
      columns, title: title, remark: remark, summary: summary,
      legend: Legend(coloring: coloring), isNarrow: arrangement == .narrow)
  }

  private static func arranged(
    _ columns: [[Panel]], title: String, remark: String, summary: String, legend: Legend,
    isNarrow: Bool
  ) -> Scene {
    let margin = isNarrow ? 8.0 : 28.0, gap = 14.0, top = isNarrow ? 66.0 : 82.0
    var items: [Item] = []
    var x = margin
    func height(_ panels: ArraySlice<Panel>) -> Double {
      panels.reduce(-gap) { $0 + $1.size.height + gap }
    }
    let bottom = top + (columns.map { height($0[...]) }.max() ?? 0)
    for column in columns {
      var y = top
      for (index, panel) in column.enumerated() {
        // The last panel of each column ends where the longest column does.
        let isLast = index == column.count - 1
        items += (isLast ? panel.stretched(to: bottom - y) : panel).moved(to: Point(x, y))
        y += panel.size.height + gap
      }
      x += (column.map(\.size.width).max() ?? 0) + gap
    }
    let width = x - gap + margin
    let room = width - 2 * margin
    let legendItems = legend.items(x: margin, y: bottom + 18, width: room)
    var scene = Scene(
      title, summary: summary, size: Size(width, bottom + 18 + legendItems.height + margin - 4))
    let baseline = isNarrow ? 32.0 : 46.0
    scene.items = [
      .label(
        Label(
          FontMetrics.fitted(title, .title, to: room), at: Point(margin, baseline), .title)),
      .label(
        Label(
          FontMetrics.fitted(remark, .body, to: room), at: Point(margin, baseline + 20), .body,
          paint: .token(.muted))),
    ]
    scene.items += items + legendItems.items
    return scene
  }
}
