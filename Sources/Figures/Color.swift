/// An opaque colour, sRGB.
public struct Color: Sendable, Hashable {
  /// Red, 0…255.
  public let red: UInt8
  /// Green, 0…255.
  public let green: UInt8
  /// Blue, 0…255.
  public let blue: UInt8

  /// A colour from `0xRRGGBB`.
  public init(_ code: UInt32) {
    red = UInt8(code >> 16 & 255)
    green = UInt8(code >> 8 & 255)
    blue = UInt8(code & 255)
  }

  init(red: Double, green: Double, blue: Double) {
    self.red = UInt8(max(0, min(255, red.rounded())))
    self.green = UInt8(max(0, min(255, green.rounded())))
    self.blue = UInt8(max(0, min(255, blue.rounded())))
  }

  /// A mixture, `share` of the other colour, 0…1.
  func mixed(with other: Color, _ share: Double) -> Color {
    Color(
      red: Double(red) + (Double(other.red) - Double(red)) * share,
      green: Double(green) + (Double(other.green) - Double(green)) * share,
      blue: Double(blue) + (Double(other.blue) - Double(blue)) * share)
  }

  /// As SVG writes it, such as `#0072b2`.
  var code: String {
    let digits = Array("0123456789abcdef")
    return [red, green, blue].reduce(into: "#") { text, part in
      text.append(digits[Int(part >> 4)])
      text.append(digits[Int(part & 15)])
    }
  }

  static let white = Color(0xffffff)
  static let ink = Color(0x1a1a1a)
  static let faint = Color(0xe2e2e2)
  static let middle = Color(0x6a6a6a)
  /// Stands for values that are not finite; no colour map contains it.
  static let notFinite = Color(0xff00ff)

  /// Colours for categories, which colour-blind readers can tell apart: Okabe and Ito (2008), strongest on white
  /// first, and two more; shapes of markers differ as well.
  static let categories: [Color] = [
    0x0072b2, 0xd55e00, 0x009e73, 0xe69f00, 0xcc79a7, 0x56b4e9, 0x000000, 0xd8cb1d, 0x7f4a1e, 0x999999,
  ].map { Color($0) }

  static func category(_ index: Int) -> Color { categories[index % categories.count] }
}

/// How numbers become colours.
public enum ColorMap: Sendable {
  /// Dark violet to yellow with evenly rising luminance (van der Walt and Smith, 2015).
  case viridis
  /// Black to white.
  case grey
  /// Blue through white to orange, for signed values about zero.
  case diverging

  private static let viridisStops: [Color] = [
    0x440154, 0x482878, 0x3e4a89, 0x31688e, 0x26828e, 0x1f9e89, 0x35b779, 0x6dcd59, 0xb4de2c, 0xfde725,
  ].map { Color($0) }
  private static let greyStops: [Color] = [0x000000, 0xffffff].map { Color($0) }
  private static let divergingStops: [Color] = [
    0x08306b, 0x2b6cb0, 0x8fbbdf, 0xf7f7f7, 0xf2b27c, 0xc8600f, 0x6b2a00,
  ].map { Color($0) }

  private var stops: [Color] {
    switch self {
    case .viridis: Self.viridisStops
    case .grey: Self.greyStops
    case .diverging: Self.divergingStops
    }
  }

  /// The colour of a position, 0…1; positions outside have the colour of the nearer end.
  public func color(at position: Double) -> Color {
    let stops = stops
    let scaled = max(0, min(1, position)) * Double(stops.count - 1)
    let index = min(stops.count - 2, Int(scaled))
    return stops[index].mixed(with: stops[index + 1], scaled - Double(index))
  }

  /// The colours of 256 even steps, red, green, blue after each other.
  var table: [UInt8] {
    (0..<256).flatMap { step -> [UInt8] in
      let color = color(at: Double(step) / 255)
      return [color.red, color.green, color.blue]
    }
  }
}
