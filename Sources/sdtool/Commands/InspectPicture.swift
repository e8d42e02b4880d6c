import Generation
import Inspection
import JSON
import Pictures
import Tensors

extension SDTool.Inspect {
  /// Says how pictures were made.
  func inspect(_ paths: [String]) throws {
    try orFail { () throws(Fault) in
      var values: [JSONValue] = []
      for (index, path) in paths.enumerated() {
        let texts = try PictureTexts(path: path)
        let parameters = texts["parameters"].map { PictureParameters(reading: $0) }
        if models.json {
          values.append(value(of: texts, parameters, path))
        } else {
          Terminal.write((index > 0 ? "\n" : "") + lines(of: texts, parameters, path))
        }
      }
      guard models.json else { return }
      let value = values.count == 1 ? values[0] : .array(values)
      Terminal.write(try value.serialized(pretty: true) + "\n")
    }
  }

  private func lines(
    of texts: PictureTexts, _ parameters: PictureParameters?, _ path: String
  ) -> String {
    let style = text.style
    let title: StyledText =
      "\(path, .strong)  PNG picture, \(texts.width) × \(texts.height) pixels"
    var lines = [title.rendered(style)]
    func add(_ rows: [(String, String)]) {
      guard !rows.isEmpty else { return }
      var table = TextTable([.init(""), .init("")])
      for (name, value) in rows { table.append(["\(name, .name)", "\(value.sanitized)"]) }
      lines += table.lines(width: text.listWidth, style: style)
    }
    if let parameters {
      var rows = [("Prompt", parameters.prompt)]
      if !parameters.negativePrompt.isEmpty {
        rows.append(("Negative prompt", parameters.negativePrompt))
      }
      add(rows + parameters.fields.map { ($0.name, $0.value) })
    }
    let others = texts.entries.filter { $0.key != "parameters" }
    add(others.map { ($0.key, $0.value) })
    if parameters == nil, others.isEmpty { lines.append("no text says how it was made") }
    return lines.joined(separator: "\n") + "\n"
  }

  private func value(
    of texts: PictureTexts, _ parameters: PictureParameters?, _ path: String
  ) -> JSONValue {
    var object: JSONObject = [
      "path": .string(path), "kind": "picture", "width": .integer(texts.width),
      "height": .integer(texts.height),
      "texts": .object(JSONObject(texts.entries.map { ($0.key, .string($0.value)) })),
    ]
    if let parameters {
      object["parameters"] = [
        "prompt": .string(parameters.prompt),
        "negative_prompt": .string(parameters.negativePrompt),
        "settings": .object(
          JSONObject(parameters.fields.map { ($0.name, .string($0.value)) })),
      ]
    }
    return .object(object)
  }
}
