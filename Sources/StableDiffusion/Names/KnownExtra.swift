public import Tensors

/// A tensor that is no parameter of the network, but often found beside it.
public struct KnownExtra: Hashable, Sendable {
  /// What becomes of it when a model is pruned.
  public enum Policy: String, Sendable {
    /// It belongs to the model.
    case keep
    /// It is a left-over: nothing that makes pictures reads it.
    case drop
  }

  /// A stable identifier, for example `"scheduler"`.
  public let id: String
  /// What it is, in a few words.
  public let title: String
  /// What becomes of it when a model is pruned.
  public let policy: Policy

  private let patterns: [Pattern]

  private enum Pattern: Hashable, Sendable {
    /// The whole name.
    case name(String)
    /// What the name begins with.
    case prefix(String)
    /// What the name ends with.
    case suffix(String)
    /// The whole name inside the text encoder, whatever its prefix.
    case text(String)
  }

  private init(_ id: String, _ title: String, _ policy: Policy, _ patterns: [Pattern]) {
    self.id = id
    self.title = title
    self.policy = policy
    self.patterns = patterns
  }

  /// Whether the identifiers are the same.
  public static func == (a: KnownExtra, b: KnownExtra) -> Bool { a.id == b.id }
  /// Hashes the identifier.
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension KnownExtra {
  /// The text encoder's table of positions, int64 `[1, 77]`: 0 to 76.
  ///
  /// Older programs require it, newer ones neither write nor need it.
  public static let positionIDs = KnownExtra(
    "position-ids", "token positions", .keep,
    [.text("text_model.embeddings.position_ids"), .text("embeddings.position_ids")])

  /// The name of ``positionIDs`` in a single-file checkpoint.
  public static let positionIDsName: TensorName =
    "cond_stage_model.transformer.text_model.embeddings.position_ids"

  /// The noise schedule, which every program computes for itself.
  public static let scheduler = KnownExtra(
    "scheduler", "noise schedule", .drop,
    [
      "betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod",
      "sqrt_one_minus_alphas_cumprod", "log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod",
      "sqrt_recipm1_alphas_cumprod", "posterior_variance", "posterior_log_variance_clipped",
      "posterior_mean_coef1", "posterior_mean_coef2", "lvlb_weights", "logvar", "scale_factor",
    ].map { .name($0) } + [.prefix("ddim_"), .prefix("denoiser.")])

  /// The counters of the moving average.
  public static let averageCounters = KnownExtra(
    "ema-counters", "counters of the moving average", .drop,
    [.name("model_ema.decay"), .name("model_ema.num_updates")])

  /// CLIP's joint space of texts and images, which the text encoder alone does not use.
  public static let projection = KnownExtra(
    "projection", "CLIP projection", .drop,
    [
      .text("logit_scale"), .text("text_projection"), .text("text_projection.weight"),
      .text("text_model.text_projection"), .text("visual_projection.weight"),
      .name("logit_scale"), .name("text_projection"), .name("text_projection.weight"),
    ])

  /// The image half of CLIP.
  public static let vision = KnownExtra(
    "vision", "CLIP image encoder", .drop,
    [
      .prefix("vision_model."), .prefix("cond_stage_model.transformer.vision_model."),
      .prefix("image_encoder/"),
    ])

  /// The discriminator and perceptual loss that the VAE was trained with.
  public static let loss = KnownExtra(
    "vae-loss", "training loss of the VAE", .drop,
    [
      .prefix("first_stage_model.loss."), .prefix("vae.loss."), .prefix("loss."),
      .prefix("first_stage_model.model_ema."),
    ])

  /// What the original textual-inversion training leaves in a checkpoint.
  public static let embeddingManager = KnownExtra(
    "embedding-manager", "textual-inversion training", .drop, [.prefix("embedding_manager.")])

  /// A ControlNet in the same file.
  public static let control = KnownExtra(
    "control", "ControlNet beside the model", .keep, [.prefix("control_model.")])

  /// The filter that some programs apply to finished pictures.
  public static let safetyChecker = KnownExtra(
    "safety-checker", "safety checker", .drop,
    [.prefix("safety_checker/"), .prefix("safety_checker.")])

  /// Empty tensors that tell programs what the model predicts.
  public static let predictionMarkers = KnownExtra(
    "prediction-markers", "markers of what is predicted", .keep,
    [
      .name("v_pred"), .name("ztsnr"), .name("edm_mean"), .name("edm_std"), .prefix("edm_vpred."),
    ])

  /// Textual-inversion embeddings that travel with the model.
  public static let bundledEmbeddings = KnownExtra(
    "bundled-embeddings", "bundled embeddings", .keep, [.prefix("bundle_emb.")])

  /// Factors that undo the scaling of weights stored in 8 bits.
  public static let quantisation = KnownExtra(
    "quantisation", "scales of 8-bit weights", .keep,
    [
      .name("scaled_fp8"), .suffix(".scaled_fp8"), .suffix(".scale_weight"),
      .suffix(".weight_scale"), .suffix(".scale_input"), .suffix(".input_scale"),
    ])

  /// The state of an interrupted training.
  public static let training = KnownExtra(
    "training", "state of the training", .drop,
    [
      .name("global_step"), .name("epoch"), .prefix("optimizer_states."), .prefix("lr_schedulers."),
      .prefix("callbacks."), .prefix("loops."),
    ])

  /// All of them.
  public static let all: [KnownExtra] = [
    .positionIDs, .scheduler, .averageCounters, .projection, .vision, .loss, .embeddingManager,
    .control, .safetyChecker, .predictionMarkers, .bundledEmbeddings, .quantisation, .training,
  ]

  /// The extra that `name` is, if it is a known one.
  public static func named(_ name: TensorName) -> KnownExtra? { Table.shared.extra(name) }

  /// The patterns of all extras, ready to be looked up.
  private struct Table: Sendable {
    static let shared = Table()

    private var names: [TensorName: KnownExtra] = [:]
    private var texts: [TensorName: KnownExtra] = [:]
    private var prefixes: [(String, KnownExtra)] = []
    private var suffixes: [(String, KnownExtra)] = []

    init() {
      for extra in KnownExtra.all {
        for pattern in extra.patterns {
          switch pattern {
          case .name(let name): names[TensorName(name)] = extra
          case .text(let name): texts[TensorName(name)] = extra
          case .prefix(let prefix): prefixes.append((prefix, extra))
          case .suffix(let suffix): suffixes.append((suffix, extra))
          }
        }
      }
    }

    func extra(_ name: TensorName) -> KnownExtra? {
      guard let first = name.utf8.first, let last = name.utf8.last else { return nil }
      if name.utf8.count <= NameTable.longestName {
        if let extra = names[name] ?? texts[name] { return extra }
        for prefix in NamePrefix.all
        where prefix.component == .textEncoder && prefix.text.utf8.first == first {
          if let extra = name.dropping(prefix: prefix.text).flatMap({ texts[$0] }) { return extra }
        }
      }
      return prefixes.first { $0.0.utf8.first == first && name.hasPrefix($0.0) }?.1
        ?? suffixes.first { $0.0.utf8.last == last && name.hasSuffix($0.0) }?.1
    }
  }
}
