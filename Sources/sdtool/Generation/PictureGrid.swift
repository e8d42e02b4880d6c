import Generation
import Pictures
import Tensors

/// The cells of a sheet, and which of them one version of the model makes.
struct PictureGrid {
  private struct Cell {
    let values: [GridAxis.Value]
    /// The number of the version.
    let model: Int
    var request: ImageRequest?
  }

  private let columns: [String]
  private let rows: [String]
  private var cells: [Cell] = []
  /// What is changed about each version of the model.
  private(set) var changes: [[RunnableModel.Change]] = []

  /// All combinations of the values of one or two axes.
  init(_ axes: [GridAxis]) {
    let (across, down) = (axes[0].values, axes.count > 1 ? axes[1].values : [])
    columns = across.map(\.label)
    rows = down.map(\.label)
    var versions: [String: Int] = [:]
    for row in down.isEmpty ? [nil] : down.map(Optional.some) {
      for column in across {
        let values = [column] + (row.map { [$0] } ?? [])
        let changing = values.filter { $0.model != nil }
        let key = changing.map(\.label).joined(separator: "\n")
        if versions[key] == nil {
          versions[key] = changes.count
          changes.append(changing.compactMap(\.model))
        }
        cells.append(Cell(values: values, model: versions[key] ?? 0))
      }
    }
  }

  /// Says what is wanted in each cell.
  mutating func fill(
    _ request: ([GridAxis.Value]) throws(Fault) -> ImageRequest
  ) throws(Fault) {
    for index in cells.indices { cells[index].request = try request(cells[index].values) }
  }

  var cellCount: Int { cells.count }

  /// How often the U-Net runs in all.
  var evaluations: Int { cells.reduce(0) { $0 + ($1.request?.evaluations ?? 0) } }

  /// What each version of the model makes.
  var requests: [[ImageRequest]] {
    changes.indices.map { model in cells.filter { $0.model == model }.compactMap(\.request) }
  }

  /// The sheet of what was made, in the order of ``requests``.
  func sheet(of made: [[[Picture]]]) throws(Fault) -> Picture {
    var next = [Int](repeating: 0, count: changes.count)
    let pictures = cells.map { cell in
      defer { next[cell.model] += 1 }
      return made[cell.model][next[cell.model]][0]
    }
    return try ContactSheet(columns: columns, rows: rows, pictures: pictures).drawn()
  }
}
