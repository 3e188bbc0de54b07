/// The style of a lesson's page, light and dark, for screens, telephones and paper.
let pageStyle =
  colours + """
    * { box-sizing: border-box; }
    html { scroll-behavior: smooth; scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
    body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.62; font-size: 1.0625rem;
      font-family: "Charter", "Bitstream Charter", "Sitka Text", "Source Serif 4", Cambria, "Noto Serif", "DejaVu Serif", serif; }
    .page { display: grid; grid-template-columns: minmax(0, 1fr); max-width: 56rem; margin: 0 auto; padding: 0 1.1rem 4rem; }
    main { min-width: 0; }
    h1, h2, h3, h4, nav, .lesson, .verdict, .measurement, .progress, table, figcaption, button, summary, footer, .tag, .note {
      font-family: "Inter", "Segoe UI", "Helvetica Neue", "Noto Sans", Roboto, "DejaVu Sans", system-ui, sans-serif; }
    h1 { font-size: clamp(1.75rem, 5.4vw, 2.5rem); line-height: 1.14; letter-spacing: -0.018em; margin: 0 0 1.1rem; text-wrap: balance; }
    h2 { font-size: 1.45rem; line-height: 1.25; letter-spacing: -0.01em; margin: 3rem 0 0.8rem; padding-top: 1.3rem;
      border-top: 1px solid var(--line); }
    h3 { font-size: 1.13rem; margin: 2rem 0 0.6rem; }
    h4 { font-size: 1rem; margin: 1.5rem 0 0.5rem; }
    p, ul, ol, blockquote { margin: 0.85rem 0; }
    li { margin: 0.25rem 0; }
    li > p:first-child { margin-top: 0; }
    a { color: var(--accent); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
    a:hover { text-decoration-thickness: 2px; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
    hr { border: 0; border-top: 1px solid var(--line); margin: 2rem 0; }
    blockquote { margin-inline: 0; padding: 0.1rem 0 0.1rem 1.1rem; border-left: 3px solid var(--accent); color: var(--soft); }
    header { padding: clamp(1.6rem, 6vw, 3.4rem) 0 0.6rem; }
    .lesson { margin: 0 0 0.5rem; color: var(--accent); font-size: 0.82rem; font-weight: 650; letter-spacing: 0.05em; }
    .verdict { margin: 0 0 1rem; padding: 0.85rem 1.05rem; border-radius: 10px; background: var(--tint); line-height: 1.45;
      font-size: 0.97rem; font-variant-numeric: tabular-nums; }
    .verdict strong { display: block; font-size: 1.06rem; }
    .note { color: var(--soft); font-size: 0.88rem; margin-right: 0.9rem; white-space: nowrap; }
    .unfinished { background: none; border: 1px dashed var(--soft); color: var(--soft); }
    button { font-size: 0.82rem; padding: 0.32rem 0.75rem; border-radius: 999px; border: 1px solid var(--line); cursor: pointer;
      background: none; color: var(--soft); }
    button:hover { color: var(--ink); border-color: var(--soft); }
    code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
    code { font-size: 0.86em; background: var(--code); padding: 0.12em 0.32em; border-radius: 4px; overflow-wrap: break-word; }
    pre { margin: 0; overflow-x: auto; font-size: 0.77rem; line-height: 1.55; tab-size: 2; }
    pre.text { font-size: 0.8rem; }
    pre code { font-size: inherit; background: none; padding: 0; overflow-wrap: normal; }
    pre.code { background: var(--code); padding: 0.85rem 1.05rem; border-radius: 10px; }
    .cell { margin: 1.25rem 0; }
    .output { margin: 0.9rem 0 1.6rem; padding-left: 1rem; border-left: 3px solid var(--accent-faint); }
    .output > * { margin: 0 0 1rem; }
    .output > :last-child { margin-bottom: 0; }
    pre.text { color: var(--ink); white-space: pre-wrap; overflow-wrap: anywhere; }
    figure { margin: 0; }
    figure img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 8px; border: 1px solid var(--line); }
    audio { width: 100%; max-width: 30rem; }
    figcaption { color: var(--soft); font-size: 0.87rem; line-height: 1.45; margin-top: 0.5rem; max-width: 42rem; }
    .row { display: flex; flex-wrap: wrap; gap: 0.9rem; }
    .row > figure { flex: 1 1 13rem; min-width: 0; }
    .missing { color: var(--warning); border: 1px dashed; border-radius: 8px; padding: 0.6rem 0.9rem; }
    .progress { display: flex; flex-wrap: wrap; align-items: center; gap: 0.3rem 1rem; font-size: 0.87rem; color: var(--soft);
      font-variant-numeric: tabular-nums; }
    .progress polyline { fill: none; stroke: var(--accent); stroke-width: 1.6; stroke-linejoin: round; }
    .measurement { font-variant-numeric: tabular-nums; font-size: 0.95rem; }
    .measurement + .measurement { margin-top: -0.55rem; }
    .measurement .name { margin-right: 0.6rem; }
    .measurement strong { margin-right: 0.9rem; }
    .table { overflow-x: auto; }
    table { border-collapse: collapse; font-size: 0.9rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
    caption { text-align: left; color: var(--soft); padding-bottom: 0.35rem; font-size: 0.87rem; }
    th, td { padding: 0.36rem 1.5rem 0.36rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
    th { font-weight: 650; border-bottom: 1.5px solid var(--soft); }
    .l { text-align: left; } .r { text-align: right; } .c { text-align: center; }
    .listing { border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
    .listing summary { padding: 0.5rem 1.05rem; font-size: 0.87rem; font-weight: 600; cursor: pointer; }
    .listing pre { border-radius: 0; }
    .exercise { display: block; width: max-content; min-width: 100%; margin: 0.3rem 0; padding: 0.2rem 0.7rem; border-radius: 6px;
      background: var(--exercise); box-shadow: inset 3px 0 var(--exercise-edge); }
    .tag { font-size: 0.74rem; font-weight: 650; color: var(--exercise-ink); letter-spacing: 0.03em; }
    pre .c { color: var(--comment); } pre .s { color: var(--string); } pre .n { color: var(--number); }
    pre .k { color: var(--keyword); font-weight: 600; } pre .t { color: var(--type); } pre .a { color: var(--attribute); }
    pre .f { color: var(--call); }
    .equation { display: block; overflow-x: auto; overflow-y: hidden; margin: 1.1rem 0; padding: 0.3rem 0; text-align: center; }
    math { font-family: "STIX Two Math", "Latin Modern Math", "Cambria Math", "DejaVu Math TeX Gyre", "Noto Sans Math", math; }
    math[display="block"] { font-size: 1.08em; margin: 0 auto; }
    mtd.ar, mtd.r { text-align: right; } mtd.al, mtd.l { text-align: left; }
    mtd.ar { padding-right: 0; } mtd.al { padding-left: 0; } mtd.al, mtd.ar { padding-top: 0.35em; padding-bottom: 0.35em; }
    .underbrace { padding-bottom: 0.5em; background: var(--brace) no-repeat bottom / 100% 0.42em; }
    .overbrace { padding-top: 0.5em; background: var(--brace-above) no-repeat top / 100% 0.42em; }
    .together { white-space: nowrap; } .output table { white-space: nowrap; }
    .slanted { font-style: italic; } .bold { font-weight: bold; } .typewriter { font-family: monospace; }
    .boxed { border: 1px solid; padding: 0.25em 0.45em; } .unknown { color: var(--warning); font-family: monospace; }
    nav { font-size: 0.87rem; line-height: 1.4; margin-top: 1.2rem; }
    nav summary { font-weight: 650; cursor: pointer; color: var(--soft); padding: 0.35rem 0; }
    nav ol { list-style: none; margin: 0.2rem 0; padding: 0; }
    nav li { margin: 0; } nav a { display: block; padding: 0.27rem 0; color: var(--soft); text-decoration: none; }
    nav a:hover { color: var(--accent); } nav .level3 { padding-left: 1rem; }
    .skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 0.6rem; background: var(--paper); padding: 0.4rem; }
    .prose-only section > pre.code, .prose-only .listing { display: none; }
    footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: 0.85rem; }
    @media (min-width: 70.01rem) {
      .page { grid-template-columns: 12.5rem minmax(0, 58rem); column-gap: 2.8rem; max-width: 76rem; }
      .prose, header { max-width: 47rem; }
      .page > main:first-child { grid-column: 1 / -1; }
      nav { position: sticky; top: 0; max-height: 100vh; overflow-y: auto; padding: 3.4rem 0 1rem; margin: 0; align-self: start; }
    }
    @media (max-width: 40rem) {
      body { font-size: 1rem; } pre { font-size: 0.74rem; } .output { padding-left: 0.7rem; }
      pre.code { padding: 0.7rem 0.8rem; } h2 { margin-top: 2.2rem; }
      p:has(math), ul:has(math), ol:has(math) { overflow-x: auto; overflow-y: hidden; } .row > figure { flex-basis: 8rem; }
    }
    @media print {
      nav, button, .skip { display: none; } body { font-size: 10.5pt; } .page { display: block; max-width: none; padding: 0; }
      pre { white-space: pre-wrap; font-size: 8pt; } figure, .table, .verdict, .equation { break-inside: avoid; }
      h2, h3 { break-after: avoid; } a { color: inherit; } header { padding-top: 0; }
    }
    @media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
    """

/// Colours with a contrast of at least 4.5 to their background.
private let colours = """
  :root { color-scheme: light dark; --paper: #fdfdfb; --ink: #1d2126; --soft: #59626d; --line: #dfe2e5; --accent: #0b6a75;
    --accent-faint: #bcdcdf; --tint: #e8f3f3; --code: #f3f4f2; --warning: #a3360d; --exercise: #fdf1d6; --exercise-edge: #d29a1d;
    --exercise-ink: #7a5300; --comment: #5f6b66; --string: #a3370f; --number: #8a4b00; --keyword: #7b2a86; --type: #17609e;
    --attribute: #7b5a00; --call: #14656b;
    --brace: \(brace("1d2126", flipped: false)); --brace-above: \(brace("1d2126", flipped: true)); }
  @media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e3e6e8; --soft: #a0a9b2; --line: #30363d;
    --accent: #5cc6cf; --accent-faint: #24545a; --tint: #182c30; --code: #1c2126; --warning: #ff9d70; --exercise: #30290f;
    --exercise-edge: #c79a2e; --exercise-ink: #e8c163; --comment: #8f9b95; --string: #f0a07a; --number: #e5b567;
    --keyword: #d69be0; --type: #86bff0; --attribute: #d9bb6a; --call: #7fd0d0;
    --brace: \(brace("e3e6e8", flipped: false)); --brace-above: \(brace("e3e6e8", flipped: true)); } }
  @media print { :root { --paper: #fff; --ink: #000; --soft: #444; --code: #f6f6f6; } }

  """

/// A horizontal brace as wide as what it is the background of.
private func brace(_ colour: String, flipped isFlipped: Bool) -> String {
  let shape = "M1 0C1 5 3 5 8 5H42C47 5 50 6 50 10C50 6 53 5 58 5H92C97 5 99 5 99 0"
  let turn = isFlipped ? " transform='matrix(1 0 0 -1 0 10)'" : ""
  return """
    url("data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 100 10' preserveAspectRatio='none'>\
    <path d='\(shape)'\(turn) fill='none' stroke='%23\(colour)' stroke-width='1.2' vector-effect='non-scaling-stroke'/></svg>")
    """
}
