import JSON
import Tensors

/// The tags of several trainings as one table.
///
/// `ss_tag_frequency` is a JSON object with an object for each folder of pictures, in which each tag
/// has the number of pictures that show it (sd-scripts `library/train_util.py`).
struct MergedTags {
  /// The table, as it is stored.
  let text: String

  /// Adds up tables, of which there is at least one; equal ones count once, and what is no table is
  /// left out if there is one.
  init(_ texts: [String]) throws(Fault) {
    var seen: Set<TensorName> = []
    let distinct = texts.filter { seen.insert(TensorName($0)).inserted }
    let tables = distinct.compactMap { (try? JSONValue(parsing: $0))?.object }
    guard distinct.count > 1, let first = tables.first else {
      text = texts[0]
      return
    }
    var merged = first
    for table in tables.dropFirst() {
      for folder in table {
        guard var tags = merged[folder.key]?.object, let others = folder.value.object else {
          if merged[folder.key] == nil { merged[folder.key] = folder.value }
          continue
        }
        for tag in others {
          guard let count = tags[tag.key]?.integer, let other = tag.value.integer else {
            if tags[tag.key] == nil { tags[tag.key] = tag.value }
            continue
          }
          let (sum, overflow) = count.addingReportingOverflow(other)
          tags[tag.key] = .integer(overflow ? .max : sum)
        }
        merged[folder.key] = .object(tags)
      }
    }
    text = try JSONValue.object(merged).serialized()
  }
}
