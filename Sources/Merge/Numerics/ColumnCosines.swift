import Tensors

/// The cosines of the angles between the columns of two tensors, and of the tensors as a whole.
///
/// A column are the values with the same place on every axis but the first.
struct ColumnCosines {
  /// For each column.
  private(set) var columns: [Double]
  /// For the whole tensor; 0 if one of the two is zero.
  let whole: Double
  /// Whether neither is zero.
  let isDefined: Bool

  /// Computes them; `normalizes` divides all columns by their lengths before the whole is compared.
  init(_ a: Span<Float>, _ b: Span<Float>, shape: [Int], normalizes: Bool) {
    precondition(a.count == b.count)
    let width = a.count / max(1, shape.first ?? 1)
    var products = [Products](repeating: Products(), count: width)
    var i = 0
    while i < a.count {
      for column in 0..<width {
        products[column].add(Double(a[i + column]), Double(b[i + column]))
      }
      i += width
    }
    var total = Products()
    columns = []
    columns.reserveCapacity(width)
    for product in products {
      if normalizes {
        let unit = Products.unit(product)
        columns.append(unit.cosine)
        total += unit
      } else {
        columns.append(product.cosine)
        total += product
      }
    }
    isDefined = total.a > 0 && total.b > 0
    whole = isDefined ? total.dot / (total.a.squareRoot() * total.b.squareRoot()) : 0
  }
}

extension Products {
  /// The products of the same vectors divided by their lengths, with PyTorch's guard.
  fileprivate static func unit(_ products: Products) -> Products {
    let floor = 1e-12
    let a = max(products.a.squareRoot(), floor)
    let b = max(products.b.squareRoot(), floor)
    return Products(
      dot: products.dot / (a * b), a: products.a / (a * a), b: products.b / (b * b))
  }

  fileprivate static func += (sum: inout Products, other: Products) {
    sum.dot += other.dot
    sum.a += other.a
    sum.b += other.b
  }
}

extension ColumnCosines {
  /// Writes `(1 − k)A + kB`, where `k` is a function of the cosine of the column and of the whole.
  static func mix(
    _ operands: Operands, _ tensor: MergedTensor, normalizes: Bool,
    into output: inout MutableSpan<Float>, by share: (_ column: Double, _ whole: Double) -> Double
  ) {
    let (a, b) = (operands[0], operands[1])
    precondition(a.count == output.count && b.count == output.count)
    let cosines = ColumnCosines(a, b, shape: tensor.shape, normalizes: normalizes)
    let shares = cosines.columns.map { share($0, cosines.whole) }
    var column = 0
    for i in output.indices {
      output[i] = Float(Arithmetic.lerp(Double(a[i]), Double(b[i]), shares[column]))
      column = column + 1 == shares.count ? 0 : column + 1
    }
  }
}
