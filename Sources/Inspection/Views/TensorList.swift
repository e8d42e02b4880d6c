import Glibc
package import JSON
import StableDiffusion
package import Tensors

/// The tensors of a model, one row each, perhaps with what their values are like.
package struct TensorList: Sendable {
  private let model: InspectedModel
  private let selection: [Int]
  private let statistics: [TensorStatistics]?

  /// The tensors whose names fit `pattern`.
  ///
  /// - Throws: what reading values throws, if `withStatistics`.
  package init(
    _ model: InspectedModel, matching pattern: Glob, withStatistics: Bool, threads: Int
  ) throws(Fault) {
    self.model = model
    selection = model.source.tensors.indices.filter {
      pattern.matches(model.source.tensors[$0].name)
    }
    statistics =
      withStatistics ? try model.source.statistics(of: selection, width: threads) : nil
  }

  /// The table for a terminal.
  package func lines(width: Int, style: Style) -> [String] {
    var columns: [TextTable.Column] = [
      .init("tensor", shrinks: true), .init("type"), .init("shape"), .init("size", .right),
      .init("use"),
    ]
    if statistics != nil {
      columns += [
        .init("min", .right), .init("max", .right), .init("mean", .right), .init("std", .right),
        .init("NaN/Inf", .right),
      ]
    }
    var table = TextTable(columns)
    for (row, index) in selection.enumerated() {
      let tensor = model.source.tensors[index]
      var cells: [StyledText] = [
        "\(tensor.name, .name)", "\(tensor.dtype.name)",
        "\(tensor.shape.map(String.init).joined(separator: "×"))",
        "\(Written.fileSize(tensor.byteCount))", "\(use(of: index), .faint)",
      ]
      if let statistics { cells += Self.cells(of: statistics[row]) }
      table.append(cells)
    }
    let count = "\(Written.count(selection.count)) of \(Written.count(model.source.tensors.count))"
    return table.lines(width: width, style: style) + [style.paint(count + " tensors", .faint)]
  }

  private static func cells(of found: TensorStatistics) -> [StyledText] {
    func number(_ value: Double?) -> StyledText { "\(value.map(Self.short) ?? "–")" }
    let special = found.nanCount + found.infinityCount
    return [
      number(found.minimum), number(found.maximum), number(found.mean),
      number(found.standardDeviation),
      special == 0 ? "\("0", .faint)" : "\(Written.count(special), .bad)",
    ]
  }

  /// Four significant digits.
  package static func short(_ value: Double) -> String {
    let magnitude = value.magnitude
    guard magnitude != 0, magnitude < 0.001 || magnitude >= 100_000 else {
      return Written.decimal(value, digits: magnitude < 10 ? 4 : magnitude < 1000 ? 2 : 0)
    }
    let exponent = Int(log10(magnitude).rounded(.down))
    return Written.decimal(value / pow(10, Double(exponent)), digits: 2) + "e\(exponent)"
  }

  private func use(of index: Int) -> String { model.use(of: index) }

  /// One object for each tensor.
  package var json: JSONValue {
    .array(
      selection.enumerated().map { row, index in
        let tensor = model.source.tensors[index]
        var object: JSONObject = [
          "name": .string(tensor.name.string), "dtype": .string(tensor.dtype.name),
          "shape": .array(tensor.shape.map { .integer($0) }),
          "bytes": .integer(tensor.byteCount), "use": .string(use(of: index)),
        ]
        object["offset"] = model.source.extent(of: index).map { .integer($0.offset) }
        if let found = statistics?[row] {
          object["min"] = found.minimum.map { .double($0) } ?? .null
          object["max"] = found.maximum.map { .double($0) } ?? .null
          object["mean"] = found.mean.map { .double($0) } ?? .null
          object["std"] = found.standardDeviation.map { .double($0) } ?? .null
          object["nan"] = .integer(found.nanCount)
          object["inf"] = .integer(found.infinityCount)
          object["zeros"] = .integer(found.zeroCount)
        }
        return .object(object)
      })
  }
}

extension InspectedModel {
  /// What a tensor is for, in a word or two.
  package func use(of index: Int) -> String {
    switch identity.uses[index] {
    case .parameter(let position):
      let parameter = identity.schema.parameters[position]
      return "\(parameter.place) \(parameter.role.className)"
    case .average: return "EMA"
    case .extra(let extra): return extra.title
    case .repeated: return "repeated"
    case .unexpected: return "unknown"
    case .unmapped: return ""
    }
  }
}
