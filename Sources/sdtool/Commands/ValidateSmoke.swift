import Checkpoint
import Inference
import Inspection
import Merge
import Tensors

extension SDTool.Validate {
  /// The report with what running the models that can be read shows.
  func smokeTested(_ report: ValidationReport) throws(Fault) -> ValidationReport {
    let runtime = try Runtime(threads: machine.threads ?? availableProcessors)
    let files = report.files.map { file in
      guard file.unreadable == nil else { return file }
      Terminal.showStatus(file.path)
      defer { Terminal.clearStatus() }
      var faults: [Fault] = []
      var title = file.title
      do throws(Fault) {
        let source = try openModel(path: file.path, variant: variant)
        let test = try SmokeTest(source, runtime: runtime)
        let inputs = smokeTests(ofInputs: source, runtime)
        faults = test.faults + test.differences(from: inputs)
        if !inputs.isEmpty {
          title += ", compared with " + inputs.map(\.name).joined(separator: " and ")
        }
      } catch { faults = [error] }
      // What is missing was found already.
      let isKnown = file.findings.contains { $0.severity >= .error }
      faults.removeAll { isKnown && ($0.rule == .missingWeight || $0.rule == .unusableWeight) }
      return FileReport(
        path: file.path, title: title, findings: file.findings + faults, seconds: file.seconds)
    }
    return ValidationReport(version: report.version, files: files, baseline: report.baseline)
  }

  /// The models that a merge was made of, as far as its metadata name them and their files, known by
  /// their hashes, lie in the same folder or in one of `--inputs`.
  private func smokeTests(
    ofInputs source: any TensorSource, _ runtime: Runtime
  ) -> [(name: String, test: SmokeTest)] {
    let texts = Dictionary(
      source.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    guard let imported = try? ImportedRecipe(metadata: texts) else { return [] }
    let own = source.path.lastIndex(of: "/").map { String(source.path[..<$0]) } ?? "."
    var cache = HashCache(environment: Terminal.environment)
    defer { cache.save() }
    var tests: [(name: String, test: SmokeTest)] = []
    for model in imported.recipe.models {
      guard let path = model.path, let hash = model.sha256 else { continue }
      let name = path.split(separator: "/").last.map(String.init) ?? path
      for folder in [own] + inputs {
        guard let file = try? InputFile(path: folder + "/" + name),
          let found = try? cache.sha256(of: [file], width: 1), found == [hash],
          let input = try? openModel(path: file.path),
          let test = try? SmokeTest(input, runtime: runtime), test.faults.isEmpty
        else { continue }
        tests.append((name, test))
        break
      }
    }
    return tests
  }
}
