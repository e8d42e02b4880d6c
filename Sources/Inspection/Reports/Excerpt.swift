import Tensors

/// The findings of one rule in one file, as far as they are shown.
struct Excerpt {
  /// A finding, and what to do about it if the next one does not say the same.
  struct Item {
    let fault: Fault
    let hint: String?
  }

  /// The findings that are shown; at least one.
  let items: [Item]
  /// How many there are.
  let count: Int

  /// How many are not shown.
  var restCount: Int { count - items.count }

  /// The first `limit` of `group`, or all of them.
  ///
  /// A single finding left over takes no more room than the line that would stand for it.
  init(_ group: ArraySlice<Fault>, limit: Int?) {
    let limit = limit.map { max(1, $0) } ?? group.count
    let shown = limit >= group.count - 1 ? group : group.prefix(limit)
    items = zip(shown, shown.dropFirst().map(\.hint) + [nil]).map { fault, next in
      Item(fault: fault, hint: fault.hint == next ? nil : fault.hint)
    }
    count = group.count
  }

  /// `… and 683 more`, if there are more.
  var remark: String? { restCount > 0 ? "… and \(Written.count(restCount)) more" : nil }
}
