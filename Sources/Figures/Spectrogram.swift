import Foundation
import Tensors

/// The strength of the frequencies in a sound as time goes.
public struct Spectrogram: DrawnFigure {
  private let map: HeatMap
  private let description: String

  /// Draws the squared magnitudes of short Fourier transforms (Hann window, half overlapping), in decibels below the strongest.
  ///
  /// - Parameters:
  ///   - signal: the samples, `[count]`.
  ///   - sampleRate: samples in a second.
  ///   - window: the samples in one transform, a power of two of at least 8.
  ///   - title: the heading.
  /// - Precondition: `signal` has 1 axis, `sampleRate` is above 0 and `window` a power of two.
  public init(_ signal: Tensor, sampleRate: Double, window: Int = 256, title: String = "") {
    guard signal.rank == 1 else { fail("Spectrogram", "the signal must be [count], but the shape is \(signal.shape)") }
    guard sampleRate > 0, sampleRate.isFinite, window >= 8, window <= 1 << 16, window & (window - 1) == 0 else {
      fail("Spectrogram", "sampleRate \(sampleRate) must be above 0 and window \(window) a power of two, 8…65536")
    }
    let samples = signal.scalars
    // At most about 700 columns, so that each can be seen.
    let hop = max(window / 2, samples.count / 700)
    let columns = samples.isEmpty ? 0 : max(1, (samples.count - window + hop) / hop)
    let rows = window / 2 + 1
    var decibels = [Float](repeating: 0, count: rows * columns)
    for column in 0..<columns {
      let power = Self.power(of: samples, from: column * hop, window: window)
      for row in 0..<rows { decibels[row * columns + column] = 10 * log10(max(power[row], 1e-20)) }
    }
    let peak = decibels.filter(\.isFinite).max() ?? 0
    let loudest = decibels.firstIndex(of: peak).map { Double($0 / max(1, columns)) * sampleRate / Double(window) } ?? 0
    let bin = sampleRate / Double(window)
    var frame = HeatMap.Frame(
      title: title, xLabel: "time (s)", yLabel: "frequency (Hz)", valueLabel: "power below the peak (dB)")
    frame.xRange = 0...max(1e-9, Double(columns * hop) / sampleRate)
    frame.yRange = -bin / 2...sampleRate / 2 + bin / 2
    frame.valueRange = -80...0
    map = HeatMap(Tensor(decibels.map { $0 - peak }, shape: [rows, columns]), frame)
    description =
      "Spectrogram “\(title)”: \(Axis.shortened(Double(samples.count) / sampleRate)) s, strongest at "
      + "\(Axis.shortened(loudest)) Hz."
  }

  /// The sound's length and its strongest frequency.
  public var alternativeText: String { description }

  /// The map's marks.
  public var drawing: Drawing { map.drawing }

  /// The squared magnitudes of the frequencies from 0 to half the sample rate.
  static func power(of samples: [Float], from start: Int, window: Int) -> [Float] {
    var real = (0..<window).map { index -> Float in
      guard start + index < samples.count else { return 0 }
      return samples[start + index] * (0.5 - 0.5 * cos(2 * .pi * Float(index) / Float(window)))
    }
    var imaginary = [Float](repeating: 0, count: window)
    transform(&real, &imaginary)
    return (0...window / 2).map { real[$0] * real[$0] + imaginary[$0] * imaginary[$0] }
  }

  /// The fast Fourier transform in place (Cooley and Tukey, 1965), for a power of two.
  private static func transform(_ real: inout [Float], _ imaginary: inout [Float]) {
    let count = real.count
    var reversed = 0
    for index in 1..<count {
      var bit = count >> 1
      while reversed & bit != 0 {
        reversed ^= bit
        bit >>= 1
      }
      reversed |= bit
      if index < reversed {
        real.swapAt(index, reversed)
        imaginary.swapAt(index, reversed)
      }
    }
    var length = 2
    while length <= count {
      for offset in 0..<length / 2 {
        let angle = -2 * Float.pi * Float(offset) / Float(length)
        let (c, s) = (cos(angle), sin(angle))
        for low in stride(from: offset, to: count, by: length) {
          let high = low + length / 2
          let (re, im) = (real[high] * c - imaginary[high] * s, real[high] * s + imaginary[high] * c)
          (real[high], imaginary[high]) = (real[low] - re, imaginary[low] - im)
          (real[low], imaginary[low]) = (real[low] + re, imaginary[low] + im)
        }
      }
      length *= 2
    }
  }
}
