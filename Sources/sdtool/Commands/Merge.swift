import ArgumentParser
import Checkpoint
import Inspection
import JSON
import Layouts
import Merge
import Tensors

extension SDTool {
  /// `sdtool merge`: makes one model of several.
  struct Merge: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Merges models, block by block if wanted, into a new one.",
      discussion: """
        Inputs may be of any readable layout; parts correspond by their place in the network, not \
        by name. Values are computed as they are written, so that memory stays small and nothing \
        stands under the output's name before it is complete. The same merge gives the same bytes \
        on every machine and for any number of threads.

        EXAMPLES
          sdtool merge a.safetensors b.safetensors --alpha 0.3 -o c.safetensors
          sdtool merge a.safetensors b.ckpt --mbw GRAD_V --block CLIP=0.2 -o c.safetensors
          sdtool merge inpaint.ckpt custom.safetensors base.ckpt --method add-difference -o d.safetensors
          sdtool merge --recipe recipe.yaml -o e.safetensors
          sdtool merge --plan --json a.safetensors b.safetensors
          sdtool merge --list-methods

        EXIT CODES
          0 merged, 1 --verify found a difference, 2 the merge is impossible or a file is \
        unreadable, 64 wrong usage
        """)

    @Argument(
      help: ArgumentHelp("The models, in the order of the formula's letters.", valueName: "model"))
    var models: [String] = []

    @Option(
      name: [.short, .customLong("output")],
      help: ArgumentHelp("The file or folder to make.", valueName: "path"))
    var output: String?

    @Option(help: ArgumentHelp("The formula, see --list-methods.", valueName: "name"))
    var method: String = "weighted-sum"

    @OptionGroup var weights: MergeWeightOptions
    @OptionGroup var parameters: MergeParameterOptions
    @OptionGroup var policies: MergePolicyOptions
    @OptionGroup var provenance: MergeRecipeOptions

    @Option(
      help: ArgumentHelp(
        "Layout: \(OutputLayout.allCases.map(\.rawValue).joined(separator: ", ")) "
          + "(default: by the suffix of the output).", valueName: "layout"))
    var layout: OutputLayout?

    @Flag(help: "Print what would be done, from headers alone; fail if it cannot be.")
    var plan = false

    @Flag(help: "Name every tensor that is renamed, dropped or only in some models.")
    var list = false

    @Flag(help: "List the methods with their formulas.")
    var listMethods = false

    @Flag(help: "Replace an existing output.")
    var force = false

    @Flag(help: "Write the report as JSON.")
    var json = false

    @Flag(help: "Say nothing.")
    var quiet = false

    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func validate() throws {
      guard !listMethods else { return }
      if provenance.source == nil, models.isEmpty, provenance.verify == nil {
        throw ValidationError("name the models to merge, or a --recipe")
      }
      if provenance.source != nil, !models.isEmpty {
        throw ValidationError("a recipe names its models; leave out \(models[0].sanitized)")
      }
      if provenance.source != nil, !weights.isEmpty || method != "weighted-sum" {
        throw ValidationError("a recipe has its own method and weights")
      }
      if output == nil, !plan, provenance.verify == nil, !provenance.lock {
        throw ValidationError("say where to write with -o, or --plan to see what would be done")
      }
    }

    var threads: Int { machine.threads ?? availableProcessors }

    func run() throws {
      if listMethods { return Terminal.write(methodLines().joined(separator: "\n") + "\n") }
      let code = try orFail { () throws(Fault) in try execute() }
      if code != .success { throw code }
    }

    private func execute() throws(Fault) -> ExitCode {
      let recipe = try recipe()
      var sources: [String: any TensorSource] = [:]
      for model in recipe.models {
        sources[model.name] = try openModel(path: model.path ?? "", variant: policies.variant)
      }
      let planned = try RecipePlan(recipe, models: sources, width: threads)
      var report = MergeReport(
        recipe: planned, output: output, threads: threads, listsAll: list)
      guard !plan else {
        try show(report)
        return .success
      }
      try fail(of: planned.problems)
      if provenance.lock {
        try lock(planned)
        return .success
      }
      if let path = provenance.verify {
        for model in recipe.models {
          try sources[model.name]?.verifyChecksums(width: threads)
        }
        return try verify(planned, path) ? .success : .findings
      }
      guard let output else { return .success }
      try planned.checkOutput(output, replacing: force)
      let (written, seconds) = try write(planned, to: output)
      report.recipe = written
      guard !quiet else { return .success }
      let done = (seconds: seconds, source: written.result)
      if json {
        Terminal.write(try report.json(done: done).serialized(pretty: true) + "\n")
      } else {
        let lines = report.lines(width: text.width, style: text.style, done: done)
        Terminal.write(lines.joined(separator: "\n") + "\n")
      }
      return .success
    }

    /// What the options, or a file, say is to be merged.
    private func recipe() throws(Fault) -> Recipe {
      var recipe: Recipe
      if let path = provenance.replays(withModels: models) {
        recipe = try provenance.replayed(path, threads: threads)
      } else if let path = provenance.recipe {
        recipe = try Recipe(reading: path, presets: weights.library())
      } else {
        _ = try MergeMethods.named(method)
        let names = models.indices.map { Self.name(of: $0) }
        var step = Recipe.Step("result", method: method, inputs: names)
        try parameters.apply(to: &step, weights: weights)
        recipe = Recipe(
          models: zip(names, models).map { Recipe.Model($0, path: $1) }, steps: [step])
      }
      try policies.apply(to: &recipe)
      return try recipe.checked()
    }

    /// What the formula's models are called: A to Z, then M27 and so on.
    private static func name(of index: Int) -> String {
      index < 26 ? String(UnicodeScalar(UInt8(ascii: "A") + UInt8(index))) : "M\(index + 1)"
    }

    /// Prints the plan.
    private func show(_ report: MergeReport) throws(Fault) {
      if json {
        Terminal.write(try report.json(done: nil).serialized(pretty: true) + "\n")
      } else if !quiet {
        let lines = report.lines(width: text.width, style: text.style, done: nil)
        Terminal.write(lines.joined(separator: "\n") + "\n")
      }
      if let output { try report.recipe.checkOutput(output, replacing: force) }
      try fail(of: report.recipe.problems)
    }

    /// Prints the recipe with all hashes; writes it if an output is named.
    private func lock(_ planned: RecipePlan) throws(Fault) {
      let hashes = try provenance.hashes(of: planned, threads: threads)
      let locked = try planned.recipe.locked { hashes[$0.name] ?? "" }
      guard let output else { return Terminal.write(locked.yaml) }
      let bytes = Array(locked.yaml.utf8)
      let file = try OutputFile(path: output, byteCount: bytes.count, replacing: force)
      try unsafe file.write(bytes.span.bytes, at: 0)
      try file.commit()
    }

    /// Prints all problems but the first, and throws that.
    private func fail(of problems: [Fault]) throws(Fault) {
      guard let first = problems.first else { return }
      for problem in problems.dropFirst() {
        Terminal.writeError("sdtool: " + problem.description.sanitized)
      }
      throw first
    }

    /// Writes the merged model, again with some tensors in F32 if that is wanted and needed.
    private func write(
      _ planned: RecipePlan, to output: String
    ) throws(Fault) -> (plan: RecipePlan, seconds: Double) {
      var planned = planned
      var writer = ModelWriter(layout: layout ?? OutputLayout(path: output))
      writer.replacing = force
      writer.width = threads
      // Hashing the inputs costs more processor time than merging them, which mostly waits for the
      // disk: both go on at once, and the hashes are written last.
      let hashes = reading(planned)
      let metadata = try provenance.metadata(
        of: planned, output: output, hashes: provenance.placeholders(for: planned))
      var isRetry = false
      while true {
        let progress = Progress(
          total: planned.plan.bytesToWrite, isShown: !quiet && !json, label: "writing")
        do throws(Fault) {
          try writer.write(
            planned.result, to: output, metadata: metadata, progress: progress.add
          ) { () throws(Fault) in
            try provenance.metadata(of: planned, output: output, hashes: try hashes.value())
          }
          return (planned, progress.finish())
        } catch {
          _ = progress.finish()
          // A damaged archive explains odd values better than these do.
          _ = try hashes.value()
          guard error.rule == .mergeOverflow, planned.recipe.policies.overflow == .keepF32,
            !isRetry
          else { throw error }
          isRetry = true
          let wide = try planned.result.overflowingTensors(width: threads)
          planned = planned.storingSingles(wide, width: threads)
        }
      }
    }

    /// Begins to read the models whole: compares what archives say about their contents, and hashes
    /// what is recorded or pinned.
    private func reading(_ planned: RecipePlan) -> Pending<[String: String]> {
      let provenance = provenance
      let threads = threads
      let models = planned.recipe.models
      return Pending { () throws(Fault) in
        for model in models {
          try planned.models[model.name]?.verifyChecksums(width: threads)
        }
        guard !provenance.noRecipe || models.contains(where: { $0.sha256 != nil }) else {
          return [:]
        }
        return try provenance.hashes(of: planned, threads: threads)
      }
    }

    private func methodLines() -> [String] {
      var table = TextTable([.init("method"), .init("models"), .init("computes", shrinks: true)])
      for method in MergeMethods.all {
        let inputs =
          method.inputs.names.joined(separator: ", ") + (method.inputs.isOpen ? ", …" : "")
        table.append(["\(method.name, .name)", "\(inputs)", "\(method.formula)"])
      }
      return table.lines(width: text.width, style: text.style)
    }
  }
}
