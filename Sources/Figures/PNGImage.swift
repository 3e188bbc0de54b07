import CPNG
import Foundation
import Tensors

/// What was wrong with a PNG file, in one line.
public struct PNGError: Error, CustomStringConvertible, Equatable {
  /// The line for the reader.
  public let description: String
}

/// An image of 8-bit samples, grey or red, green, blue, as PNG files hold it.
public struct PNGImage: Sendable, Equatable {
  /// Pixels in a row.
  public let width: Int
  /// Rows.
  public let height: Int
  /// 1 for grey, 3 for red, green, blue.
  public let channels: Int
  /// The samples in row-major order, `[height, width, channels]`, 0…255.
  public let samples: [UInt8]

  /// The most samples an image may have: what a header claims is checked before memory is taken.
  public static let largestCount = 1 << 28

  /// An image of these samples, `[height, width, channels]` in row-major order.
  ///
  /// - Precondition: `channels` is 1 or 3, and there are as many samples as the extents say.
  public init(width: Int, height: Int, channels: Int, samples: [UInt8]) {
    guard channels == 1 || channels == 3, width > 0, height > 0, samples.count == width * height * channels else {
      fail("PNGImage", "\(samples.count) samples do not make [\(height), \(width), \(channels)]; channels are 1 or 3")
    }
    self.width = width
    self.height = height
    self.channels = channels
    self.samples = samples
  }

  /// Reads the bytes of a PNG file of any kind, as 8-bit grey or colour; transparency is laid on white.
  ///
  /// - Throws: ``PNGError`` when the bytes are not a whole PNG file or the image is larger than ``largestCount``.
  public init(decoding data: Data) throws {
    var control = png_image()
    control.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { png_image_free(&control) }
    let bytes = [UInt8](data)
    var samples: [UInt8] = []
    var channels = 1
    // libpng keeps the address of the bytes between its two calls.
    try bytes.withUnsafeBytes { source in
      guard png_image_begin_read_from_memory(&control, source.baseAddress, source.count) != 0 else {
        throw PNGError(description: "not a readable PNG image: \(Self.message(of: control))")
      }
      channels = control.format & png_uint_32(PNG_FORMAT_FLAG_COLOR) != 0 ? 3 : 1
      let count = Int(control.width) * Int(control.height) * channels
      guard count <= Self.largestCount else {
        throw PNGError(
          description: "the PNG image claims \(control.width) × \(control.height) pixels, which is too many")
      }
      control.format = channels == 3 ? png_uint_32(PNG_FORMAT_FLAG_COLOR) : 0
      samples = [UInt8](repeating: 0, count: count)
      var white = png_color(red: 255, green: 255, blue: 255)
      guard png_image_finish_read(&control, &white, &samples, 0, nil) != 0 else {
        throw PNGError(description: "damaged PNG image: \(Self.message(of: control))")
      }
    }
    self.init(width: Int(control.width), height: Int(control.height), channels: channels, samples: samples)
  }

  /// The bytes of a PNG file with these samples.
  ///
  /// - Throws: ``PNGError`` when libpng refuses.
  public func encoded() throws -> Data {
    var control = png_image()
    control.version = png_uint_32(PNG_IMAGE_VERSION)
    control.width = png_uint_32(width)
    control.height = png_uint_32(height)
    control.format = channels == 3 ? png_uint_32(PNG_FORMAT_FLAG_COLOR) : 0
    // Pictures of flat areas need no filters: without them writing is several times as fast, and the file no larger.
    control.flags = png_uint_32(PNG_IMAGE_FLAG_FAST)
    defer { png_image_free(&control) }
    // Deflate's and PNG's overhead on samples that do not compress; one call instead of one to ask and one to write.
    var size = samples.count + height + samples.count / 1000 + 4096
    var file = Data(count: size)
    var written = write(&control, to: &file, size: &size)
    if written == 0, size > file.count {
      file = Data(count: size)
      written = write(&control, to: &file, size: &size)
    }
    guard written != 0 else { throw PNGError(description: "cannot write PNG: \(Self.message(of: control))") }
    return Data(file.prefix(size))
  }

  private func write(_ control: inout png_image, to file: inout Data, size: inout Int) -> Int32 {
    file.withUnsafeMutableBytes { target in
      samples.withUnsafeBytes { source in
        png_image_write_to_memory(&control, target.baseAddress, &size, 0, source.baseAddress, 0, nil)
      }
    }
  }

  private static func message(of control: png_image) -> String {
    withUnsafeBytes(of: control.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
