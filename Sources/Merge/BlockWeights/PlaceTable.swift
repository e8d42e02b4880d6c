public import JSON
public import StableDiffusion
public import Tensors

/// Place by place: the weight, and how many tensors and values it applies to.
///
///     let table = PlaceTable(weights, tensors: tensors)
///     print(table.text)     // a table with a bar for each weight
///     table.json
public struct PlaceTable: Hashable, Sendable {
  /// One place.
  public struct Row: Hashable, Sendable {
    /// The place.
    public let place: Place
    /// What its tensors get, elemental rules aside.
    public let weight: PlaceWeight
    /// What decided the weight.
    public let source: PlaceWeights.Source
    /// How many tensors are there.
    public fileprivate(set) var tensorCount = 0
    /// How many values they have together.
    public fileprivate(set) var parameterCount = 0
    /// How many of the tensors have a weight of their own from an elemental rule.
    public fileprivate(set) var elementalCount = 0
    /// The smallest and the largest of those weights.
    public fileprivate(set) var elementalRange: ClosedRange<Double>?
  }

  /// One tensor that is counted.
  public struct Tensor: Hashable, Sendable {
    /// Its name in a single-file checkpoint.
    public let name: TensorName
    /// Where it is in the network.
    public let place: Place
    /// How many values it has.
    public let elementCount: Int

    /// A tensor to count.
    public init(_ name: TensorName, at place: Place, elementCount: Int) {
      self.name = name
      self.place = place
      self.elementCount = elementCount
    }
  }

  /// The places, in order; `LABEL` only if a tensor is there.
  public let rows: [Row]
  /// The convention by which places were given weights.
  public let dialect: Dialect

  /// Counts `tensors` by place.
  public init(_ weights: TensorWeights, tensors: some Sequence<Tensor>) {
    var rows = Place.allCases.map {
      Row(place: $0, weight: weights.places[$0], source: weights.places.source(of: $0))
    }
    for tensor in tensors {
      let index = Int(tensor.place.rawValue)
      rows[index].tensorCount += 1
      rows[index].parameterCount &+= tensor.elementCount
      guard case .weight(let weight) = weights.weight(for: tensor.name, at: tensor.place),
        .weight(weight) != rows[index].weight
      else { continue }
      rows[index].elementalCount += 1
      let range = rows[index].elementalRange ?? weight...weight
      rows[index].elementalRange = min(range.lowerBound, weight)...max(range.upperBound, weight)
    }
    self.rows = rows.filter { $0.place != .label || $0.tensorCount > 0 }
    dialect = weights.dialect
  }
}

extension PlaceTable {
  /// The table as text, one line for each place, with a heading and a bar for each weight.
  ///
  /// - Parameters:
  ///   - barWidth: the length of a bar for weight 1, in characters.
  ///   - isASCII: whether bars are drawn with `#` only.
  /// - Returns: lines that end with a line break.
  public func text(barWidth: Int = 20, isASCII: Bool = false) -> String {
    let cells = rows.map { row in
      [
        row.place.description, Self.rounded(row.weight), "\(row.source)", "\(row.tensorCount)",
        Self.grouped(row.parameterCount),
        Self.bar(row.weight, width: barWidth, isASCII: isASCII) + row.remark,
      ]
    }
    let heading = ["place", "weight", "from", "tensors", "values", ""]
    let widths = heading.indices.map { column in
      ([heading] + cells).map { $0[column].count }.max() ?? 0
    }
    func line(_ cells: [String]) -> String {
      let padded = cells.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 || column == 2 || column == 5 ? cell + space : space + cell
      }
      return String(padded.joined(separator: "  ").trimmingEnd)
    }
    return ([heading] + cells).map { line($0) + "\n" }.joined()
  }

  /// A weight with at most four decimals.
  private static func rounded(_ weight: PlaceWeight) -> String {
    guard case .weight(let value) = weight, abs(value) < 1e6 else { return weight.description }
    let tenThousandths = (value * 10_000).rounded()
    return spelled(tenThousandths == 0 ? 0 : tenThousandths / 10_000)
  }

  /// `859,520,964`.
  private static func grouped(_ count: Int) -> String {
    var text = ""
    for (index, digit) in "\(count)".reversed().enumerated() {
      if index > 0, index % 3 == 0, digit != "-" { text.append(",") }
      text.append(digit)
    }
    return String(text.reversed())
  }

  /// A bar as long as the weight between 0 and 1, `<` or `>` at an end that it passes.
  static func bar(_ weight: PlaceWeight, width: Int, isASCII: Bool) -> String {
    guard width > 0, case .weight(let value) = weight else { return "" }
    if value < 0 { return "<" }
    let length = min(value, 1) * Double(width)
    let full = Int(length.rounded(.down))
    let eighths = Int(((length - Double(full)) * 8).rounded(.down))
    let partial: [Character] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    var bar = String(repeating: isASCII ? "#" : "█", count: full)
    if isASCII, eighths >= 4 { bar.append("#") }
    if !isASCII, eighths > 0 { bar.append(partial[eighths - 1]) }
    return value > 1 ? bar + ">" : bar
  }

  /// The table as a JSON value: `dialect`, and `places` with one object for each row.
  public var json: JSONValue {
    let places = rows.map { row -> JSONValue in
      var object: JSONObject = ["place": .string(row.place.description)]
      if case .weight(let weight) = row.weight {
        object["weight"] = .double(weight)
      } else {
        object["weight"] = .null
      }
      object["source"] = .string(row.source.description)
      object["tensors"] = .integer(row.tensorCount)
      object["parameters"] = .integer(row.parameterCount)
      if let range = row.elementalRange {
        object["elemental"] = [
          "tensors": .integer(row.elementalCount), "minimum": .double(range.lowerBound),
          "maximum": .double(range.upperBound),
        ]
      }
      return .object(object)
    }
    return ["dialect": .string(dialect.name), "places": .array(places)]
  }
}

extension PlaceTable.Row {
  /// What elemental rules change, after the bar.
  fileprivate var remark: String {
    guard let range = elementalRange else { return "" }
    let weights =
      range.lowerBound == range.upperBound
      ? spelled(range.lowerBound) : "\(spelled(range.lowerBound)) to \(spelled(range.upperBound))"
    return "  (\(elementalCount) of \(tensorCount): \(weights))"
  }
}

extension String {
  /// The text without spaces at its end.
  fileprivate var trimmingEnd: Substring {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return text
  }
}
