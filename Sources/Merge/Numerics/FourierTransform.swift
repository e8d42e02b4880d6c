/// The discrete Fourier transform of any length.
///
/// Lengths are taken apart into factors (Stockham's arrangement, radix 4 first); one that has a
/// prime factor above 400 goes by way of a convolution with a power of two (Bluestein).
struct FourierTransform {
  private let count: Int
  private let factors: [Int]
  private let roots: Roots

  /// The transform of `count` values.
  init(count: Int) {
    self.count = count
    var rest = max(1, count)
    var factors = [Int]()
    var divisor = 4
    while rest > 1 {
      if rest % divisor == 0 {
        factors.append(divisor)
        rest /= divisor
      } else if divisor == 4 {
        divisor = 2
      } else if divisor * divisor > rest {
        divisor = rest
      } else {
        divisor += divisor == 2 ? 1 : 2
      }
    }
    self.factors = factors
    roots = Roots(count: max(1, count))
  }

  /// Replaces the values by `Σ xⱼ·exp(−2πijk/n)`.
  func transform(_ re: inout [Double], _ im: inout [Double]) {
    precondition(re.count == count && im.count == count)
    guard count > 1 else { return }
    guard (factors.max() ?? 1) <= 400 else { return convolve(&re, &im) }
    var (otherRe, otherIm) = (re, im)
    var (length, stride) = (count, 1)
    for factor in factors {
      switch factor {
      case 4: pass4(re, im, &otherRe, &otherIm, length, stride)
      default: pass(factor, re, im, &otherRe, &otherIm, length, stride)
      }
      swap(&re, &otherRe)
      swap(&im, &otherIm)
      length /= factor
      stride *= factor
    }
  }

  /// One pass with any factor.
  private func pass(
    _ p: Int, _ re: [Double], _ im: [Double], _ outRe: inout [Double], _ outIm: inout [Double],
    _ length: Int, _ stride: Int
  ) {
    let m = length / p
    let small = (0..<p).map { roots[count / p * $0] }
    for k in 0..<m {
      for r in 0..<p {
        let twiddle = roots[k * r * stride]
        let out = stride * (p * k + r)
        var power = 0
        for j in 0..<p {
          let root = small[power]
          let (x, y) = (
            root.re * twiddle.re - root.im * twiddle.im, root.re * twiddle.im + root.im * twiddle.re
          )
          let start = stride * (k + m * j)
          if j == 0 {
            for q in 0..<stride { (outRe[out + q], outIm[out + q]) = (0, 0) }
          }
          for q in 0..<stride {
            let (a, b) = (re[start + q], im[start + q])
            outRe[out + q] += a * x - b * y
            outIm[out + q] += a * y + b * x
          }
          power += r
          if power >= p { power -= p }
        }
      }
    }
  }

  /// One pass with the factor 4.
  private func pass4(
    _ re: [Double], _ im: [Double], _ outRe: inout [Double], _ outIm: inout [Double],
    _ length: Int, _ stride: Int
  ) {
    let m = length / 4
    for k in 0..<m {
      let (w1, w2, w3) = (roots[k * stride], roots[2 * k * stride], roots[3 * k * stride])
      for q in 0..<stride {
        let i0 = q + stride * k
        let (i1, i2, i3) = (i0 + stride * m, i0 + 2 * stride * m, i0 + 3 * stride * m)
        let (sumRe, sumIm) = (re[i0] + re[i2], im[i0] + im[i2])
        let (differenceRe, differenceIm) = (re[i0] - re[i2], im[i0] - im[i2])
        let (oddRe, oddIm) = (re[i1] + re[i3], im[i1] + im[i3])
        // −i times the difference.
        let (turnedRe, turnedIm) = (im[i1] - im[i3], re[i3] - re[i1])
        let out = q + stride * 4 * k
        outRe[out] = sumRe + oddRe
        outIm[out] = sumIm + oddIm
        let (x1, y1) = (differenceRe + turnedRe, differenceIm + turnedIm)
        outRe[out + stride] = x1 * w1.re - y1 * w1.im
        outIm[out + stride] = x1 * w1.im + y1 * w1.re
        let (x2, y2) = (sumRe - oddRe, sumIm - oddIm)
        outRe[out + 2 * stride] = x2 * w2.re - y2 * w2.im
        outIm[out + 2 * stride] = x2 * w2.im + y2 * w2.re
        let (x3, y3) = (differenceRe - turnedRe, differenceIm - turnedIm)
        outRe[out + 3 * stride] = x3 * w3.re - y3 * w3.im
        outIm[out + 3 * stride] = x3 * w3.im + y3 * w3.re
      }
    }
  }

  /// Bluestein: `jk = (j² + k² − (j − k)²) / 2` makes the sum a convolution.
  private func convolve(_ re: inout [Double], _ im: inout [Double]) {
    var size = 1
    while size < 2 * count { size *= 2 }
    let chirpRoots = Roots(count: 2 * count)
    // j² modulo 2n, without a product that could overflow.
    var squares = [Int](repeating: 0, count: count)
    for j in 1..<count { squares[j] = (squares[j - 1] + 2 * j - 1) % (2 * count) }
    var (aRe, aIm) = ([Double](repeating: 0, count: size), [Double](repeating: 0, count: size))
    var (bRe, bIm) = (aRe, aIm)
    for j in 0..<count {
      let w = chirpRoots[squares[j]]
      aRe[j] = re[j] * w.re - im[j] * w.im
      aIm[j] = re[j] * w.im + im[j] * w.re
      (bRe[j], bIm[j]) = (w.re, -w.im)
      if j > 0 { (bRe[size - j], bIm[size - j]) = (w.re, -w.im) }
    }
    let inner = FourierTransform(count: size)
    inner.transform(&aRe, &aIm)
    inner.transform(&bRe, &bIm)
    for k in 0..<size {
      // Conjugated, so that a second forward transform goes back.
      let (x, y) = (aRe[k] * bRe[k] - aIm[k] * bIm[k], aRe[k] * bIm[k] + aIm[k] * bRe[k])
      (aRe[k], aIm[k]) = (x, -y)
    }
    inner.transform(&aRe, &aIm)
    for k in 0..<count {
      let w = chirpRoots[squares[k]]
      let (x, y) = (aRe[k] / Double(size), -aIm[k] / Double(size))
      re[k] = x * w.re - y * w.im
      im[k] = x * w.im + y * w.re
    }
  }
}

/// The numbers `exp(−2πik/n)`, from two tables of about √n numbers each.
private struct Roots {
  private let count: Int
  private let shift: Int
  private let fine: [(re: Double, im: Double)]
  private let coarse: [(re: Double, im: Double)]

  init(count: Int) {
    self.count = count
    var shift = 0
    while 1 << (2 * shift) < count { shift += 1 }
    self.shift = shift
    func root(_ k: Int) -> (re: Double, im: Double) {
      let angle = 2 * Double.pi * (Double(k) / Double(count))
      return (Elementary.sine(.pi / 2 - angle), -Elementary.sine(angle))
    }
    fine = (0..<1 << shift).map(root)
    coarse = (0...count >> shift).map { root(min(count, $0 << shift)) }
  }

  /// Number `k`, which may be any index from 0.
  subscript(k: Int) -> (re: Double, im: Double) {
    let k = k < count ? k : k % count
    let (a, b) = (coarse[k >> shift], fine[k & (1 << shift - 1)])
    return (a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re)
  }
}
