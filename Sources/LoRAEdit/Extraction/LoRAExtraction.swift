import LinearAlgebra
public import LoRA
import StableDiffusion
public import Tensors

/// The difference of two models as a LoRA.
///
///     let extraction = try LoRAExtraction(tuned: tuned, base: base)
///     let result = try extraction.made(.rank(32, kernels: 16), dtype: .f16, width: 2)
///     try result.output.write(to: "style.safetensors")
public struct LoRAExtraction: Sendable {
  /// What a module must differ by to be written, of ‖W‖.
  public struct Gate: Hashable, Sendable {
    /// In the U-Net.
    public var unet = 0.0
    /// In the text encoder: more than what rounding a model to half precision changes, which is
    /// 0.0002.
    public var textEncoder = 5e-4

    /// The usual gate.
    public init() {}

    subscript(target: LoRATarget) -> Double { target.component == .unet ? unet : textEncoder }
  }

  /// What a module's part in the extraction is.
  public struct Member: Sendable {
    /// The module and the shape of its weight.
    public let output: OutputTarget
    let tuned: Int
    let base: Int
  }

  /// A module that is in both models but has different shapes there.
  public struct Mismatch: Sendable {
    /// The module.
    public let target: LoRATarget
    /// Its shape in the tuned model.
    public let tuned: [Int]
    /// Its shape in the base.
    public let base: [Int]
  }

  /// The modules with a matrix or kernel in both models, in the order of the network.
  public let members: [Member]
  /// The modules whose shapes differ.
  public let mismatches: [Mismatch]

  let tuned: any TensorSource
  let base: any TensorSource

  /// Pairs the weights of two models, of which either may be in any layout.
  ///
  /// - Throws: ``Rule/loraDifferentModels`` if one is no Stable Diffusion 1.x model, or they have
  ///   nothing in common.
  public init(tuned: any TensorSource, base: any TensorSource) throws(Fault) {
    self.tuned = tuned
    self.base = base
    let identities = (ModelIdentity(tuned.tensors), ModelIdentity(base.tensors))
    for (identity, source) in [(identities.0, tuned), (identities.1, base)]
    where identity.kind != .stableDiffusion1 {
      throw Fault(
        .loraDifferentModels, "is no Stable Diffusion 1.x model", path: source.path,
        expected: "a model with a U-Net or text encoder", found: identity.title)
    }
    var members: [Member] = []
    var mismatches: [Mismatch] = []
    for target in LoRATarget.all {
      guard let t = target.weightTensor(in: identities.0),
        let b = target.weightTensor(in: identities.1), target.operation.role != .embedding
      else { continue }
      let shapes = (tuned.tensors[t].shape, base.tensors[b].shape)
      let shape = target.weightShape(in: identities.1.schema) ?? shapes.1
      guard shape.count >= 2 else { continue }
      if Self.matrix(shapes.0) == Self.matrix(shapes.1) {
        members.append(
          Member(output: OutputTarget(target: target, weightShape: shape), tuned: t, base: b))
      } else {
        mismatches.append(Mismatch(target: target, tuned: shapes.0, base: shapes.1))
      }
    }
    guard !members.isEmpty else {
      throw Fault(
        .loraDifferentModels, "has no weight of the same shape as the base", path: tuned.path,
        expected: "two models of the same widths")
    }
    self.members = members
    self.mismatches = mismatches
  }

  /// A shape without a kernel of 1×1, which some layouts leave out.
  private static func matrix(_ shape: [Int]) -> [Int] {
    shape.count == 4 && shape.suffix(2) == [1, 1] ? Array(shape.prefix(2)) : shape
  }
}

/// What became of one module of two models.
public struct ExtractedModule: Sendable {
  /// Why a module is not in the LoRA.
  public enum Omission: String, Sendable {
    /// The two weights are the same.
    case unchanged
    /// The change is below the gate.
    case belowGate = "below the gate"
    /// Its rank was given as 0.
    case notWanted = "not wanted"
  }

  /// The module and the shape of its weight.
  public let target: OutputTarget
  /// Why it is not in the LoRA, if it is not.
  public let omission: Omission?
  /// The rank that is written.
  public let rank: Int
  /// ‖W‖² of the base.
  public let baseEnergy: Double
  /// ‖ΔW‖².
  public let energy: Double
  /// ‖ΔW − up·down‖², computed from the difference itself, and what rounding the factors adds.
  public let lost: Double
  /// The least that any factors of that rank lose (Eckart and Young), as far as it is known: exact
  /// if all singular values were computed, else an estimate from the convergence of iteration.
  public let optimum: Double
  let tensors: [OutputTensor]
  /// Whether α is the rank.
  let hasPlainAlpha: Bool

  /// ‖ΔW‖ / ‖W‖.
  public var relativeChange: Double {
    baseEnergy > 0 ? (energy / baseEnergy).squareRoot() : energy > 0 ? .infinity : 0
  }
  /// ‖ΔW − up·down‖ / ‖ΔW‖.
  public var error: Double { energy > 0 ? (lost / energy).squareRoot() : 0 }
}
