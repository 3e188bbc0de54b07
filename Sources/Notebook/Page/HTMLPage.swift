import Foundation

extension PageContent {
  /// The page: one file that needs nothing else and asks nobody.
  var html: String {
    let contents = contents
    let navigation =
      contents.isEmpty
      ? ""
      : """
      <nav aria-label="Contents"><details open><summary>Contents</summary>
      \(contents)
      </details></nav>
      """
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: 'self' file:; media-src data:; \
      style-src 'unsafe-inline'; script-src 'unsafe-inline'">
      <meta name="color-scheme" content="light dark">
      <meta name="lesson" content="\(escaped(lesson))">
      <meta name="description" content="\(escaped(summary))">
      <meta name="picture" content="\(escaped(picture ?? ""))">
      <title>\(escaped(title))</title>
      <style>
      \(pageStyle)
      </style>
      </head>
      <body>
      <a class="skip" href="#main">To the text</a>
      <div class="page">
      \(navigation)
      <main id="main">
      <header>
      <p class="lesson">\(escaped(lesson))</p>
      <h1>\(escaped(title))</h1>
      \(statusBox)
      <button type="button" id="code" aria-pressed="false" hidden>Hide code</button>
      </header>
      \(body)
      <footer>Numbers: <code>results.json</code>. The same for Jupyter: <code>notebook.ipynb</code>.</footer>
      </main>
      </div>
      <script>
      \(pageScript)
      </script>
      </body>
      </html>

      """
  }

  /// The verdict, or where the run stands.
  private var summary: String {
    switch status {
    case .running: "This run is going on, or was ended from outside."
    case .stopped(let reason): reason
    case .finished(let verdict): verdict
    }
  }

  private var statusBox: String {
    guard case .finished(let verdict) = status else {
      return "<p class=\"verdict unfinished\" role=\"status\">\(escaped(summary))</p>"
    }
    let parts = verdict.components(separatedBy: " | ")
    let notes = parts.dropFirst().map { "<span class=\"note\">\(escaped($0))</span>" }
    return "<p class=\"verdict\"><strong>\(escaped(parts[0]))</strong> \(notes.joined(separator: " "))</p>"
  }
}

/// Closes the contents on a small screen, and lets the code be hidden.
let pageScript = """
  if (matchMedia('(max-width: 70rem)').matches) document.querySelector('nav details')?.removeAttribute('open');
  const button = document.getElementById('code');
  button.hidden = false;
  button.addEventListener('click', () => {
    const isHidden = document.body.classList.toggle('prose-only');
    button.setAttribute('aria-pressed', isHidden);
    button.textContent = isHidden ? 'Show code' : 'Hide code';
  });
  """
