import Tensors

/// All black and white images of a size, `[2^(height · width), height, width, 1]`: for sums over everything there is.
///
/// Image `i` has the bits of the number `i`, the first pixel being the lowest.
///
/// - Precondition: there are 1 to 20 pixels.
public func allBinaryImages(height: Int, width: Int) -> Tensor {
  let pixels = height.multipliedReportingOverflow(by: width)
  guard height > 0, width > 0, !pixels.overflow, pixels.partialValue <= 20 else {
    fail("allBinaryImages", "\(height) × \(width) pixels are too many to list every image; at most 20 pixels can be")
  }
  let size = pixels.partialValue
  let values = [Float](unsafeUninitializedCapacity: size << size) { target, filled in
    for image in 0..<1 << size {
      for pixel in 0..<size { target[image * size + pixel] = Float(image >> pixel & 1) }
    }
    filled = size << size
  }
  return Tensor(values, shape: [1 << size, height, width, 1])
}

/// The number whose bits are each image's pixels, the first pixel lowest; nil where a pixel is neither 0 nor 1.
func binaryCodes(of images: Tensor, size: Int) -> [Int?] {
  images.withUnsafeScalars { pixels in
    stride(from: 0, to: pixels.count, by: size).map { start in
      var code = 0
      for pixel in 0..<size {
        guard pixels[start + pixel] == 0 || pixels[start + pixel] == 1 else { return nil }
        if pixels[start + pixel] == 1 { code |= 1 << pixel }
      }
      return code
    }
  }
}
