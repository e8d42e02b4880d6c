import Checkpoint
public import StableDiffusion
package import Tensors

/// What a validation looks at.
public struct ValidationOptions: Sendable {
  /// What the models must be; `nil` takes each for what it is.
  public var expected: Expectation?
  /// The components that must be there and are checked; `nil` for all.
  public var components: [Component]?
  /// Whether values are read, or only headers.
  public var readsValues = true
  /// The variant to prefer in folders, for example `fp16`.
  public var variant: String?

  /// Everything is looked at, whatever the model is.
  public init() {}
}

/// Checks models one after another, each on all threads.
///
/// - Parameters:
///   - paths: the models.
///   - options: what to look at.
///   - version: the version of the program, for the report.
///   - threads: the number of threads.
///   - progress: called with each path before its model is checked.
/// - Returns: a report on every model; one that cannot be read is in it as unreadable.
public func validate(
  _ paths: [String], options: ValidationOptions, version: String, threads: Int,
  progress: (String) -> Void = { _ in }
) -> ValidationReport {
  let files = paths.map { path in
    progress(path)
    return validate(path, options: options, threads: threads)
  }
  return ValidationReport(version: version, files: files)
}

/// Checks one model.
private func validate(_ path: String, options: ValidationOptions, threads: Int) -> FileReport {
  let model: InspectedModel
  do throws(Fault) {
    model = try InspectedModel(path: path, variant: options.variant)
  } catch {
    return FileReport(path: path, unreadable: error.at(path))
  }
  let required = options.components.map { Set($0) }
  var findings = model.source.findings
  findings += model.identity.check(expecting: options.expected, components: required)
  var unreadable: Fault?
  do throws(Fault) {
    if options.readsValues {
      let selection = model.tensors(of: required)
      findings += try checkValues(of: model.source, selection: selection, width: threads)
      findings += try falseHashes(of: model.source)
      try model.source.verifyChecksums(width: threads)
    }
    try model.source.checkUnchanged()
  } catch {
    unreadable = error.at(path)
  }
  return FileReport(
    path: path, title: model.title, findings: findings.map { $0.at(path) }, unreadable: unreadable)
}

/// The hashes in the metadata that are not those of the contents.
package func falseHashes(of source: any TensorSource) throws(Fault) -> [Fault] {
  try source.hashClaims().filter { !$0.isTrue }.map { claim in
    Fault(
      .falseHash, "states a hash in its metadata ('\(claim.key)') that its contents do not have",
      path: source.path, expected: claim.computed, found: claim.claimed,
      hint: "the file was edited after the hash was made, or the hash was copied from elsewhere")
  }
}

extension InspectedModel {
  /// The tensors of some components, or all.
  fileprivate func tensors(of components: Set<Component>?) -> [Int] {
    guard let components else { return Array(source.tensors.indices) }
    return source.tensors.indices.filter { index in
      switch identity.uses[index] {
      case .parameter(let position):
        components.contains(identity.schema.parameters[position].component)
      case .extra(.positionIDs): components.contains(.textEncoder)
      default: false
      }
    }
  }
}
