import Comparison
import Drawing
import Foundation
import Inspection
import JSON
import Merge
import Reporting
import SafeTensors
import StableDiffusion
import Synthesis
import Tensors
import TestSupport
import Testing

/// A report on open models.
func report(_ sources: [any TensorSource], threads: Int = 2, quick: Bool = false) throws -> Report {
  var options = ReportOptions()
  options.threads = threads
  options.readsValues = !quick
  options.version = "1.2.3"
  return try Report(
    sources.map { source in try ModelReport(InspectedModel(source), options: options) },
    options: options)
}

@Suite("Reports on models")
struct ReportTests {
  @Test("text out of files is shown, never obeyed", arguments: ModelReportFormat.allCases)
  func injection(format: ModelReportFormat) throws {
    let text = try report([PlantedSource()]).rendered(as: format)
    // In JSON, text and Markdown's code, angle brackets are letters like others.
    let forbidden =
      format != .html
      ? ["\u{1B}", "\u{7}"] : PlantedSource.forbidden
    for mark in forbidden {
      let stands = text.contains(mark)
      #expect(!stands, "\(mark.debugDescription)")
    }
    if format == .html {
      #expect(text.contains("&lt;script&gt;window"))
      #expect(text.components(separatedBy: "<script>").count == 2)
    }
  }

  @Test("the same model gives the same bytes on any number of threads")
  func deterministic() throws {
    let source = try PlantedSource()
    for format in ModelReportFormat.allCases {
      let one = try report([source], threads: 1).rendered(as: format)
      #expect(try one == report([source], threads: 4).rendered(as: format))
    }
  }

  @Test("the page allows its own style sheet and script, and nothing else")
  func policy() throws {
    let page = try report([PlantedSource()], quick: true).rendered(as: .html)
    #expect(page.contains("default-src 'none'; style-src 'sha256-"))
    #expect(!page.contains("unsafe-inline"))
    #expect(!page.contains(" style=\"") && !page.contains(" onclick="))
    for address in ["http://", "https://", "src=\"", "@import", "url("] {
      let outside = page.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
      #expect(!outside.contains(address), "\(address)")
    }
  }

  @Test("NaN is counted, and drawn where it is")
  func notANumber() throws {
    var source = try PlantedSource()
    let name: TensorName = "model.diffusion_model.middle_block.0.in_layers.2.weight"
    source.spoiled = source.tensors.firstIndex { $0.name == name }
    #expect(source.spoiled != nil)
    let full = try report([source])
    #expect(full.models[0].findings.findings.contains { $0.tensor == name })
    let page = try full.rendered(as: .html)
    #expect(page.contains("Where the findings are") && page.contains("holds NaN"))
    let value = try full.json()
    let listed = value["models"]?.array?[0]["tensor_list"]?.array?[source.spoiled ?? 0]
    #expect(listed?["nan"]?.integer == source.tensors[source.spoiled ?? 0].elementCount)
  }

  @Test("two models are compared, also when they are of different kinds")
  func difference() throws {
    let a = SyntheticModel(preset: .sd15Tiny, seed: 1, dtype: .f16)
    let b = SyntheticModel(preset: .sd15Tiny, seed: 2, dtype: .f16)
    let page = try report([a, b]).rendered(as: .html)
    #expect(page.contains("How far B is from A") && page.contains("Where the models differ"))
    let same = try report([a, a]).rendered(as: .markdown)
    #expect(same.contains("byte for byte"))
    // A LoRA has no tensor in common with a checkpoint: the report says so, or a sentence does.
    let lora = SyntheticModel(preset: .loraTiny, seed: 1, dtype: .f16)
    do {
      let other = try report([a, lora]).rendered(as: .html)
      #expect(other.contains("Difference"))
    } catch let fault as Fault { #expect(!fault.message.isEmpty) }
    #expect(try report([lora]).rendered(as: .html).contains("LoRA"))
  }

  @Test("NaN and missing tensors are marked in pictures of a difference, and said in words")
  func notCompared() throws {
    let name: TensorName = "model.diffusion_model.middle_block.0.in_layers.2.weight"
    // Every 50th tensor has another name, so that both models lack some of the other's.
    var source = try PlantedSource()
    source.spoiled = source.tensors.firstIndex { $0.name == name }
    let base = SyntheticModel(preset: .sd15Tiny, seed: 5, dtype: .f16)
    let two = try report([base, source])
    let difference = try #require(two.difference)
    let network = Scene.network(
      two.models[0].model.identity.schema,
      coloring: .change(difference, schema: two.models[0].model.identity.schema)
    ).svg(theme: .light)
    for svg in [network, difference.heatMap.scene.svg(theme: .light)] {
      #expect(svg.contains(">NaN<") && svg.contains(">not compared<"))
      #expect(svg.contains("NaN: holds what is not a number"))
      #expect(svg.contains("not compared: missing or of another shape"))
    }
    for format in [ModelReportFormat.html, .markdown, .text] {
      let text = try two.rendered(as: format).replacingOccurrences(of: "\n  ", with: " ")
      #expect(text.contains("1 tensor with NaN or infinities"), "\(format)")
      #expect(text.contains("tensors missing in B"), "\(format)")
      if format != .html { #expect(text.contains("M00")) }
    }
    let same = try report([base, SyntheticModel(preset: .sd15Tiny, seed: 6, dtype: .f16)])
    let clean = try #require(same.difference).heatMap.scene.svg(theme: .light)
    #expect(!clean.contains("not compared") && !clean.contains("NaN"))
    #expect(try !same.rendered(as: .text).contains("Not compared"))
  }

  @Test("where nothing can be compared, no number says how far models are apart")
  func nothingCompared() throws {
    var source = try PlantedSource()
    let base = SyntheticModel(preset: .sd15Tiny, seed: 5, dtype: .f16)
    source.spoiled = source.tensors.firstIndex { $0.name == "out.2.weight" } ?? 0
    let difference = try ModelDifference.compare(base, source, width: 2)
    #expect(difference.markdown(top: 0).contains("relative L2 –, cosine –, greatest difference –"))
  }

  @Test("sentences in a text report are whole")
  func sentences() throws {
    var source = try PlantedSource()
    source.spoiled = 3
    let text = try report([source]).text(width: 80, style: .plain)
    let findings = try #require(text.range(of: "\nFindings\n")), rest = text[findings.upperBound...]
    let part = rest.components(separatedBy: "\n\n")[0]
    // Names of tensors may be cut; what is found and what to do are not.
    let words = part.replacingOccurrences(of: "\n", with: " ").split(separator: " ")
    #expect(words.contains("undamaged") && words.contains("black;"))
    #expect(part.split(separator: "\n").allSatisfy { $0.count <= 82 })
  }

  @Test("a recipe becomes a graph, and a forged one no endless loop")
  func recipe() throws {
    let hash = String(repeating: "a", count: 64), other = String(repeating: "b", count: 64)
    let recipe =
      "{\"type\":\"webui\",\"primary_model_hash\":\"\(hash)\",\"secondary_model_hash\":\"\(other)\","
      + "\"interp_method\":\"Weighted sum\",\"multiplier\":0.5}"
    let ancestors =
      "{\"\(hash)\":{\"name\":\"<b>one</b>.ckpt\",\"sd_merge_recipe\":{\"primary_model_hash\":\"\(other)\"}},"
      + "\"\(other)\":{\"name\":\"two\",\"sd_merge_recipe\":{\"primary_model_hash\":\"\(hash)\"}}}"
    let source = try PlantedSource(metadata: [
      MetadataEntry(key: "sd_merge_recipe", value: recipe),
      MetadataEntry(key: "sd_merge_models", value: ancestors),
    ])
    let page = try report([source], quick: true).rendered(as: .html)
    #expect(page.contains("How it was merged") && page.contains("weighted-sum"))
    for format in [ModelReportFormat.markdown, .text] {
      let words = try report([source], quick: true).rendered(as: format)
      #expect(words.contains("weighted-sum, α 0.5"), "\(format)")
    }
    #expect(!page.contains("<b>one"))
    let broken = try PlantedSource(metadata: [.init(key: "sd_merge_recipe", value: "{")])
    #expect(try report([broken], quick: true).rendered(as: .text).contains("cannot be shown"))
  }

  @Test("a file that changes while it is read is noticed")
  func changing() throws {
    let folder = TemporaryFolder()
    let path = folder.write(contents(of: Fixtures.path("diff/a.safetensors")), to: "a.safetensors")
    let open = try SafeTensorsFile(InputFile(path: path))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_000_000)], ofItemAtPath: path)
    let fault = #expect(throws: Fault.self) { try report([open]) }
    #expect(fault?.rule == .fileChanged)
  }

  @Test("element types and findings colour the network")
  func colorings() throws {
    let source = SyntheticModel(preset: .sd15Tiny, seed: 1, dtype: .f16)
    let identity = InspectedModel(source).identity
    let svg = Scene.network(identity.schema, coloring: .types(of: identity)).svg(theme: .light)
    #expect(svg.contains(">F16<"))
    let fault = Fault(.allZero, "holds nothing", severity: .error, tensor: "out.2.weight")
    let text = Scene.network(
      identity.schema, coloring: .findings([fault], identity: identity)
    ).svg(theme: .light)
    #expect(text.contains(">no finding<") && text.contains(">error<"))
  }
}
