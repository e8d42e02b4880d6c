import Inspection
import StableDiffusion
import Tensors

extension ModelDifference {
  /// One line for each tensor, as RFC 4180 has it, with a heading.
  ///
  /// Control characters in names are replaced by their pictures, so that the text can be shown.
  public var csv: String {
    Self.csvHeading + tensors.map { Self.line($0, []) }.joined()
  }

  fileprivate static let csvColumns = [
    "name", "component", "place", "role", "status", "name_a", "name_b", "dtype_a", "dtype_b",
    "shape_a", "shape_b", "values", "changed_values", "relative_l2", "rms", "max_abs", "cosine",
    "sign_flips", "mean_ulp", "max_ulp", "nan_a", "nan_b", "infinite_a", "infinite_b",
  ]

  private static var csvHeading: String { csvLine(csvColumns) }

  fileprivate static func line(_ tensor: TensorDifference, _ more: [String]) -> String {
    func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
    func shape(_ info: TensorInfo?) -> String {
      info.map { $0.shape.map(String.init).joined(separator: "x") } ?? ""
    }
    var cells = [
      tensor.name.string, tensor.component?.rawValue ?? "", tensor.place?.description ?? "",
      tensor.role?.rawValue ?? "", tensor.status.rawValue, tensor.a?.name.string ?? "",
      tensor.b?.name.string ?? "", tensor.a?.dtype.name ?? "", tensor.b?.dtype.name ?? "",
      shape(tensor.a), shape(tensor.b),
    ]
    if let found = tensor.measures {
      cells += [
        "\(found.valueCount)", "\(found.changedCount)", text(found.relativeL2),
        text(found.rootMeanSquare), text(found.maximumDifference), text(found.cosine),
        "\(found.signFlipCount)", text(found.meanULP), found.maximumULP.map { "\($0)" } ?? "",
        "\(found.nanCountA)", "\(found.nanCountB)", "\(found.infinityCountA)",
        "\(found.infinityCountB)",
      ]
    } else {
      cells += Array(repeating: "", count: csvColumns.count - cells.count)
    }
    return csvLine(more + cells)
  }
}

extension ThreeWayDifference {
  /// Two lines for each tensor, one for each model that is compared with the first, with a heading.
  public var csv: String {
    var text = csvLine(["against", "change_cosine"] + ModelDifference.csvColumns)
    for (letter, difference) in [("b", b), ("c", c)] {
      for tensor in difference.tensors {
        let cosine = tensors[tensor.name]?.cosine.map { "\($0)" } ?? ""
        text += ModelDifference.line(tensor, [letter, cosine])
      }
    }
    return text
  }
}

/// One line of comma-separated values.
func csvLine(_ cells: [String]) -> String {
  cells.map { cell in
    let text = cell.sanitized
    guard text.contains(",") || text.contains("\"") else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }.joined(separator: ",") + "\r\n"
}
