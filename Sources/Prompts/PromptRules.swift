public import Tensors

extension Rule {
  /// A prompt that does not follow the rules of emphasis.
  public static let promptSyntax = Rule(
    "GN002", .fatal, "prompt that cannot be read",
    "Round brackets in a prompt give weight to words: (word) and (word:1.2); square brackets take "
      + "weight away, or change the prompt from step to step. Write \\( and \\) for brackets that "
      + "belong to the text.")
  /// A file that holds no embedding for this text encoder.
  public static let notAnEmbedding = Rule(
    "GN003", .fatal, "not a textual-inversion embedding",
    "A textual-inversion embedding holds one tensor of one or more vectors, as wide as the text "
      + "encoder: 768 for Stable Diffusion 1.5. Embeddings for SDXL hold two tensors, those for "
      + "Stable Diffusion 2 are 1024 wide; they fit other models only.")

  /// All rules about prompts.
  public static let promptRules: [Rule] = [.promptSyntax, .notAnEmbedding]
}

extension Fault {
  /// A prompt that cannot be read.
  static func promptSyntax(_ message: String, found: String? = nil, hint: String? = nil) -> Fault {
    Fault(.promptSyntax, "the prompt " + message, found: found, hint: hint)
  }
}
