import Foundation
import Testing

@testable import Notebook

@Suite struct TextTests {
  @Test("Numbers are shown with the digits that mean something")
  func numbers() {
    #expect(readable(243.1234) == "243.12")
    #expect(readable(-0.00001) == "-1.000e-05")
    #expect(readable(1234.56) == "1,234.6")
    #expect(readable(-0.0) == "0" && readable(20.0) == "20" && readable(2e7) == "2.000e+07")
    #expect(readable(Double.nan) == "nan")
    #expect(readable(1_234_567) == "1,234,567")
    #expect(readable(-999) == "-999")
    #expect(readable(243.123, standardError: 0.52) == "243.1 ± 0.5")
    #expect(readable(1.364, standardError: 0.011) == "1.36 ± 0.01")
    #expect(readable(2, standardError: .nan) == "2")
  }

  @Test("Times are shown in the unit one thinks in")
  func times() {
    #expect(readable(seconds: 4.7) == "4.7 s")
    #expect(readable(seconds: 41.4) == "41 s")
    #expect(readable(seconds: 200) == "3 min 20 s")
    #expect(readable(seconds: 7500) == "2 h 05 min")
    #expect(readable(seconds: .infinity) == "–")
  }

  @Test("A table's columns are aligned, numbers on the right")
  func table() {
    let table = TableContent(headers: ["law", "n"], rows: [["a", 5], ["long", 1234], ["x"]])
    #expect(table.isNumeric == [false, true])
    #expect(table.text == "  law        n\n  ────   ─────\n  a          5\n  long   1,234\n  x")
  }

  @Test("results.json has every key, null for what is not known, and never NaN")
  func results() throws {
    var results = Results(lesson: "L\"1", title: "T", seed: 3, size: .quick)
    results.record(Measurement(name: "a", value: .nan, standardError: .infinity, unit: "nats", floor: 1.5))
    results.record(Measurement(name: "b", value: 2))
    results.record(Measurement(name: "a", value: 4, floor: 1.5))
    let value = try #require(JSONSerialization.jsonObject(with: Data(results.json.utf8)) as? [String: Any])
    #expect(Set(value.keys) == ["lesson", "title", "seed", "size", "seconds", "parameters", "measurements"])
    #expect(value["lesson"] as? String == "L\"1" && value["parameters"] is NSNull)
    let measurements = try #require(value["measurements"] as? [[String: Any]])
    #expect(measurements.count == 2 && measurements[0]["name"] as? String == "a")
    #expect(measurements[0]["value"] as? Double == 4 && measurements[0]["standardError"] is NSNull)
    #expect(Set(measurements[1].keys) == ["name", "value", "standardError", "unit", "floor", "baseline"])
    results.record(Measurement(name: "a", value: .nan))
    #expect(results.json.contains("\"value\": null"))
  }

  @Test("Text is written into JSON and HTML so that it stays text")
  func escapes() throws {
    let text = "a\"b\\c\n\u{1}\u{2028}<é😀"
    let read =
      try JSONSerialization.jsonObject(with: Data(jsonString(text).utf8), options: .fragmentsAllowed) as? String
    #expect(read == text)
    #expect(escaped("<a href=\"x\" title='&'>\u{0}") == "&lt;a href=&quot;x&quot; title=&#39;&amp;&#39;&gt;\u{FFFD}")
  }

  @Test("Swift code is coloured by its parts")
  func colouring() {
    let html = SwiftColouring("@main let x: Float = f(0x1F, 1e-3) // no\n\"a\\(b + 1)c\" .default").html
    #expect(
      html.hasPrefix("<span class=\"a\">@main</span> <span class=\"k\">let</span> x: <span class=\"t\">Float</span>"))
    #expect(html.contains("<span class=\"f\">f</span>(<span class=\"n\">0x1F</span>, <span class=\"n\">1e-3</span>)"))
    #expect(html.contains("<span class=\"c\">// no</span>\n"))
    #expect(
      html.contains(
        "<span class=\"s\">&quot;a\\(</span>b + <span class=\"n\">1</span><span class=\"s\">)c&quot;</span>"))
    #expect(html.hasSuffix(" .default"))
  }

  @Test(
    "Code that is cut off or strange is coloured without a character lost",
    arguments: [
      "\"\"\"\nopen \\(x", "/* /* */", "#\"raw\\n\"# \"\\", "\"\\(\"\\(1)\")\"", "@", "#if x\n#", "let 😀 = <b>",
    ])
  func colouringKeepsText(code: String) {
    let plain = SwiftColouring(code).html.replacing(/<[^>]*>/, with: "")
    #expect(plain == escaped(code))
  }

  @Test("A sound is a WAV file of 16-bit samples, cut off at full scale")
  func sound() {
    let wave = [UInt8](Sound(samples: [0, 1, -2, .nan], rate: 8000).wave)
    #expect(wave.count == 52 && wave[0..<4].elementsEqual("RIFF".utf8) && wave[4] == 44 && wave[40] == 8)
    #expect(Array(wave[24..<28]) == [0x40, 0x1F, 0, 0])
    #expect(Array(wave[44...]) == [0, 0, 0xFF, 0x7F, 0x01, 0x80, 0, 0])
  }
}
