import LoRA
import Tensors

/// What became of one module.
public struct ModuleEdit: Sendable {
  /// The module and the shape of its weight.
  public let target: OutputTarget
  /// The rank of the exact change: of all factors together.
  public let rankBefore: Int
  /// The rank that is written; 0 if the module is not.
  public let rank: Int
  /// ‖ΔW‖² of the exact change.
  public let energy: Double
  /// ‖ΔW − ΔW'‖² of what is written: what the rank leaves out, which stands at right angles to the
  /// rest, and ``rounding``.
  public let lost: Double
  /// The squared norm of what rounding to the type that is written changes.
  public let rounding: Double
  /// What is written.
  let tensors: [OutputTensor]
  /// Whether α is the rank.
  let hasPlainAlpha: Bool

  init(
    target: OutputTarget, rankBefore: Int, rank: Int, energy: Double, lost: Double,
    written: OutputModule?, vectors: [OutputTensor]
  ) {
    self.target = target
    self.rankBefore = rankBefore
    self.rank = rank
    self.energy = energy
    rounding = written?.rounding ?? 0
    self.lost = max(0, lost) + rounding
    tensors = vectors + (written?.tensors ?? [])
    hasPlainAlpha = written?.hasPlainAlpha ?? true
  }

  /// ‖ΔW − ΔW'‖ / ‖ΔW‖ of what is written, rounding included.
  public var error: Double { energy > 0 ? (lost / energy).squareRoot() : 0 }
  /// The part of ``error`` that comes from rounding.
  public var roundingError: Double { energy > 0 ? (rounding / energy).squareRoot() : 0 }
}

/// A LoRA that was made from others, and how well it stands for them.
public struct EditedLoRA: Sendable {
  /// Every module, in the order of the network.
  public let modules: [ModuleEdit]
  /// The file.
  public let output: LoRAOutput

  /// ‖ΔW − ΔW'‖ / ‖ΔW‖ of what is written over all modules together, rounding included.
  public var error: Double { share(\.lost) }
  /// The part of ``error`` that comes from rounding.
  public var roundingError: Double { share(\.rounding) }

  private func share(_ part: (ModuleEdit) -> Double) -> Double {
    let energy = modules.reduce(0) { $0 + $1.energy }
    return energy > 0 ? (modules.reduce(0) { $0 + part($1) } / energy).squareRoot() : 0
  }

  init(_ modules: [ModuleEdit], terms: [LoRASum.Term]) throws(Fault) {
    self.modules = modules
    let plain = modules.filter { $0.rank > 0 && !$0.target.hasKernel }.map(\.rank)
    let kernels = modules.filter { $0.rank > 0 && $0.target.hasKernel }.map(\.rank)
    let rank = LoRATexts.common(plain.isEmpty ? kernels : plain)
    let alpha = modules.allSatisfy(\.hasPlainAlpha) ? rank : "Dynamic"
    let texts = try Self.texts(of: terms, rank: rank, alpha: alpha, kernelRanks: kernels)
    var tensors = modules.flatMap(\.tensors)
    tensors += try Self.preserved(of: terms)
    output = try LoRAOutput(tensors: tensors, texts: texts)
  }

  /// The texts of a sum, without hashes.
  static func texts(
    of terms: [LoRASum.Term], rank: String, alpha: String, kernelRanks: [Int]
  ) throws(Fault) -> [MetadataEntry] {
    var texts: LoRATexts
    // One of strength 0 is as if it were not there.
    let active = terms.filter { $0.unet != 0 || $0.textEncoder != 0 }
    let terms = active.isEmpty ? terms : active
    if terms.count == 1, terms[0].isPlain {
      texts = LoRATexts(of: terms[0].file)
      let before = terms[0].file.text("ss_network_dim")
      texts.setNetwork(rank: rank, alpha: alpha)
      texts.set("ss_network_module", "networks.lora")
      if let before, before != rank, let comment = terms[0].file.text("ss_training_comment") {
        texts.set("ss_training_comment", "rank changed from \(before) to \(rank); \(comment)")
      }
      for key in ["lora_adapter_metadata", "ss_network_args"] { texts.remove(key) }
    } else {
      texts = try LoRATexts(
        combining: terms.map(\.file), ratios: terms.map(\.unet), rank: rank, alpha: alpha)
    }
    if let arguments = LoRATexts.arguments(kernelRanks: kernelRanks) {
      texts.set("ss_network_args", arguments)
    }
    return texts.entries.filter { !LoRAOutput.isHash($0.key) }
  }

  /// Tensors that change no weight but are worth keeping, such as embeddings; of two with the same
  /// name the first.
  static func preserved(of terms: [LoRASum.Term]) throws(Fault) -> [OutputTensor] {
    var tensors: [OutputTensor] = []
    var names: Set<TensorName> = []
    for term in terms where term.unet != 0 || term.textEncoder != 0 {
      for (index, entry) in term.file.ledger.enumerated() {
        guard case .preserved(_) = entry else { continue }
        let info = term.file.source.tensors[index]
        guard names.insert(info.name).inserted else { continue }
        tensors.append(
          try OutputTensor(
            info.name, info.dtype, info.shape, bytes: try term.file.source.bytes(of: index)))
      }
    }
    return tensors
  }
}
