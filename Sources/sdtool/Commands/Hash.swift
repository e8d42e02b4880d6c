import ArgumentParser
import Inspection
import JSON
import Tensors

extension SDTool {
  /// The command `sdtool hash`, which tells by which hashes a file is known.
  struct Hash: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints the hashes by which model files are known.",
      discussion: """
        SHA-256, AutoV1, AutoV2, AutoV3 and CRC-32 in one pass over each file. --content adds an \
        identity that is equal for the same tensors in any container, order and layout. --tensors \
        prints one line for each tensor instead: SHA-256 of its values as contiguous little-endian \
        bytes, type, shape, name; every byte of the file is read and checked.

        EXAMPLES
          sdtool hash model.safetensors
          sdtool hash --content model.ckpt model.safetensors
          sdtool hash --tensors model.safetensors | sort -k4 > tensors.txt

        EXIT CODES
          0 hashed, 2 a file is unreadable, broken or unsafe, 64 wrong usage
        """)

    @OptionGroup var models: ModelOptions

    @Flag(help: "One line for each tensor: SHA-256, type, shape, name.")
    var tensors = false

    @Flag(help: "Add the content id, also with all values rounded to F16.")
    var content = false

    @OptionGroup var machine: MachineOptions
    @OptionGroup var text: OutputOptions

    func run() throws {
      let threads = machine.threads ?? availableProcessors
      try printEachModel(models) { model throws(Fault) in
        if tensors {
          let hashes = try model.source.tensorHashes(width: threads)
          return models.json
            ? .json(Self.value(of: hashes, model.source.path))
            : .text(hashes.map(Self.line).joined())
        }
        let view = try HashView(of: model, withContent: content, threads: threads)
        return models.json
          ? .json(view.json) : .text(view.lines(style: text.style).joined(separator: "\n") + "\n")
      }
    }

    private static func line(_ hash: TensorHash) -> String {
      let shape = "[" + hash.tensor.shape.map(String.init).joined(separator: ",") + "]"
      return
        "\(hash.sha256)  \(hash.tensor.dtype)  \(shape)  \(hash.tensor.name.string.sanitized)\n"
    }

    private static func value(of hashes: [TensorHash], _ path: String) -> JSONValue {
      [
        "path": .string(path),
        "tensors": .array(
          hashes.map {
            [
              "name": .string($0.tensor.name.string), "dtype": .string($0.tensor.dtype.name),
              "shape": .array($0.tensor.shape.map { .integer($0) }),
              "sha256": .string("\($0.sha256)"),
            ]
          }),
      ]
    }
  }
}

extension SDTool.Inspect {
  /// The hashes of a model, for a terminal.
  func hashLines(of model: InspectedModel, style: Style) throws(Fault) -> [String] {
    try hashes(of: model).lines(style: style)
  }

  /// The hashes of a model, for programs.
  func hashValue(of model: InspectedModel) throws(Fault) -> JSONValue {
    try hashes(of: model).json
  }

  private func hashes(of model: InspectedModel) throws(Fault) -> HashView {
    try HashView(
      of: model, withContent: true, threads: machine.threads ?? availableProcessors)
  }
}
