import Foundation
import Tensors

/// Independent standard normal numbers (Box & Muller, "A Note on the Generation of Random Normal Deviates", 1958).
func normalDeviates(_ count: Int, using random: inout Random) -> [Double] {
  var deviates: [Double] = []
  deviates.reserveCapacity(count + 1)
  while deviates.count < count {
    let uniform = Double(random.next() >> 11) * 0x1p-53
    let angle = Double(random.next() >> 11) * 0x1p-53 * 2 * Double.pi
    let radius = (-2 * log(1 - uniform)).squareRoot()
    deviates.append(radius * cos(angle))
    deviates.append(radius * sin(angle))
  }
  if deviates.count > count { deviates.removeLast() }
  return deviates
}
