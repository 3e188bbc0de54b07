import CPNG
import Foundation

/// The pixels of a PNG file, as 8-bit grey or colour; transparency is laid on white, 16 bits are rounded to 8.
struct PNGFile {
  let height: Int
  let width: Int
  /// 1 for grey, 3 for red, green, blue.
  let channels: Int
  /// `[height, width, channels]`, row by row.
  let pixels: [UInt8]

  private static let remedy = "get the file again, or save the picture anew"
  /// The most values a picture may have.
  private static let largestCount = 1 << 28

  init(contentsOf path: String) throws(DataError) {
    let bytes = try fileBytes(path, limit: 1 << 28, remedy: Self.remedy)
    let pixelCount = try Self.checkChunks(bytes, path)
    // Deflate makes at most 1032 bytes of one, and a byte holds at most 8 pixels.
    guard pixelCount <= Self.largestCount / 3, pixelCount / 8 <= bytes.count * 1032 else {
      throw Self.damage(path, "its header claims \(pixelCount) pixels, more than so small a file can hold")
    }
    var control = png_image()
    control.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { png_image_free(&control) }
    let decoded = Self.decode(bytes, &control)
    guard let decoded else {
      let message = withUnsafeBytes(of: control.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      throw Self.damage(path, "is damaged: \(message)")
    }
    height = Int(control.height)
    width = Int(control.width)
    channels = control.format & png_uint_32(PNG_FORMAT_FLAG_COLOR) != 0 ? 3 : 1
    pixels = decoded
  }

  private static func decode(_ bytes: [UInt8], _ control: inout png_image) -> [UInt8]? {
    // libpng keeps the address of the bytes between its two calls.
    bytes.withUnsafeBytes { source -> [UInt8]? in
      guard png_image_begin_read_from_memory(&control, source.baseAddress, source.count) != 0 else { return nil }
      let isColour = control.format & png_uint_32(PNG_FORMAT_FLAG_COLOR) != 0
      control.format = isColour ? png_uint_32(PNG_FORMAT_FLAG_COLOR) : 0
      // Without this, 16-bit samples would be taken for linear light, and brightened.
      control.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
      let count = Int(control.width) * Int(control.height) * (isColour ? 3 : 1)
      var pixels = [UInt8](repeating: 0, count: count)
      var white = png_color(red: 255, green: 255, blue: 255)
      return png_image_finish_read(&control, &white, &pixels, 0, nil) != 0 ? pixels : nil
    }
  }

  /// Walks over all chunks, from the signature to the end, without reading what is in them; returns the number of pixels.
  private static func checkChunks(_ bytes: [UInt8], _ path: String) throws(DataError) -> Int {
    guard bytes.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) else {
      throw damage(path, "is not a PNG file: it does not begin with the PNG signature")
    }
    var position = 8
    var names: [String] = []
    while position < bytes.count {
      guard bytes.count - position >= 12 else { throw damage(path, "is truncated within a chunk's header") }
      let length = bigEndian(bytes, position)
      let name = String(decoding: bytes[position + 4..<position + 8], as: UTF8.self)
      guard length <= bytes.count - position - 12 else {
        throw damage(path, "is truncated: its chunk \"\(printable(name))\" should have \(length) bytes")
      }
      let checked = bytes[position + 4..<position + 8 + length]
      let sum = checked.withUnsafeBytes {
        crc32(0, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), uInt($0.count))
      }
      guard Int(sum) == bigEndian(bytes, position + 8 + length) else {
        throw damage(path, "is damaged: the checksum of its chunk \"\(printable(name))\" is wrong")
      }
      names.append(name)
      position += 12 + length
      if name == "IEND" { break }
    }
    guard names.first == "IHDR", bigEndian(bytes, 8) == 13 else { throw damage(path, "has no header (IHDR)") }
    guard names.contains("IDAT") else { throw damage(path, "has no pixels (IDAT)") }
    guard names.last == "IEND" else { throw damage(path, "is truncated: it has no end (IEND)") }
    guard position == bytes.count else { throw damage(path, "has \(bytes.count - position) bytes after its end") }
    let (count, overflow) = bigEndian(bytes, 16).multipliedReportingOverflow(by: bigEndian(bytes, 20))
    return overflow ? .max : count
  }

  private static func bigEndian(_ bytes: [UInt8], _ position: Int) -> Int {
    bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
  }

  private static func printable(_ name: String) -> String {
    String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "?" })
  }

  private static func damage(_ path: String, _ problem: String) -> DataError {
    DataError(path: path, problem: problem, remedy: remedy)
  }
}
