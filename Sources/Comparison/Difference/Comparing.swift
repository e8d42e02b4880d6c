import StableDiffusion
public import Tensors

extension ModelDifference {
  /// Compares two models, reading both once.
  ///
  /// Memory stays at a few megabytes for each thread. Tensors of the same bytes are recognised
  /// without comparing numbers.
  ///
  /// - Parameters:
  ///   - a: the first model, to which distances are relative.
  ///   - b: the second model.
  ///   - width: the number of threads; the result is the same for every number.
  ///   - progress: called with the number of bytes read since the last call, from any thread.
  /// - Returns: the difference of every tensor of either model.
  /// - Throws: ``Tensors/Rule/differentKinds`` or ``Tensors/Rule/nothingInCommon`` if there is
  ///   nothing to compare; what reading throws, and ``Tensors/Rule/fileChanged``.
  public static func compare(
    _ a: any TensorSource, _ b: any TensorSource, width: Int,
    progress: @Sendable (Int) -> Void = { _ in }
  ) throws(Fault) -> ModelDifference {
    let models = [NamedModel(a), NamedModel(b)]
    try checkKinds(models)
    let pass = PairPass(
      models: models, correspondences: Correspondence.all(of: models), pairs: [(0, 1)])
    let findings = try pass.run(width: width, progress: progress)
    return ModelDifference(pass, findings, pair: 0)
  }

  /// What a pass found about one of its pairs.
  init(_ pass: PairPass, _ findings: [PairPass.Finding], pair: Int) {
    let (a, b) = pass.pairs[pair]
    let tensors = zip(pass.correspondences, findings).compactMap {
      (correspondence, finding) -> TensorDifference? in
      func info(_ model: Int) -> TensorInfo? {
        correspondence.tensors[model].map { pass.models[model].source.tensors[$0] }
      }
      let (infoA, infoB) = (info(a), info(b))
      guard infoA != nil || infoB != nil else { return nil }
      return TensorDifference(
        correspondence, infoA, infoB, finding.pairs[pair])
    }
    self.init(pass.models[a].summary, pass.models[b].summary, tensors: tensors)
  }
}

extension TensorDifference {
  fileprivate init(
    _ correspondence: Correspondence, _ a: TensorInfo?, _ b: TensorInfo?, _ finding: PairFinding?
  ) {
    let parameter = correspondence.parameter
    name = correspondence.name
    isOptional = correspondence.isOptional
    self.a = a
    self.b = b
    place = parameter?.place
    component = parameter?.component
    role = parameter?.role
    guard let a, let b else {
      status = a == nil ? .onlyInB : .onlyInA
      return
    }
    guard let finding else {
      status = .misshapen
      return
    }
    let isMeasured = a.dtype.isComparable(with: b.dtype)
    measures = isMeasured ? finding.measures : nil
    if finding.isIdentical {
      status = .identical
    } else if isMeasured, finding.measures.changedCount == 0,
      // Large integers are compared as the nearest single, which may be the same.
      a.dtype != b.dtype || a.dtype.isFloatingPoint || a.dtype == .c64
    {
      status = .equal
    } else {
      status = .changed
    }
  }
}
