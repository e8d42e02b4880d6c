package import JSON
package import Tensors

/// The hashes by which one model is known.
package struct HashView: Sendable {
  /// Hashes of whole files, by path.
  package var files: [(path: String, hashes: FileHashes)] = []
  /// What the metadata state.
  package var claims: [HashClaim] = []
  /// The identity of the contents, if it was asked for.
  package var content: ContentID?

  /// Reads the model's files.
  ///
  /// - Throws: what reading throws.
  package init(of model: InspectedModel, withContent: Bool, threads: Int) throws(Fault) {
    let source = model.source
    for file in source.files {
      files.append((file.path, try FileHashes(of: file, width: threads)))
    }
    claims = try source.hashClaims(known: files.count == 1 ? files[0].hashes : nil)
    if withContent {
      content = model.contentID(try source.tensorHashes(roundingToHalf: true, width: threads))
    }
  }

  /// The hashes for a terminal.
  package func lines(style: Style) -> [String] {
    var lines: [String] = []
    for (path, hashes) in files {
      lines.append(style.paint(path.sanitized, .name))
      var table = TextTable([.init(), .init(), .init()])
      table.indent = 2
      table.append(["SHA-256", "\(hashes.sha256)", ""])
      table.append(["AutoV2", "\(hashes.autoV2)", "\("model hash of current web UIs", .faint)"])
      if let autoV3 = hashes.autoV3 {
        table.append(["AutoV3", "\(autoV3)", "\("data without header; hash of LoRAs", .faint)"])
      }
      if let data = hashes.dataSHA256 { table.append(["SHA-256 of data", "\(data)", ""]) }
      table.append([
        "AutoV1", "\(hashes.autoV1)",
        hashes.isWindowEmpty
          ? "\("of nothing: the file is shorter than 1 MiB", .caution)"
          : "\("old model hash; many merges share it", .faint)",
      ])
      table.append(["CRC-32", "\(Self.hexadecimal(hashes.crc32))", ""])
      lines += table.lines(style: style)
    }
    if !claims.isEmpty {
      lines.append(style.paint("stated in the metadata", .strong))
      var table = TextTable([.init(), .init(), .init()])
      table.indent = 2
      for claim in claims {
        table.append([
          "\(claim.key, .name)", "\(claim.claimed)",
          claim.isTrue ? "\("true", .good)" : "\("false: it is \(claim.computed)", .bad)",
        ])
      }
      lines += table.lines(style: style)
    }
    if let content {
      lines.append(style.paint("contents, whatever the container and order", .strong))
      var table = TextTable([.init(), .init()])
      table.indent = 2
      table.append(["content id", "\(content.exact)"])
      table.append(["content id in F16", "\(content.half)"])
      lines += table.lines(style: style)
    }
    return lines
  }

  /// The hashes for programs.
  package var json: JSONValue {
    var object: JSONObject = [
      "files": .array(
        files.map { path, hashes in
          var file: JSONObject = [
            "path": .string(path), "bytes": .integer(hashes.byteCount),
            "sha256": .string("\(hashes.sha256)"), "autov1": .string(hashes.autoV1),
            "autov2": .string(hashes.autoV2), "crc32": .string(Self.hexadecimal(hashes.crc32)),
          ]
          file["autov3"] = hashes.autoV3.map { .string($0) }
          file["data_sha256"] = hashes.dataSHA256.map { .string("\($0)") }
          return .object(file)
        })
    ]
    if !claims.isEmpty {
      object["claims"] = .array(
        claims.map {
          [
            "key": .string($0.key), "claimed": .string($0.claimed),
            "computed": .string($0.computed), "true": .bool($0.isTrue),
          ]
        })
    }
    if let content {
      object["content_id"] = .string("\(content.exact)")
      object["content_id_f16"] = .string("\(content.half)")
    }
    return .object(object)
  }

  private static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
