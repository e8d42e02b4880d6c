import Checkpoint
public import Drawing
package import Inspection
import JSON
package import Merge
import StableDiffusion
package import Tensors

/// What a report looks at.
public struct ReportOptions: Sendable {
  /// Whether values are read, or only headers.
  public var readsValues = true
  /// Whether files are hashed, which takes longer than all else; hashes known from before are shown
  /// in any case.
  public var hashes = false
  /// The number of threads.
  public var threads = 1
  /// The variant to prefer in folders, for example `fp16`.
  public var variant: String?
  /// The version of the program.
  public var version = ""
  /// The size of the picture that shapes are for.
  public var resolution = Resolution.standard
  /// Gives the value of an environment variable, which says where known hashes are kept.
  public var environment: @Sendable (String) -> String? = { _ in nil }

  /// Everything but hashes.
  public init() {}
}

/// Everything that a report says about one model.
package struct ModelReport: Sendable {
  /// The open model.
  package let model: InspectedModel
  /// What was asked.
  package let options: ReportOptions
  /// What a validation says.
  package let findings: FileReport
  /// For each tensor what its values are like; `nil` where they were not read.
  package let statistics: [TensorStatistics]?
  /// For each file its SHA-256, where that is known.
  package let sha256: [String?]
  /// For a single file all its hashes, if they were asked for.
  package let hashes: FileHashes?
  /// The recipe in the metadata.
  package let recipe: ImportedRecipe?
  /// Why the recipe cannot be read, if there is one.
  package let recipeFault: Fault?

  /// Reads the model at `path` once.
  ///
  /// - Throws: what opening and reading throw.
  package init(path: String, options: ReportOptions) throws(Fault) {
    try self.init(try InspectedModel(path: path, variant: options.variant), options: options)
  }

  /// Reads an open model once.
  ///
  /// - Throws: what reading throws.
  package init(_ model: InspectedModel, options: ReportOptions) throws(Fault) {
    let source = model.source, path = source.path
    self.model = model
    self.options = options
    var found = source.findings + model.identity.check()
    var unreadable: Fault?
    var statistics: [TensorStatistics]?
    do throws(Fault) {
      if options.readsValues {
        let all = Array(source.tensors.indices)
        let examined = try source.statistics(of: all, width: options.threads)
        found += try checkValues(of: source, selection: all, statistics: examined)
        found += try falseHashes(of: source)
        try source.verifyChecksums(width: options.threads)
        statistics = examined
      }
    } catch {
      unreadable = error.at(path)
    }
    self.statistics = statistics
    findings = FileReport(
      path: path, title: model.title, findings: found.map { $0.at(path) }, unreadable: unreadable)
    var cache = HashCache(environment: options.environment)
    if options.hashes {
      hashes =
        source.files.count == 1
        ? try FileHashes(of: source.files[0], width: options.threads) : nil
      if let hashes {
        sha256 = ["\(hashes.sha256)"]
      } else {
        sha256 = try cache.sha256(of: source.files, width: options.threads)
      }
    } else {
      hashes = nil
      sha256 = source.files.map { cache.known(of: $0) }
    }
    let texts = Dictionary(
      source.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    var recipe: ImportedRecipe?, recipeFault: Fault?
    if texts["sdtool.recipe"] != nil || texts["sd_merge_recipe"] != nil {
      do throws(Fault) { recipe = try ImportedRecipe(metadata: texts) } catch {
        recipeFault = error
      }
    }
    self.recipe = recipe
    self.recipeFault = recipeFault
    try source.checkUnchanged()
  }

  /// The last part of the path.
  package var name: String {
    lastPart(of: model.source.path)
  }
}
