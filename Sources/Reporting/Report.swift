package import Comparison
package import Inspection
package import JSON
import StableDiffusion
public import Tensors

/// The formats in which models can be reported.
public enum ModelReportFormat: String, CaseIterable, Sendable {
  /// One page with pictures, for a browser.
  case html
  /// For comments and job summaries.
  case markdown
  /// For programs.
  case json
  /// For a person at a terminal.
  case text
}

/// Everything that is known about some models; of two, also how they differ.
///
///     let report = try Report(paths: ["model.safetensors"], options: ReportOptions())
///     try report.rendered(as: .html)
public struct Report: Sendable {
  /// One part for each model.
  package let models: [ModelReport]
  /// How the second of two models differs from the first.
  package let difference: ModelDifference?
  private let options: ReportOptions

  /// Reads the models.
  ///
  /// - Parameters:
  ///   - paths: model files and folders.
  ///   - options: what to look at.
  /// - Throws: what opening and reading throw.
  public init(paths: [String], options: ReportOptions) throws(Fault) {
    var models: [ModelReport] = []
    for path in paths {
      do throws(Fault) {
        models.append(try ModelReport(path: path, options: options))
      } catch { throw error.at(path) }
    }
    try self.init(models, options: options)
  }

  /// The report on models that were read.
  package init(_ models: [ModelReport], options: ReportOptions) throws(Fault) {
    self.models = models
    self.options = options
    difference =
      models.count == 2 && options.readsValues
      ? try ModelDifference.compare(
        models[0].model.source, models[1].model.source, width: options.threads) : nil
  }

  /// Whether every model could be read to its end.
  public var isReadable: Bool { models.allSatisfy { $0.findings.unreadable == nil } }

  /// The report in a format, with a line break at its end.
  ///
  /// - Throws: ``Tensors/Rule/jsonTooLarge`` when JSON would exceed 2 GiB.
  public func rendered(as format: ModelReportFormat) throws(Fault) -> String {
    switch format {
    case .html: document.html(version: options.version)
    case .markdown: document.markdown
    case .json: try json().serialized(pretty: true) + "\n"
    case .text: text(width: 100, style: .plain)
    }
  }

  /// The report for a terminal.
  package func text(width: Int, style: Style) -> String {
    document.lines(width: width, style: style).joined(separator: "\n") + "\n"
  }

  /// The content, before it is written in a format.
  package var document: Document {
    var document = Document(
      title: models.map(\.name).joined(separator: " and "),
      subtitle: models.map(\.model.title).joined(separator: "; "))
    if models.count == 1 { document.highlights = models[0].highlights }
    if let difference {
      document.sections.append(
        difference.section(models[0].model.identity, models[1].model.identity))
    }
    for (index, model) in models.enumerated() {
      let own = model.sections(prefix: models.count > 1 ? "m\(index + 1)-" : "")
      document.sections += own.map { section in
        guard models.count > 1 else { return section }
        var section = section
        section.title = "\(Self.letter(index)): \(section.title)"
        return section
      }
    }
    return document
  }

  /// What a model is called among several, for example `A`.
  private static func letter(_ index: Int) -> String {
    index < 26 ? String(UnicodeScalar(UInt8(65 + index))) : "\(index + 1)"
  }

  /// The report for programs.
  package func json() throws(Fault) -> JSONValue {
    var values: [JSONValue] = []
    for model in models { values.append(try model.json()) }
    var object: JSONObject = [
      "schema": "sdtool-report/1", "tool": ["name": "sdtool", "version": .string(options.version)],
      "models": .array(values),
    ]
    object["difference"] = difference?.json
    return .object(object)
  }
}
