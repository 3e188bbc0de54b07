import Foundation

/// The page of all lessons that have been run, `Output/index.html`.
struct CourseIndex {
  private struct Entry {
    var folder: String
    var lesson: String
    var title: String
    var verdict: String
    var picture: String?
  }

  private var entries: [Entry] = []

  /// Reads the heads of the pages in a folder of results.
  init(reading folder: URL) {
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    entries = folders.sorted().compactMap { Self.entry($0, in: folder) }
  }

  private static func entry(_ name: String, in folder: URL) -> Entry? {
    let place = folder.appendingPathComponent(name)
    guard let file = try? FileHandle(forReadingFrom: place.appendingPathComponent("index.html")) else { return nil }
    defer { try? file.close() }
    let head = String(decoding: (try? file.read(upToCount: 8192)) ?? Data(), as: UTF8.self)
    guard let lesson = content("lesson", of: head) else { return nil }
    let picture = content("picture", of: head) ?? ""
    let isThere = !picture.isEmpty && FileManager.default.fileExists(atPath: place.appendingPathComponent(picture).path)
    let title = head.firstMatch(of: /<title>([^<]*)<\/title>/).map { unescaped(String($0.1)) }
    return Entry(
      folder: name, lesson: lesson, title: title ?? lesson, verdict: content("description", of: head) ?? "",
      picture: isThere && OutputFolder.fileName(picture) == picture ? picture : nil)
  }

  private static func content(_ name: String, of head: String) -> String? {
    guard let start = head.range(of: "<meta name=\"\(name)\" content=\""),
      let end = head[start.upperBound...].firstIndex(of: "\"")
    else { return nil }
    return unescaped(String(head[start.upperBound..<end]))
  }

  private static func unescaped(_ text: String) -> String {
    text.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"")
      .replacing("&#39;", with: "'").replacing("&amp;", with: "&")
  }

  /// The page.
  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Deep unsupervised learning: lessons run</title>
    <style>
    \(pageStyle)
    .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: 1.2rem; padding: 0; list-style: none; }
    .cards li { margin: 0; } .page { max-width: 69rem; }
    .card { display: block; height: 100%; border: 1px solid var(--line); border-radius: 12px; overflow: hidden; color: inherit; text-decoration: none; }
    .card:hover { border-color: var(--accent); } .card img { display: block; width: 100%; height: 12rem; object-fit: contain; background: #fff; }
    .card div { padding: 0.8rem 1rem 1rem; } .card h2 { font-size: 1.1rem; margin: 0.1rem 0 0.5rem; padding: 0; border: 0; }
    .card p { margin: 0; font-size: 0.87rem; line-height: 1.45; color: var(--soft); } .card .lesson { color: var(--accent); }
    .card p span { white-space: nowrap; margin-right: 0.6rem; } .card p span:first-child { white-space: normal; display: block; }
    .card p { font-family: "Inter", "Segoe UI", "Helvetica Neue", "Noto Sans", "DejaVu Sans", system-ui, sans-serif; }
    </style>
    </head>
    <body>
    <div class="page"><main>
    <header><p class="lesson">Deep unsupervised learning</p><h1>Lessons run so far</h1></header>
    <ul class="cards">
    \(entries.map(Self.card).joined(separator: "\n"))
    </ul>
    </main></div>
    </body>
    </html>

    """
  }

  private static func card(_ entry: Entry) -> String {
    let folder = entry.folder.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? ""
    let image =
      entry.picture.map { "<img src=\"./\(escaped(folder))/\(escaped($0))\" alt=\"\" loading=\"lazy\">" } ?? ""
    let parts = entry.verdict.components(separatedBy: " | ").map { "<span>\(escaped($0))</span>" }
    let verdict = parts.joined(separator: " ")
    return """
      <li><a class="card" href="./\(escaped(folder))/index.html">\(image)<div><p class="lesson">\(escaped(entry.lesson))</p>
      <h2>\(escaped(entry.title))</h2><p>\(verdict)</p></div></a></li>
      """
  }
}
