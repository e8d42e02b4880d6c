import Tensors

// How a pickle is refused.
extension PickleMachine {
  func fault(
    _ rule: Rule, _ message: String, expected: String? = nil, found: String? = nil,
    hint: String? = nil
  ) -> Fault {
    Fault(
      rule, "the pickle " + message, offset: graph.base + start, expected: expected, found: found,
      hint: hint)
  }

  func wrongType(_ what: String, _ value: PickleValue, _ expected: String) -> Fault {
    fault(.pickleType, what + " the wrong kind of value", expected: expected, found: value.kind)
  }

  func truncated() -> Fault {
    fault(
      .pickleTruncated, "ends in the middle of an instruction",
      hint: "the file is truncated or damaged; fetch it again")
  }

  mutating func postpone(
    _ rule: Rule, _ message: String, expected: String? = nil, found: String? = nil
  ) {
    guard deferred == nil else { return }
    deferred = fault(
      rule, message, expected: expected, found: found,
      hint: "it was not written by PyTorch; do not unpickle it")
  }
}
