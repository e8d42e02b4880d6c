import Drawing
import Tensors
import Testing

/// Texts as somebody might put them into a file to do harm.
private let hostile = [
  "<script>window.planted = 1</script>", "\"><img src=x onerror=alert(1)>", "' onload='alert(1)",
  "]]>", "<!--", "&lt;", "\u{1B}[31mred\u{1B}[0m", "a\u{0}b\u{8}\u{FFFE}\u{202E}c", "\u{1F600}\r\n",
]

/// Whether librsvg and cairo are there.
private let canRaster: Bool = {
  do throws(Fault) {
    _ = try Scene("", size: Size(1, 1)).png(theme: .light)
    return true
  } catch { return error.rule != .rasterLibrary }
}()

@Suite("Pictures and their files")
struct SceneTests {
  @Test("text is shown, never obeyed", arguments: hostile)
  func escaping(text: String) {
    var scene = Scene(text, summary: text, size: Size(100, 100))
    scene.items = [
      .group(Group(text + "\n" + text, [.label(Label(text, at: Point(1, 50)))]))
    ]
    for svg in [scene.svg(theme: .dark), scene.inlineSVG(class: text)] {
      #expect(isWellFormed(svg))
      for mark in ["<script", "<img", "<!--", "]]>", "\u{1B}", "\u{0}", "\u{202E}", "onload='"] {
        #expect(!svg.contains(mark))
      }
    }
  }

  @Test("text is legible on everything that it is written on", arguments: Theme.allCases)
  func contrast(theme: Theme) {
    let behind: [Token] = [
      .canvas, .panel, .card, .convolution, .residual, .attention, .resampling, .linear,
      .embedding, .normalization, .absent, .good, .note, .warning, .bad,
    ]
    let ink = theme.color(of: .ink), muted = theme.color(of: .muted)
    for token in behind { #expect(theme.color(of: token).contrast(with: ink) >= 7, "\(token)") }
    for token in [Token.canvas, .panel, .card] {
      #expect(theme.color(of: token).contrast(with: muted) >= 4.5, "\(token)")
    }
    for scale in Scale.allCases {
      for step in 0..<Scale.steps {
        let background = theme.color(of: scale, step: step)
        let found = theme.color(of: .onScale(scale, step)).map { $0.contrast(with: background) }
        #expect((found ?? 0) >= 4.5, "\(scale) \(step)")
      }
    }
    // Marks are no text; WCAG asks for 3 to 1.
    for token in [Token.groupNorm, .layerNorm] {
      for place in [Token.residual, .attention, .normalization, .card] {
        let found = theme.color(of: token).contrast(with: theme.color(of: place))
        #expect(found >= 3, "\(token) on \(place): \(found)")
      }
    }
  }

  @Test("amounts can be told apart without seeing hues", arguments: Theme.allCases)
  func luminance(theme: Theme) {
    let values = (0..<Scale.steps).map { theme.color(of: .amount, step: $0).luminance }
    let falls = theme == .light
    for (a, b) in zip(values, values.dropFirst()) { #expect(falls ? a > b : a < b) }
  }

  @Test(
    "numbers are written in one way",
    arguments: [
      (0.0, "0"), (-0.001, "0"), (12, "12"), (12.5, "12.5"), (-0.25, "-0.25"), (1.005, "1"),
      (3.07, "3.07"), (.infinity, "0"), (.nan, "0"), (1e300, "0"),
    ])
  func coordinates(value: Double, text: String) { #expect(value.coordinate == text) }

  @Test("a text that is too long loses its middle", arguments: [0.0, 5, 40, 90, 1_000])
  func fitted(limit: Double) {
    for text in [
      "model.diffusion_model.input_blocks.1.0.in_layers.0.weight",
      String(repeating: "ж", count: 100_000),
    ] {
      let short = FontMetrics.fitted(text, .body, to: limit)
      #expect(FontMetrics.width(of: short, .body) <= max(limit, 12))
      #expect(short == text || short.contains("…"))
    }
  }

  @Test(
    "PNG has the size that was asked for", .enabled(if: canRaster, "librsvg2-2 is not installed"))
  func png() throws {
    var scene = Scene("x", size: Size(40, 30))
    scene.items = [.label(Label("<&>", at: Point(2, 20)))]
    let bytes = try scene.png(theme: .light, scale: 1.5)
    #expect(bytes.prefix(8) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    #expect(Array(bytes[16..<24]) == [0, 0, 0, 60, 0, 0, 0, 45])
    #expect(try bytes == scene.png(theme: .light, scale: 1.5))
    #expect(try bytes != scene.png(theme: .dark, scale: 1.5))
  }

  @Test(
    "no edge of a PNG is transparent, whatever the size and the scale",
    .enabled(if: canRaster, "librsvg2-2 is not installed"), arguments: [0.7, 1, 1.37, 2])
  func edges(scale: Double) throws {
    for theme in Theme.allCases {
      let bytes = try Scene("x", size: Size(40.3, 30.6)).png(theme: theme, scale: scale)
      // The kind of colours in the file's header: 2 is red, green and blue, 6 has transparency.
      #expect(bytes[25] == 2)
    }
  }

  @Test("a PNG of too many pixels is refused", arguments: [0.0, -1, 40_000, .nan, .infinity])
  func tooLarge(scale: Double) {
    #expect { try Scene("x", size: Size(10, 10)).png(theme: .light, scale: scale) } throws: {
      ($0 as? Fault)?.rule == .rasterFailed
    }
  }
}
