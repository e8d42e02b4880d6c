public import JSON

/// What AUTOMATIC1111's checkpoint merger records of one merge, as `sd_merge_recipe`.
///
/// Fields, their order and their spelling are those of the web UI 1.3 to 1.10, so that what it and
/// other tools read out of its files can be read out of ours.
public struct WebUIRecord: Hashable, Sendable {
  /// Who merged: `webui`, or `sdtool` where the web UI could not have done it.
  public var type = "webui"
  /// The SHA-256 of A, B and C, as far as they took part.
  public var hashes: [String]
  /// `Weighted sum`, `Add difference`, `No interpolation`, or the name of a method of ours.
  public var method: String
  /// α, if it is one number.
  public var multiplier: Double?
  /// Whether the result was stored as float16.
  public var isHalf = false
  /// The name that the user gave, without extension; empty if none.
  public var customName = ""
  /// Whose configuration was copied: 0 A, B or C, 1 B, 2 C, 3 none.
  public var configSource = 0
  /// The VAE that was baked in, or `None`.
  public var vae = "None"
  /// The regular expression of tensors left out.
  public var discard = ""
  /// Whether the result is an inpainting model.
  public var isInpainting = false
  /// Whether the result is an instruct-pix2pix model.
  public var isInstructPix2Pix = false

  /// A record of a merge of one to three models.
  public init(hashes: [String], method: String, multiplier: Double?) {
    self.hashes = hashes
    self.method = method
    self.multiplier = multiplier
  }

  /// The record as the web UI writes it.
  ///
  /// Whole multipliers have no fraction, as its slider passes them on.
  public var json: JSONValue {
    func hash(_ index: Int) -> JSONValue { index < hashes.count ? .string(hashes[index]) : nil }
    return [
      "type": .string(type), "primary_model_hash": hash(0), "secondary_model_hash": hash(1),
      "tertiary_model_hash": hash(2), "interp_method": .string(method),
      "multiplier": multiplier.map(Self.number) ?? nil, "save_as_half": .bool(isHalf),
      "custom_name": .string(customName), "config_source": .integer(configSource),
      "bake_in_vae": .string(vae), "discard_weights": .string(discard),
      "is_inpainting": .bool(isInpainting), "is_instruct_pix2pix": .bool(isInstructPix2Pix),
    ]
  }

  private static func number(_ value: Double) -> JSONValue {
    Int(exactly: value).map { .integer($0) } ?? .double(value)
  }
}
