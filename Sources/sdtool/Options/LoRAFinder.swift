import ArgumentParser
import Checkpoint
import Glibc
import Inspection
import LoRA
import Tensors

/// Opens the LoRAs that the command line asks for.
struct LoRAFinder {
  /// Where LoRAs that are named rather than given by path are looked for.
  let folder: String?
  /// A file with presets of block weights.
  let presetFile: String?

  /// The LoRAs with their strengths, in order.
  func open(_ arguments: [String]) throws(Fault) -> [LoRAUse] {
    var uses: [LoRAUse] = []
    for argument in try parsed(arguments) {
      uses.append(LoRAUse(try LoRAFile(path: path(of: argument)), argument.strength))
    }
    return uses
  }

  /// Refuses what no strength can look like, before any LoRA is opened.
  ///
  /// - Throws: `ValidationError`; that a file of presets cannot be read is found later.
  func validate(_ arguments: [String]) throws {
    do throws(Fault) {
      _ = try parsed(arguments)
    } catch {
      guard error.rule == .loraWeights, error.path.isEmpty else { return }
      throw ValidationError(error.sentence)
    }
  }

  private func parsed(_ arguments: [String]) throws(Fault) -> [LoRAArgument] {
    var presets: [String: String] = [:]
    if let presetFile {
      let file = try InputFile(path: presetFile)
      guard file.byteCount <= 1 << 20 else {
        throw Fault(.loraWeights, "is too long for a list of presets", path: presetFile)
      }
      let bytes = try file.read(at: 0, count: file.byteCount)
      presets = LoRAVector.presets(in: String(decoding: bytes, as: UTF8.self))
    }
    var parsed: [LoRAArgument] = []
    for text in arguments { parsed.append(try LoRAArgument(text, presets: presets)) }
    return parsed
  }

  private func path(of argument: LoRAArgument) throws(Fault) -> String {
    let exists = unsafe access(argument.name, F_OK) == 0
    guard argument.isFromPrompt || !exists, let folder else {
      guard argument.isFromPrompt, !exists else { return argument.name }
      throw Fault(
        .fileOperation, "cannot be found by its name alone", path: argument.name,
        hint: "say with --lora-dir in which folder the LoRAs are")
    }
    let names = findModels(in: [folder])
    func bare(_ path: String) -> String {
      let name = path.split(separator: "/").last.map(String.init) ?? path
      return name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    }
    if let path = names.first(where: { bare($0) == argument.name }) { return path }
    if let path = names.first(where: { $0.hasSuffix("/" + argument.name) }) { return path }
    let near = nearest(to: argument.name, in: names.map(bare))
    throw Fault(
      .fileOperation, "is not in \(folder)", path: argument.name,
      hint: near.map { "did you mean \($0)?" } ?? "look at what is there: ls \(folder)")
  }
}
