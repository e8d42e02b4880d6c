import Tensors

/// Which tensor stands for which parameter.
struct Mapping {
  private(set) var uses: [TensorUse]
  private(set) var tensorOfParameter: [Int?]
  private(set) var averageOfParameter: [Int?]
  private(set) var spellings: [Spelling?]
  private(set) var hasAverages = false

  /// Gives every parameter of `schema` the tensor that spells it best.
  init(_ census: Census, schema: Schema) {
    uses = Array(repeating: .unexpected, count: census.tensors.count)
    tensorOfParameter = Array(repeating: nil, count: schema.parameters.count)
    averageOfParameter = tensorOfParameter
    spellings = Array(repeating: nil, count: schema.parameters.count)
    for (index, finding) in census.findings.enumerated() {
      switch finding {
      case .parameter(let match):
        guard let parameter = schema.position(of: match.parameter) else { break }
        use(index, as: parameter, match.spelling)
      case .average(let complete):
        guard let parameter = schema.position(of: complete) else { break }
        if averageOfParameter[parameter] == nil { averageOfParameter[parameter] = index }
        uses[index] = .average(of: parameter)
        hasAverages = true
      case .extra(let extra): uses[index] = .extra(extra)
      case .stranger: break
      }
    }
  }

  /// Takes a tensor for a parameter, unless one that is spelled better is there.
  private mutating func use(_ index: Int, as parameter: Int, _ spelling: Spelling) {
    guard let other = tensorOfParameter[parameter], let known = spellings[parameter] else {
      tensorOfParameter[parameter] = index
      spellings[parameter] = spelling
      uses[index] = .parameter(parameter)
      return
    }
    guard spelling.rank < known.rank else {
      uses[index] = .repeated(parameter)
      return
    }
    tensorOfParameter[parameter] = index
    spellings[parameter] = spelling
    uses[index] = .parameter(parameter)
    uses[other] = .repeated(parameter)
  }
}

extension Spelling {
  /// The order in which spellings are preferred, whatever the order of the file.
  fileprivate var rank: Int {
    (isUsual ? 0 : 100) + container.rawValue * 10 + (isAlias ? 4 : 0)
      + (naming == .diffusers ? 1 : 0)
  }
}
